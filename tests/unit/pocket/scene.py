"""A pocket switch that browsers may come to, the control plane that it asks, and the browsers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np

from freeswitch.pocket.legs import Leg
from freeswitch.pocket.media import listen_on
from freeswitch.pocket.sip.profile import SofiaProfile
from freeswitch.pocket.xml_curl import XmlCurl
from tests.contract.desk import levels
from tests.doubles.browser import RATE, Browser, browser
from tests.doubles.control_plane import ControlPlane
from tests.unit.pocket.running import Running, running

JOIN = "conference", "R@sparkle"


class Scene:
    def __init__(self, pocket: Running, plane: ControlPlane, profile: SofiaProfile, stack: AsyncExitStack) -> None:
        self.pocket = pocket
        self.plane = plane
        self.profile = profile
        self._stack = stack

    async def page(self, user: str, frequency: int | None = None, password: str = "") -> Browser:
        """Somebody opens the page. Unless a password is given, the account exists."""
        if not password:
            password = self.plane.accounts.setdefault(user, f"password of {user}")
        return await self._stack.enter_async_context(browser(self.profile.url, user, password, frequency=frequency))

    async def joined(self, user: str, frequency: int | None = None, number: str = "join") -> tuple[Browser, Leg]:
        """Somebody in the room, who is heard."""
        page = await self.page(user, frequency)
        response = await page.call(number)
        assert response.status == 200, response.phrase
        leg = next(leg for leg in self.pocket.switch.legs.values() if leg.caller_number == user)
        await self.pocket.until(lambda: leg.member is not None and bool(leg.secure), f"{user} is in")
        await self.pocket.until(lambda: page.heard.size > RATE // 10, f"{user} hears something", 10)
        return page, leg

    async def hears(self, page: Browser, tones: set[int]) -> None:
        """Wait until just these tones are heard."""

        def just_these() -> bool:
            return (
                page.heard.size >= RATE // 2
                and {hertz for hertz, level in loudness(page).items() if level > 300} == tones
            )

        await self.pocket.until(just_these, f"{page.user} hears {tones}", 10)


def loudness(page: Browser) -> dict[int, float]:
    """How loud each tone is in what the page heard last."""
    return levels(page.heard[-RATE // 4 :].astype(np.float64), RATE)


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    listen_on("127.0.0.1")
    with ControlPlane(dialplan={"join": [("answer", ""), JOIN]}) as plane:
        async with running() as pocket, AsyncExitStack() as stack:
            profile = SofiaProfile(
                pocket.switch, XmlCurl(plane.url, plane.name, plane.password), plane.domain, plane.realm
            )
            pocket.switch.profile = profile
            await profile.open("127.0.0.1", 0)
            try:
                yield Scene(pocket, plane, profile, stack)
            finally:
                await stack.aclose()
                pocket.switch.shut_down()
                await profile.close()


def play(act: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with _scene() as scene:
            await act(scene)

    asyncio.run(run())
