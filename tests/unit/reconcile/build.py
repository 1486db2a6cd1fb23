"""Small conferences for the tests of reconcile."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from apps.conferences.reconcile.desired import (
    DesiredConference,
    DesiredParticipant,
    DesiredWhisper,
    Limits,
    Role,
    Route,
    Target,
)
from apps.switch.commands import Room

SPACE = UUID(int=1)
FAST = uuid5(SPACE, "gateway fast")
OTHER = uuid5(SPACE, "gateway other")
MAIN = Room("c-000000000001", "sparkle")
LOBBY = Room("l-000000000001", "lobby")
PLENTY = Limits(1000.0, 1000)


def target(number: str, *gateways: UUID, limits: Limits = PLENTY) -> Target:
    gateways = gateways or (FAST,)
    return Target("mobile", number, tuple(Route(gateway, f"{gateway}/{number}", limits) for gateway in gateways))


def dial_string(number: str, gateway: UUID = FAST) -> str:
    return f"{gateway}/{number}"


def person(name: str, role: Role = "member", *numbers: Target, **facts: Any) -> DesiredParticipant:
    return DesiredParticipant(uuid5(SPACE, name), name, role, numbers or (target(name),), **facts)


def whisper(name: str, **facts: Any) -> DesiredWhisper:
    identity = uuid5(SPACE, name)
    return DesiredWhisper(identity, Room(f"w-{identity.hex[:12]}", "whisper"), **facts)


def conference(*people: DesiredParticipant, **facts: Any) -> DesiredConference:
    whispers = {each.id: each for each in facts.pop("whispers", ())}
    values: dict[str, Any] = {"phase": "running", "title": "Weekly", **facts}
    return DesiredConference(
        id=uuid5(SPACE, "conference"),
        room=MAIN,
        participants={each.id: each for each in people},
        whispers=whispers,
        **values,
    )
