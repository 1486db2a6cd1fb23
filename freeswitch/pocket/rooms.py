"""Rooms: who is in, who has the floor, what is mixed, what is played and recorded (mod_conference.c)."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

import numpy as np

from .audio import FRAME, SILENCE, ClipVoice, Samples, Sums, clip, read_file
from .events import MAINTENANCE, Headers
from .members import Member, Playback
from .recording import RoomRecording

if TYPE_CHECKING:
    from .legs import Leg
    from .switch import Switch

log = logging.getLogger(__name__)

_FOR_EVER: Final = ";loops=-1"
"""What is played again and again in any case need not say it."""

LISTING_SECONDS: Final = 0.005
"""add-member comes before the member can be addressed, as in conference_member.c:961 and 1069."""
SPEAKING_MAX: Final = 300
SPEAKING_MIN: Final = 100
ENDING_SECONDS: Final = 0.9
"""endconf-grace-time 0 in whole seconds of the clock (mod_conference.c:762), as measured."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The part of conference.conf.xml that matters here."""

    name: str
    energy: int
    controls: frozenset[str] = frozenset()
    """The keys of its members that fire an event."""
    rate: int = 16_000
    """What the lists tell and recordings have. The mix itself is always at RATE."""
    music: bool = False
    """Plays the lobby's sound to those in it, again and again (perpetual-sound)."""


_CONF: Final = Path(__file__).resolve().parents[1] / "conf" / "autoload_configs" / "conference.conf.xml"
_CONTROLS: Final = frozenset(
    control.attrib["digits"]
    for control in ElementTree.parse(_CONF).iterfind("caller-controls/group/control")  # noqa: S314 - a file of ours
)
PROFILES: Final = {
    name: Profile(name, 200, _CONTROLS, 48_000 if name.endswith("-48k") else 16_000, music=name == "lobby")
    for name in ("sparkle", "sparkle-48k", "whisper", "whisper-48k", "lobby")
}
"""As in conference.conf.xml."""


def profile_of(name: str) -> Profile:
    """An unknown name is no error; it gives a room with energy level 0."""
    return PROFILES.get(name) or Profile(name, 0)


@dataclass(frozen=True, slots=True)
class RoomAddress:
    """`NAME@PROFILE+PIN+flags{a|b}`, the argument of the conference application (mod_conference.c:1955)."""

    name: str
    profile: str
    flags: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> RoomAddress:
        rest, has_flags, flags = text.partition("+flags{")
        name, _, profile = rest.partition("@")
        names = flags.rstrip("}").split("|") if has_flags else []
        return cls(name.partition("+")[0], profile.partition("+")[0] or "default", frozenset(filter(None, names)))


