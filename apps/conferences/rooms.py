"""What the rooms of a conference are called on the switch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

_OF_OURS = re.compile("([cw])-([0-9a-f]{32})")

MAIN_PROFILE = "sparkle"
WHISPER_PROFILE = "whisper"


def main_room(conference: UUID) -> tuple[str, str]:
    """Name and profile of the main room."""
    return f"c-{conference.hex}", MAIN_PROFILE


def whisper_room(whisper: UUID) -> tuple[str, str]:
    """Name and profile of a whisper's room."""
    return f"w-{whisper.hex}", WHISPER_PROFILE


def room_owners(rooms: Iterable[str]) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """The conferences and the whispers whose rooms these are, each with the room's name; others are left out."""
    owners: dict[str, dict[UUID, str]] = {"c": {}, "w": {}}
    for name in rooms:
        if found := _OF_OURS.fullmatch(name):
            owners[found[1]][UUID(hex=found[2])] = name
    return owners["c"], owners["w"]
