"""Members of a room: what they may, and when they count as talking (conference_member.c, conference_loop.c)."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from .audio import FRAME, RATE, ClipVoice, Samples, amplify, clip
from .events import MAINTENANCE, Headers

if TYPE_CHECKING:
    from .legs import Leg
    from .rooms import Room

HANGOVER: Final = 40
"""Frames below the gate after which a talker has stopped."""
HANGUNDER: Final = 5
"""Frames above the gate after which a quiet member talks; one is enough when it is LOUD above it."""
LOUD: Final = 400
DECAY: Final = 0.8
KEY_SECONDS: Final = 2.0
"""How long a half-entered key sequence is remembered (ivr-dtmf-timeout of freeswitch/conf/rooms/room.xml)."""


class Playback:
    """A sound file on its way into a room or to one member."""

    def __init__(self, path: str, samples: Samples, *, mux: bool = True) -> None:
        self.path = path
        self.mux = mux
        self._voice = ClipVoice(samples)

    def next(self) -> Samples | None:
        return self._voice.next()

    @property
    def done(self) -> bool:
        return self._voice.done

    def ending(self) -> Headers:
        """What a play-file(-member)-done event says of it."""
        milliseconds = self._voice.played * 1000 // RATE
        return {
            "seconds": str(milliseconds // 1000),
            "milliseconds": str(milliseconds),
            "samples": str(self._voice.played),
            "File": self.path,
        }


class Member:
    """A leg in a room. `flags` are mod_conference's member flags (conference_utils.c:114)."""

    def __init__(self, room: Room, leg: Leg, number: int, flags: frozenset[str]) -> None:
        self.room = room
        self.leg = leg
        self.number = number
        self.moderator = "moderator" in flags
        self.ghost = "ghost" in flags
        self.endconf = "endconf" in flags
        self.mandatory = "mandatory_member_endconf" in flags
        self.can_speak = "mute" not in flags
        self.can_hear = "deaf" not in flags
        self.hold = False
        self.talking = False
        self.volume_in = _level(leg.variables.get("conference_join_volume_in"), -4, 4, 0)
        self.volume_out = _level(leg.variables.get("conference_join_volume_out"), -4, 4, 0)
        self.energy = _level(leg.variables.get("conference_join_energy_level"), -1, 1800, room.profile.energy)
        self.joined = int(time.time())
        self.last_talked = 0
        self.score = 0
        self.average = 0
        self.playbacks: deque[Playback] = deque()
        self._hangover = self._hangunder = self._talked_frames = 0
        self._keys = ""
        self._key_timer: asyncio.TimerHandle | None = None

    # What it says.

    def gate(self, frame: Samples | None) -> Samples | None:
        """Measure one frame; what of it enters the mix. Fires start- and stop-talking (conference_loop.c:950-1200)."""
        if not self.can_speak or self.hold:
            return None
        sound = None if frame is None else amplify(frame, self.volume_in)
        self.score = 0 if sound is None else int(np.abs(sound.astype(np.int32)).mean())
        self.average = min(int((1 - DECAY) * self.score + DECAY * self.average), 25_000)
        if self.talking:
            self._talked_frames += 1
        if self.score > self.energy:
            self._above()
        else:
            self._below()
        return sound if self.talking or self.energy == 0 else None

    def _above(self) -> None:
        self._hangover = max(self._hangover - 1, 0)
        self._hangunder += 1
        if self.score - self.energy < LOUD and self._hangunder < HANGUNDER:
            return
        self._hangover = self._hangunder = 0
        self.last_talked = int(time.time())
        if not self.talking:
            self.talking = True
            self._talked_frames = 0
            self.fire("start-talking")

    def _below(self) -> None:
        self._hangunder = max(self._hangunder - 1, 0)
        if not self.talking:
            return
        self._hangover += 1
        if self._hangover >= HANGOVER:
            self.quiet()
            self.fire("stop-talking", {"talking-duration-ms": str(self._talked_frames * FRAME * 1000 // RATE)})

    def quiet(self) -> None:
        """Not talking any more, without an event: so mute and hold have it (conference_api.c:323, 411)."""
        self.talking = False
        self.average = 0
        self._hangover = self._hangunder = 0

    # What it hears.

    def hear(self, mix: Samples | None) -> None:
        """Pass on what the room sends it, and what is played to it alone."""
        frame = amplify(mix, self.volume_out) if mix is not None and self.can_hear and not self.hold else None
        if self.playbacks:
            playback = self.playbacks[0]
            private = playback.next()
            if playback.done:
                self.playbacks.popleft()
                self.fire("play-file-member-done", playback.ending())
            if private is not None:
                private = amplify(private, self.volume_out)
                frame = private if frame is None or not playback.mux else clip(frame.astype(np.int32) + private)
        if self.leg.sink is not None:
            self.leg.sink(frame)

    # Keys.

    def press(self, key: str) -> None:
        """A key pressed on the phone: fires what the profile's caller controls bind to it (conference_loop.c:616)."""
        controls = self.room.profile.controls
        self._keys += key
        if self._key_timer is not None:
            self._key_timer.cancel()
        if self._keys in controls:
            self.fire("dtmf", {"DTMF-Key": self._keys, "Data": ""})
        elif any(digits.startswith(self._keys) for digits in controls):
            self._key_timer = asyncio.get_running_loop().call_later(KEY_SECONDS, self._forget_keys)
            return
        self._forget_keys()

    def _forget_keys(self) -> None:
        self._keys = ""

    # Events.

    def fire(self, action: str, extra: Headers | None = None) -> None:
        bus = self.room.switch.bus
        headers = self.headers() if bus.listeners else {}
        bus.fire("CUSTOM", {**headers, **(extra or {}), "Action": action}, subclass=MAINTENANCE)

    def headers(self) -> Headers:
        """conference_member_add_event_data."""
        return {
            **self.room.headers(),
            "Floor": _flag(self.room.floor is self),
            **self.leg.headers(),
            "Video": "false",
            "Hear": _flag(self.can_hear),
            "See": "true",
            "Speak": _flag(self.can_speak),
            "Talking": _flag(self.talking),
            "Mute-Detect": "false",
            "Hold": _flag(self.hold),
            "Member-ID": str(self.number),
            "Member-Type": "moderator" if self.moderator else "member",
            "Member-Ghost": _flag(self.ghost),
            "Energy-Level": str(self.energy),
            "Current-Energy": str(self.score),
        }


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _level(text: str | None, lowest: int, highest: int, default: int) -> int:
    """A number of a channel variable, if it is one and in its range (conference_member.c:790-815)."""
    try:
        value = int(text or "")
    except ValueError:
        return default
    return value if lowest <= value <= highest else default
