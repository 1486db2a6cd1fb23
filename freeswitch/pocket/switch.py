"""The switch itself: everything that one process start owns, which a restart loses."""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .events import EventBus
from .legs import Leg
from .mixer import Mixer
from .people import People
from .rooms import Room, RoomAddress, profile_of

if TYPE_CHECKING:
    from .sip.profile import SofiaProfile

VERSION = "1.10.12-pocket~64bit"


@dataclass(slots=True)
class LegCount:
    """What HEARTBEAT and `status` count."""

    since_startup: int = 0
    this_second: int = 0
    last_second: int = 0
    peak: int = 0

    def created(self) -> None:
        self.since_startup += 1
        self.this_second += 1

    def tick(self) -> None:
        self.last_second, self.this_second = self.this_second, 0
        self.peak = max(self.peak, self.last_second)


class Switch:
    def __init__(self, people: People, sounds: Path) -> None:
        self.bus = EventBus()
        self.people = people
        self.sounds = sounds
        """Where a sound is that is named without its whole path."""
        self.mixer = Mixer()
        self.legs: dict[str, Leg] = {}
        self.rooms: dict[str, Room] = {}
        self.leg_count = LegCount()
        self.max_sessions = 2000
        self.sessions_per_second = 1000
        self.paused: set[str] = set()
        self.started = time.time()
        self.profile: SofiaProfile | None = None
        """`internal`, where browsers may come."""
        self._member_numbers = itertools.count(1)

    @staticmethod
    def clock() -> int:
        """Whole seconds since the epoch (switch_epoch_time_now)."""
        return int(time.time())

    @property
    def uptime(self) -> float:
        """Seconds."""
        return time.time() - self.started

    def sound_path(self, name: str) -> str:
        """Of a file that is named without its whole path (switch_is_file_path)."""
        return name if name.startswith("/") or "://" in name else f"{self.sounds}/{name}"

    def next_member_number(self) -> int:
        return next(self._member_numbers)

    def join(self, leg: Leg, address: str) -> bool:
        """Run `conference(address)` on an answered leg; False where it is not let in, without any event of the room.

        A room that is full lets nobody in, a locked one nobody who calls, unless conference_enforce_security says
        otherwise (mod_conference.c:2094, 2340).
        """
        wanted = RoomAddress.parse(address)
        leg.execute("conference", address)
        room = self.rooms.get(wanted.name) or Room(self, wanted.name, profile_of(wanted.profile))
        enforced = leg.variables.get("conference_enforce_security", str(leg.direction == "inbound")).lower() == "true"
        if (room.max_members and room.count >= room.max_members) or (room.locked and enforced):
            return False
        lasting = leg.variables.get("conference_member_flags", "")
        room.add(leg, wanted.flags | frozenset(filter(None, lasting.split("|"))))
        return True

    def join_or_end(self, leg: Leg, address: str) -> None:
        """The same for a leg that has nothing else to do, if it still lives."""
        if leg.cause is None and not self.join(leg, address):
            leg.hangup("NORMAL_CLEARING")

    def move(self, leg: Leg, address: str) -> None:
        """Leave one room for another; mute, deafness and volume stay behind, the member's number goes along."""
        if leg.cause is None and leg.member is not None:
            leg.member.room.remove(leg.member)
            self.join_or_end(leg, address)

    async def heartbeat(self, seconds: float) -> None:
        """Fire HEARTBEAT every `seconds` (switch_core.c:95)."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        while True:
            await asyncio.sleep(min(1.0, max(0.0, due - loop.time())))
            self.leg_count.tick()
            if loop.time() < due:
                continue
            due += seconds
            self.bus.fire(
                "HEARTBEAT",
                {
                    "Event-Info": "System Ready",
                    "Up-Time": spell_duration(self.uptime),
                    "FreeSWITCH-Version": VERSION,
                    "Uptime-msec": str(int(self.uptime * 1000)),
                    "Session-Count": str(len(self.legs)),
                    "Max-Sessions": str(self.max_sessions),
                    "Session-Per-Sec": str(self.sessions_per_second),
                    "Session-Per-Sec-Last": str(self.leg_count.last_second),
                    "Session-Per-Sec-Max": str(self.leg_count.peak),
                    "Session-Since-Startup": str(self.leg_count.since_startup),
                    "Idle-CPU": "100.000000",
                },
            )

    def shut_down(self) -> None:
        """Say goodbye and hang everybody up."""
        self.bus.fire("SHUTDOWN_REQUESTED", {"Event-Info": "System Shutting Down"})
        for leg in list(self.legs.values()):
            leg.hangup("MANAGER_REQUEST")
        self.bus.fire("SHUTDOWN", {"Event-Info": "System Shutting Down"})


def spell_duration(seconds: float) -> str:
    """As `status` and HEARTBEAT write the time since the start."""
    whole = int(seconds)
    parts = (
        (0, "year"),
        (whole // 86400, "day"),
        (whole // 3600 % 24, "hour"),
        (whole // 60 % 60, "minute"),
        (whole % 60, "second"),
        (int(seconds * 1000) % 1000, "millisecond"),
        (int(seconds * 1_000_000) % 1000, "microsecond"),
    )
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts)
