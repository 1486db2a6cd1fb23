"""What the cases are written with: typed commands go out through render(), typed events come in through translate()."""

from __future__ import annotations

import json
import time
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import numpy as np

from apps.switch.commands import Command, HangupRoom, MemberFlag, Originate, Room
from apps.switch.esl.rendering import CLOCK, CORE_UUID, LIST_LEGS, LIST_ROOMS, SUBSCRIBE, render
from apps.switch.esl.translation import parse_snapshot, translate
from apps.switch.events import Event, MemberJoined, RoomEvent, Snapshot
from tests.contract.esl import Client, Reply, Seen
from tests.contract.switches import SwitchProcess
from tests.servers import wait_until

E = TypeVar("E", bound=Event)


def rehearsal(number: str) -> str:
    """The dial string of a scripted person, the same on both switches (freeswitch/conf/dialplan/rehearsal.xml)."""
    return f"loopback/{number}/rehearsal"


class Desk:
    def __init__(self, switch: SwitchProcess) -> None:
        self.switch = switch
        self.client = switch.connect()
        assert self.client.send(SUBSCRIBE).text == "+OK event listener enabled json"
        self.room = self.new_room()

    @staticmethod
    def new_room(profile: str = "sparkle") -> Room:
        return Room(f"{profile[0]}-{uuid4().hex[:12]}", profile)

    def reconnect(self) -> None:
        self.client.close()
        self.client = self.switch.connect()
        self.client.send(SUBSCRIBE)

    def leave(self) -> None:
        self.client.api("hupall NORMAL_CLEARING")
        wait_until(lambda: self.client.api("show channels count").strip() == "0 total.", "every leg is gone")
        wait_until(lambda: json.loads(self.client.api("conference json_list")) == [], "every room is gone")
        self.client.close()

    # Commands.

    def send(self, command: Command) -> list[Reply]:
        """Send a typed command; its replies, one for each line that it takes."""
        return [self.client.send(text) for text in render(command)]

    def command(self, command: Command) -> None:
        """The same, and every reply must be good."""
        for reply in self.send(command):
            assert reply.text.startswith("+OK"), f"{command}: {reply.text}"

    def originate(
        self,
        number: str,
        room: Room | None = None,
        *,
        flags: Iterable[MemberFlag] = (),
        timeout: int = 30,
        dial_string: str | None = None,
        **more: Any,
    ) -> Originate:
        call = Originate(
            leg=more.pop("leg", None) or uuid4(),
            job=uuid4(),
            participant=uuid4(),
            dial_string=dial_string or rehearsal(number),
            room=room or self.room,
            flags=frozenset(flags),
            timeout=timeout,
            **more,
        )
        self.command(call)
        return call

    def call(self, number: str, room: Room | None = None, **more: Any) -> UUID:
        """Call somebody and wait until they are in the room and can be addressed."""
        call = self.originate(number, room, **more)
        self.joined(call.leg, call.room)
        return call.leg

    def joined(self, leg: UUID, room: Room) -> MemberJoined:
        event = self.expect(MemberJoined, lambda joined: joined.leg == leg and joined.room == room.name)
        wait_until(lambda: str(leg) in self.members(room), f"{leg} is listed in {room.name}")
        return event

    # Events.

    def expect(self, kind: type[E], suits: Any = lambda _event: True, seconds: float = 10) -> E:
        """The first event of this type that suits."""

        def matches(seen: Seen) -> bool:
            event = self._translate(seen)
            return isinstance(event, kind) and bool(suits(event))

        found = self._translate(self.client.take(matches, kind.__name__, seconds))
        assert isinstance(found, kind)
        return found

    def seen(self, kind: type[E], seconds: float = 0.3) -> list[E]:
        """All events of this type that have come and come within the time, taken out."""
        self.client.settle(seconds)
        found = [(seen, self._translate(seen)) for seen in self.client.events]
        self.client.events = [seen for seen, event in found if not isinstance(event, kind)]
        return [event for _, event in found if isinstance(event, kind)]

    def seen_in(self, room: Room, kind: type[RoomEvent], seconds: float = 0.3) -> list[RoomEvent]:
        return [event for event in self.seen(kind, seconds) if event.room == room.name]

    @staticmethod
    def _translate(seen: Seen) -> Event | None:
        return translate(seen.body)

    # Lists.

    def clock(self) -> float:
        return int(self.client.send(CLOCK).body) / 1e6

    def snapshot(self) -> Snapshot:
        asked = time.time()
        core = self.client.send(CORE_UUID).body
        rooms = self.client.send(LIST_ROOMS).body.encode()
        legs = self.client.send(LIST_LEGS).body.encode()
        return parse_snapshot(core, rooms, legs, asked, time.time())

    def members(self, room: Room) -> dict[str, dict[str, Any]]:
        """json_list of one room: its callers by UUID; none where there is no such room."""
        rooms = [r for r in json.loads(self.client.api("conference json_list")) if r["conference_name"] == room.name]
        return {m["uuid"]: m for m in rooms[0]["members"] if m["type"] == "caller"} if rooms else {}

    # Sound.

    def record(self, room: Room) -> Path:
        """Start recording a room's mix."""
        path = self.switch.folder / f"{room.name}-{uuid4().hex[:6]}.wav"
        reply = self.client.api(f"conference {room.name} record {path}")
        assert reply == f"+OK Record file {path}\n"
        action(self.client, "start-recording", Path=str(path))
        return path

    def stop_recording(self, room: Room, path: Path) -> dict[int, float]:
        """Stop it; the level of each tone of the test people in it."""
        self.client.api(f"conference {room.name} norecord {path}")
        action(self.client, "stop-recording", Path=str(path))
        return tones(path)

    def listen(self, room: Room, seconds: float = 0.6) -> dict[int, float]:
        """The level of each tone in the room during that time."""
        path = self.record(room)
        self.client.settle(seconds)
        return self.stop_recording(room, path)

    def hang_up(self, room: Room) -> None:
        self.command(HangupRoom(room))


FREQUENCIES = (500, 800, 1100, 1500, 1900, 2300, 2700)
HEARD = 100.0
"""A tone of a test person is at some thousands; what is not there is below one."""


def tones(path: Path, last: float | None = None) -> dict[int, float]:
    """The amplitude of each of FREQUENCIES in a WAV file (its `last` seconds): what the mix carried of whom."""
    samples, rate = read_wav(path)
    return levels(samples if last is None else samples[-int(last * rate) :], rate)


Sound = np.ndarray[Any, np.dtype[np.float64]]


def read_wav(path: Path) -> tuple[Sound, int]:
    """Its samples and their rate."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
        return samples, file.getframerate()


def levels(samples: Sound, rate: int = 16_000) -> dict[int, float]:
    return {hertz: tone_level(samples, rate, hertz) for hertz in FREQUENCIES}


def tone_level(samples: Sound, rate: int, hertz: int) -> float:
    """The amplitude of a tone."""
    assert len(samples) > rate // 5, f"only {len(samples)} samples"
    window = np.hanning(len(samples))
    turns = np.arange(len(samples)) / rate
    return float(2 * abs((samples * window * np.exp(-2j * np.pi * hertz * turns)).sum()) / window.sum())


def action(client: Client, name: str, **headers: str) -> dict[str, Any]:
    """The headers of the next conference event of this Action; underscores in names stand for hyphens."""
    wanted = {"Action": name} | {key.replace("_", "-"): value for key, value in headers.items()}
    return client.take(lambda seen: wanted.items() <= seen.headers.items(), str(wanted)).headers
