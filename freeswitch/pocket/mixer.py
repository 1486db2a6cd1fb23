"""The clock of all sound: every 20 ms while somebody speaks, plays or records, and not at all otherwise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from .audio import FRAME_SECONDS

if TYPE_CHECKING:
    from .legs import Leg
    from .recording import TrackRecording
    from .rooms import Room

_LATEST: Final = 1.0
"""Seconds behind the clock beyond which lost time is skipped, not caught up."""


class Mixer:
    def __init__(self) -> None:
        self._speaking: set[Leg] = set()
        self._rooms: set[Room] = set()
        self.tracks: set[TrackRecording] = set()
        self._awake = asyncio.Event()
        self.ticks = 0
        """How often the clock has struck."""

    def speak(self, leg: Leg) -> None:
        """`leg` has a voice from now on."""
        self._speaking.add(leg)
        self._awake.set()

    def wake(self, room: Room | None = None) -> None:
        """There is something to mix in `room`, or to write."""
        if room is not None:
            self._rooms.add(room)
        self._awake.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._awake.wait()
            due = loop.time()
            while self._speaking or self._rooms or self.tracks:
                self._tick()
                due += FRAME_SECONDS
                delay = due - loop.time()
                if delay < -_LATEST:
                    due = loop.time()
                await asyncio.sleep(max(delay, 0.0))
            self._awake.clear()

    def _tick(self) -> None:
        self.ticks += 1
        spoke = []
        for leg in tuple(self._speaking):
            voice = leg.voice
            leg.frame = voice.next() if voice is not None else None
            if voice is None or voice.done:
                leg.voice = None
                self._speaking.discard(leg)
            if leg.frame is None:
                continue
            spoke.append(leg)
            if leg.member is not None:
                leg.member.room.lively.add(leg.member)
                self._rooms.add(leg.member.room)
        for track in tuple(self.tracks):
            track.write(track.leg.frame)
        for room in tuple(self._rooms):
            if not room.mix():
                self._rooms.discard(room)
        for leg in self._speaking:
            if leg.member is None and leg.sink is not None:
                leg.sink(None if leg.prompt is None else leg.prompt.next())
        for leg in spoke:
            leg.frame = None