class Room:
    """One conference of mod_conference. Members are kept newest first, as its list has them."""

    def __init__(self, switch: Switch, name: str, profile: Profile) -> None:
        self.switch = switch
        self.name = name
        self.profile = profile
        self.uuid = str(uuid.uuid4())
        self.started = int(time.time())
        self.members: list[Member] = []
        self.count = 0
        self.ghosts = 0
        self.locked = False
        self.max_members = 0
        self.grace_seconds = 0
        self.floor: Member | None = None
        self.playbacks: deque[Playback] = deque()
        self.recordings: dict[str, RoomRecording] = {}
        self.lively: set[Member] = set()
        self.listeners: set[Member] = set()
        """Members whose hearing somebody or something consumes."""
        self._music: ClipVoice | None = None
        self._mandatory = 0
        self._gone = False
        switch.rooms[name] = self
        self.fire("conference-create")
        if profile.music:
            self._begin_music()

    # Who is in.

    def add(self, leg: Leg, flags: frozenset[str]) -> Member:
        kept = leg.variables.get("conference_member_id")
        number = int(kept) if kept else self.switch.next_member_number()
        member = Member(self, leg, number, flags)
        leg.member = member
        if member.ghost:
            self.ghosts += 1
        else:
            self.count += 1
        self._mandatory += member.mandatory
        leg.variables |= {
            "conference_name": self.name,
            "conference_member_id": str(number),
            "conference_moderator": "true" if member.moderator else "false",
            "conference_ghost": "true" if member.ghost else "false",
            "conference_uuid": self.uuid,
        }
        member.fire("add-member")
        asyncio.get_running_loop().call_later(LISTING_SECONDS, self._list, member)
        return member

    def _list(self, member: Member) -> None:
        if member.leg.member is member:
            self.members.insert(0, member)
            if member.leg.sink is not None:
                self.listeners.add(member)
            self.switch.mixer.wake(self)

    def remove(self, member: Member) -> None:
        member.leg.member = None
        if member in self.members:
            self.members.remove(member)
        self.lively.discard(member)
        self.listeners.discard(member)
        if self.floor is member:
            self.give_floor(None)
        if member.ghost:
            self.ghosts -= 1
        else:
            self.count -= 1
        member.fire("del-member")
        if member.mandatory:
            self._mandatory -= 1
            if not self._mandatory:
                asyncio.get_running_loop().call_later(ENDING_SECONDS + self.grace_seconds, self._end_without_mandatory)
        if member.endconf or self.count + self.ghosts == 0:
            self.destroy()
        else:
            self.switch.mixer.wake(self)

    def _end_without_mandatory(self) -> None:
        if not self._mandatory:
            self.destroy()

    def destroy(self) -> None:
        """Everybody left is hung up."""
        if self._gone:
            return
        self._gone = True
        for leg in [leg for leg in self.switch.legs.values() if leg.member is not None and leg.member.room is self]:
            leg.hangup("NORMAL_CLEARING")
        for path in tuple(self.recordings):
            self.stop_recording(path)
        del self.switch.rooms[self.name]
        self.fire("conference-destroy")

    def find(self, target: str) -> Member | None:
        """A member by id, by `last` or by `variable=value` (conference_member.c:401-470)."""
        if target == "last":
            return max(self.members, key=lambda member: member.number, default=None)
        variable, has_value, value = target.partition("=")
        for member in self.members:
            if has_value:
                if (member.leg.uuid if variable == "uuid" else member.leg.variables.get(variable)) == value:
                    return member
            elif target == str(member.number):
                return member
        return None

    def give_floor(self, member: Member | None) -> None:
        old, self.floor = self.floor, member
        headers: Headers = {"Old-ID": str(old.number) if old in self.members and old is not None else "none"}
        if member is None:
            self.fire("floor-change", {**headers, "New-ID": "none"})
        else:
            member.average = 0
            member.fire("floor-change", {**headers, "New-ID": str(member.number)})

    # Sound.

    def mix(self) -> bool:
        """One frame of the room; False when the next one would be as silent and eventless as this one."""
        if self._gone:
            return False
        said = self._collect()
        self._settle_floor()
        total: Sums = np.zeros(FRAME, np.int32)
        for sound in said.values():
            total += sound
        played = self._play_frame()
        if played is not None:
            total += played
        music = self._music.next() if self._music is not None else None
        if music is not None:
            total += music
            played = music
        everything = clip(total) if said or played is not None else None
        for member in tuple(self.listeners):
            own = said.get(member)
            member.hear(everything if own is None else clip(total - own))
            if not member.playbacks and member.leg.sink is None:
                self.listeners.discard(member)
        if self.recordings:
            for recording in self.recordings.values():
                recording.write(SILENCE if everything is None else everything)
        return bool(
            self.lively
            or self.playbacks
            or self.recordings
            or any(member.playbacks for member in self.listeners)
            or (self._music is not None and self.listeners)
        )

    def _collect(self) -> dict[Member, Samples]:
        """What each talking member adds; a lone member is mixed only into a recording (conference_loop.c:1214)."""
        said: dict[Member, Samples] = {}
        for member in tuple(self.lively):
            frame = member.leg.frame
            sound = member.gate(frame)
            if sound is not None and (self.count > 1 or self.recordings):
                said[member] = sound
            if frame is None and not member.talking and not member.average:
                self.lively.discard(member)
        return said

    def _settle_floor(self) -> None:
        """Whoever is first takes an empty floor; a holder gone quiet loses it to a talker (mod_conference.c:317)."""
        if self.floor is None:
            if self.members:
                self.give_floor(self.members[0])
            return
        if self.lively and self.floor.average < SPEAKING_MIN:
            loudest = max(self.lively, key=lambda member: (member.average, member.number))
            if loudest is not self.floor and loudest.average > SPEAKING_MAX:
                self.give_floor(loudest)

    def _begin_music(self) -> None:
        """What cannot be played is silent; FreeSWITCH tries again every two seconds (mod_conference.c:397)."""
        path = self.switch.lobby_sound
        error: Headers = {}
        try:
            self._music = ClipVoice(read_file(path.removesuffix(_FOR_EVER)), loop=True)
        except OSError as reason:
            log.error("the lobby's sound: %s", reason)
            error = {"Error": "File could not be played"}
        self.fire("play-file", {"File": path, "Async": "true", **error})

    def _play_frame(self) -> Samples | None:
        if not self.playbacks:
            return None
        playback = self.playbacks[0]
        frame = playback.next()
        if playback.done:
            self.playbacks.popleft()
            self.fire("play-file-done", playback.ending())
        return frame

    def play(self, playback: Playback, member: Member | None = None) -> None:
        """Queue a sound for the room or for one member of it."""
        if member is None:
            self.playbacks.append(playback)
        else:
            member.playbacks.append(playback)
            self.listeners.add(member)
        self.switch.mixer.wake(self)

    def record(self, path: str) -> None:
        """Start recording; that the file cannot be opened is told by an event only (conference_record.c:276)."""
        try:
            self.recordings[path] = RoomRecording(self, path)
        except OSError:
            self.fire("start-recording", {"Path": path, "Error": "File could not be opened for recording"})
            measures = {"Samples-Out": "0", "Samplerate": str(self.profile.rate), "Milliseconds-Elapsed": "0"}
            self._fire_stop(path, measures)
            return
        self.fire("start-recording", {"Path": path})
        self.switch.mixer.wake(self)

    def stop_recording(self, path: str) -> None:
        self._fire_stop(path, self.recordings.pop(path).close())

    def _fire_stop(self, path: str, measures: Headers) -> None:
        others = {"Other-Recordings": "true" if self.recordings else "false"}
        self.fire("stop-recording", {"Path": path, **others, **measures})

    # Events.

    def fire(self, action: str, extra: Headers | None = None) -> None:
        self.switch.bus.fire("CUSTOM", {**self.headers(), "Action": action, **(extra or {})}, subclass=MAINTENANCE)

    def headers(self) -> Headers:
        """conference_event_add_data."""
        return {
            "Conference-Name": self.name,
            "Conference-Domain": "127.0.0.1",
            "Conference-Size": str(self.count),
            "Conference-Ghosts": str(self.ghosts),
            "Conference-Profile-Name": self.profile.name,
            "Conference-Unique-ID": self.uuid,
        }
