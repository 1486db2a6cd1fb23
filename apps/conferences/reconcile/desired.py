"""What a conference shall be: frozen, loaded whole from the database, and never changed by anything here.

All times in this package are seconds since the epoch; `volume_in` is -4..4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid5

from apps.switch.commands import Room

Role = Literal["owner", "manager", "chair", "member", "participant"]
Phase = Literal["gathering", "running", "ended"]
FloorMode = Literal["free", "moderated", "roll_call"]

LEADERS: frozenset[Role] = frozenset({"owner", "manager", "chair"})
"""Roles of chair and above: they carry the moderator flag, and no floor rule mutes them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a gateway or a node takes: new calls per second (0 < rate) and concurrent calls."""

    calls_per_second: float
    max_calls: int


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a number. `dial_string` is complete; `encryption` is None for endpoints without media of their own;
    `caller_name` is None where the conference's title is shown.
    """

    gateway: UUID
    dial_string: str
    limits: Limits
    caller_number: str = ""
    encryption: str | None = None
    caller_name: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One number of a person with its routes, the preferred one first."""

    kind: Literal["extension", "mobile", "landline"]
    number: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class DesiredParticipant:
    """One person. `round` grows with each invitation and re-dial: attempts of earlier rounds no longer count."""

    id: UUID
    name: str
    role: Role
    numbers: tuple[Target, ...]
    present: bool = True
    round: int = 1
    muted: bool = False
    forbidden: bool = False
    granted: bool = False
    deaf: bool = False
    held: bool = False
    volume_in: int = 0
    whisper: UUID | None = None
    admitted: bool = True


@dataclass(frozen=True, slots=True)
class DesiredWhisper:
    """A side room; those in it name it in `DesiredParticipant.whisper`. Once closed it stays here with `open=False`."""

    id: UUID
    room: Room
    soft_main: bool = True
    open: bool = True


@dataclass(frozen=True, slots=True)
class DesiredAnnouncement:
    """A sound file to be played once to the main room, or to one participant; taken away when it was played or given
    up. `asked_at` is when somebody wished it.
    """

    id: UUID
    path: str
    asked_at: float
    participant: UUID | None = None


@dataclass(frozen=True, slots=True)
class DesiredRecording:
    """Since when the conference shall be recorded; `spool` is the folder on the node into which the switch writes, and
    `prompt` the sound file that says so to who comes later.
    """

    since: float
    spool: str
    prompt: str


@dataclass(frozen=True, slots=True)
class DesiredAgain:
    """What one participant asked to hear again: `path` is None until the file is laid out, and stays so where that
    `failed`. Taken away as soon as it was decided what they hear.
    """

    key: UUID
    participant: UUID
    asked_at: float
    path: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class DesiredConference:
    """`recording` is None while it shall not be recorded. `language` is the one of prompts.

    `gathering` lasts until the chair is in, and with `quorum` that many percent of those who shall be present.

    In `lobby` those wait who are not admitted; without one, everybody is.
    """

    id: UUID
    title: str
    room: Room
    phase: Phase
    participants: dict[UUID, DesiredParticipant]
    locked: bool = False
    floor_mode: FloorMode = "free"
    called: UUID | None = None
    quorum: int | None = None
    whispers: dict[UUID, DesiredWhisper] = field(default_factory=dict)
    announcements: tuple[DesiredAnnouncement, ...] = ()
    lobby: Room | None = None
    recording: DesiredRecording | None = None
    again: tuple[DesiredAgain, ...] = ()
    language: str = "en"

    @property
    def rooms(self) -> list[Room]:
        """All rooms of this conference, the main one first."""
        lobby = [self.lobby] if self.lobby is not None else []
        return [self.room, *lobby, *(whisper.room for whisper in self.whispers.values())]


def attempt_leg(participant: UUID, attempt_round: int, ordinal: int) -> UUID:
    """The leg of one attempt: two processes that plan the same step name the same leg."""
    return uuid5(participant, f"{attempt_round}.{ordinal}")


def send_job(leg: UUID, send: int) -> UUID:
    """The Job-UUID of the `send`-th originate (from 1) of a leg: tells which of several was refused."""
    return UUID(int=leg.int ^ send)


def feed_leg(whisper: UUID, generation: int) -> UUID:
    """The whisper side of a listen-only feed; a feed that was lost is followed by the next generation."""
    return uuid5(whisper, f"feed.{generation}")
