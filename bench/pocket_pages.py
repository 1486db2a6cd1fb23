"""Browsers of `bench.pocket` in a process of their own: they join, talk, and time what they hear."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection
from numpy.typing import NDArray

from bench.harness import answer_questions
from freeswitch.pocket.media import listen_on
from tests.doubles import browser as doubles

TONE = 1000
LOUD = 1500
"""The tone's amplitude in a frame that counts as having it; it is said at 6000."""
_TURN = np.exp(-2j * np.pi * TONE * np.arange(doubles.FRAME) / doubles.RATE) * 2 / doubles.FRAME


class Ear:
    """When the tone was heard first after silence, how many frames came, and how many of them without it."""

    def __init__(self) -> None:
        self._heard: asyncio.Future[float] | None = None
        self.frames = self.gaps = 0

    async def wait(self) -> float:
        """When (loop time) the tone is heard next."""
        self._heard = asyncio.get_running_loop().create_future()
        return await self._heard

    def hear(self, samples: NDArray[np.int16]) -> None:
        loud = abs(samples @ _TURN) > LOUD
        self.frames += 1
        self.gaps += not loud
        if loud and self._heard is not None and not self._heard.done():
            self._heard.set_result(asyncio.get_running_loop().time())


class Pages:
    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._pages: list[doubles.Browser] = []
        self._ear = Ear()

    async def join(self, url: str, accounts: dict[str, str]) -> int:
        """More pages join; how many there are. The second one of all is listened to."""
        listen_on("127.0.0.1")
        for user, password in accounts.items():
            page = await self._stack.enter_async_context(doubles.browser(url, user, password))
            if len(self._pages) == 1:
                page.hear = self._ear.hear  # type: ignore[method-assign]
            response = await page.call("join")
            if response.status != 200:
                raise RuntimeError(f"{user}: {response.status} {response.phrase}")
            self._pages.append(page)
        return len(self._pages)

    async def talk(self) -> None:
        """From now on two that are neither timed nor listened to talk all the time, far below the timed tone."""
        for page in self._pages[2:4]:
            page.tone.frequency = 60

    async def delays(self, trials: int) -> list[float]:
        """Seconds from the first page's mouth to the second one's ear, once for each trial."""
        return await _delays(self._pages[0].tone, self._ear, trials)

    async def gaps(self, seconds: float) -> float:
        """The share of frames in which a tone without a pause is not heard."""
        tone = self._pages[0].tone
        tone.frequency = TONE
        await asyncio.sleep(1.0)
        self._ear.frames = self._ear.gaps = 0
        await asyncio.sleep(seconds)
        missed, frames = self._ear.gaps, self._ear.frames
        tone.frequency = None
        expected = seconds / 0.02
        return (missed + max(expected - frames, 0)) / expected

    async def direct(self, trials: int) -> list[float]:
        """The same between two peer connections without a switch: what the pages themselves take."""
        ends = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
        tones, ear = [doubles.Tone(None), doubles.Tone(None)], Ear()
        for end, tone in zip(ends, tones, strict=True):
            end.addTrack(tone)
        listening: list[asyncio.Task[None]] = []
        ends[1].on("track", lambda track: listening.append(asyncio.create_task(doubles.listen(track, ear.hear))))
        await ends[0].setLocalDescription(await ends[0].createOffer())
        await ends[1].setRemoteDescription(ends[0].localDescription)
        await ends[1].setLocalDescription(await ends[1].createAnswer())
        await ends[0].setRemoteDescription(ends[1].localDescription)
        while not ear.frames:
            await asyncio.sleep(0.02)
        found = await _delays(tones[0], ear, trials)
        for end in ends:
            await end.close()
        await asyncio.gather(*listening)
        return found

    async def leave(self) -> None:
        await self._stack.aclose()
        self._pages.clear()


async def _delays(tone: doubles.Tone, ear: Ear, trials: int) -> list[float]:
    found = []
    for _ in range(trials):
        tone.frequency = None
        await asyncio.sleep(1.2)  # until it no longer counts as talking
        tone.frequency = TONE
        found.append(await ear.wait() - tone.began)
    tone.frequency = None
    return found


def main() -> None:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    pages = Pages()

    def answering(work: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        return lambda **details: asyncio.run_coroutine_threadsafe(work(**details), loop).result()

    whats = (pages.join, pages.talk, pages.delays, pages.gaps, pages.direct, pages.leave)
    answer_questions({what.__name__: answering(what) for what in whats})


if __name__ == "__main__":
    main()
