"""What people asked to hear again, as part of decide().

Each is decided once, and the row says so before anything is sent: somebody who hears nothing asks again, while words
that come twice would be taken for new ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from apps.conferences.reconcile.desired import DesiredConference
from apps.conferences.reconcile.observed import Observed
from apps.switch.commands import Command, Play, Room, StopPlay

PATIENCE = 3.0
"""Seconds after which somebody is told that it does not come."""

FORGOTTEN = 8.0
"""Seconds after which nobody waits for an answer any more. The file is there longer (recordings/sealing/again.py)."""


@dataclass(frozen=True, slots=True)
class Again:
    """`key` is decided; whoever has written that, and nobody else, sends the commands."""

    key: UUID
    commands: tuple[Command, ...]


def decide_again(desired: DesiredConference, observed: Observed, now: float) -> Iterator[Again]:
    """It is said in place of what is being said to them. Between two rooms they wait until they are in one."""
    for asked in desired.again:
        waited = now - asked.asked_at
        late = asked.failed or waited >= PATIENCE
        path = asked.path or (f"{desired.language}/say-again-failed.wav" if late else None)
        if waited >= FORGOTTEN:
            yield Again(asked.key, ())
        elif path is not None and (place := _place(desired, observed, asked.participant)):
            room, leg = place
            yield Again(asked.key, (StopPlay(room, leg), Play(room, path, leg)))


def _place(desired: DesiredConference, observed: Observed, participant: UUID) -> tuple[Room, UUID] | None:
    """Where they are, and on which leg."""
    rooms = {room.name: room for room in desired.rooms if room != desired.lobby}
    known = observed.people.get(participant)
    for leg in known.live if known is not None else ():
        if leg.room in rooms:
            return rooms[leg.room], leg.leg
    return None
