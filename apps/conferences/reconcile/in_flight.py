"""Commands under way: remembered for a moment, so that they are not sent again before their effect can have shown."""

from __future__ import annotations

from uuid import UUID

from apps.switch.commands import (
    Command,
    Deaf,
    HangupRoom,
    Hold,
    Kill,
    Lock,
    Move,
    Mute,
    SetVolume,
    Undeaf,
    Unhold,
    Unlock,
    Unmute,
)

COMMAND_TIMEOUT = 2.0
"""Seconds after which a command whose effect was not seen is repeated."""

Aspect = tuple[str, UUID | str]
"""What a command changes: ("mute", leg), ("room", leg), ("lock", room name) …"""


class InFlight:
    """At most one command for each aspect of a leg or room: the last one sent."""

    def __init__(self) -> None:
        self._sent: dict[UUID | str, dict[str, tuple[object, float]]] = {}

    def note(self, command: Command, now: float) -> None:
        for (what, subject), want in _aspects(command):
            self._sent.setdefault(subject, {})[what] = (want, now)

    def concerns(self, subject: UUID | str) -> bool:
        """Whether anything is under way to this leg or room."""
        return bool(self._sent) and subject in self._sent

    def pending(self, aspect: Aspect, want: object, now: float) -> bool:
        """Whether a command to this end left a moment ago and its effect may still come."""
        what, subject = aspect
        entry = self._sent.get(subject, {}).get(what)
        return entry is not None and entry[0] == want and now - entry[1] < COMMAND_TIMEOUT

    def shown(self, aspect: Aspect, state: object) -> None:
        """The effect of a command was seen, or it came to nothing: it is no longer under way."""
        what, subject = aspect
        sent = self._sent.get(subject, {})
        if what in sent and sent[what][0] == state:
            del sent[what]
            if not sent:
                del self._sent[subject]

    def drop_leg(self, leg: UUID) -> None:
        self._sent.pop(leg, None)

    def clear(self) -> None:
        self._sent.clear()


def _aspects(command: Command) -> list[tuple[Aspect, object]]:
    match command:
        case Mute(leg=leg):
            return [(("mute", leg), True)]
        case Unmute(leg=leg):
            return [(("mute", leg), False)]
        case Deaf(leg=leg):
            return [(("deaf", leg), True)]
        case Undeaf(leg=leg):
            return [(("deaf", leg), False)]
        case Hold(leg=leg):
            return [(("hold", leg), True)]
        case Unhold(leg=leg):
            return [(("hold", leg), False)]
        case SetVolume(leg=leg, level=level):
            return [(("volume", leg), level)]
        case Kill(leg=leg):
            return [(("kill", leg), True)]
        case Move(target=target, legs=legs):
            return [(("room", leg), target.name) for leg in legs]
        case Lock(room=room):
            return [(("lock", room.name), True)]
        case Unlock(room=room):
            return [(("lock", room.name), False)]
        case HangupRoom(room=room):
            return [(("hangup", room.name), True)]
        case _:
            return []
