"""A pocket switch inside the test: its commands, its clock and its events, without the socket."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

import freeswitch.pocket
from apps.switch.prompts import prepare_prompts
from freeswitch.pocket.commands import execute
from freeswitch.pocket.events import Event, Headers
from freeswitch.pocket.legs import Leg
from freeswitch.pocket.people import People
from freeswitch.pocket.sentences import Sentences
from freeswitch.pocket.switch import Switch

TABLE = Path(freeswitch.pocket.__file__).with_name("people.toml")


@cache
def data() -> Path:
    """What is said is made once a run; the directory goes when Python does."""
    directory = TemporaryDirectory(prefix="sparkle-sentences-")
    atexit.register(directory.cleanup)
    return Path(directory.name)


@cache
def sentences() -> Sentences:
    return Sentences(data() / "sentences")


@cache
def prompts() -> Path:
    prepare_prompts(data() / "sounds")
    return data() / "sounds"


class Running:
    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.events: list[Headers] = []
        switch.bus.listeners.add(self._listen)

    def _listen(self, event: Event) -> None:
        self.events.append(msgspec.json.decode(event.encoded("json").partition(b"\n\n")[2], type=Headers))

    async def api(self, line: str) -> str:
        return await execute(self.switch, line)

    async def join(self, dial_string: str, room: str = "R@sparkle", **variables: str) -> Leg:
        """Call somebody into a room; the leg, once its member is listed."""
        joined = ",".join(f"{name}={value}" for name, value in variables.items())
        reply = await self.api(f"originate {{{joined}}}{dial_string} &conference({room})")
        assert reply.startswith("+OK "), reply
        leg = self.switch.legs[reply.split()[1]]
        await self.until(lambda: leg.member is not None and leg.member in leg.member.room.members, "it is in the room")
        return leg

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"waited in vain: {what}") from None

    def named(self, name: str) -> list[Headers]:
        """The events of this name, or of this Action."""
        return [event for event in self.events if name in (event["Event-Name"], event.get("Action"))]


@asynccontextmanager
async def running(people: Path = TABLE) -> AsyncIterator[Running]:
    switch = Switch(People(people, sentences()), prompts())
    clock = asyncio.create_task(switch.mixer.run())
    try:
        yield Running(switch)
    finally:
        switch.shut_down()
        clock.cancel()
        with suppress(asyncio.CancelledError):
            await clock
