"""What the rooms of a conference are called on the switch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

_OF_OURS = re.compile("([clw])-([0-9a-f]{32})")

MAIN_PROFILE = "sparkle"
WHISPER_PROFILE = "whisper"
LOBBY_PROFILE = "lobby"


def main_room(conference: UUID) -> tuple[str, str]:
    """Name and profile of the main room."""
    return f"c-{conference.hex}", MAIN_PROFILE


def lobby_room(conference: UUID) -> tuple[str, str]:
    """Name and profile of the room in which people wait to be let in."""
    return f"l-{conference.hex}", LOBBY_PROFILE


def whisper_room(whisper: UUID) -> tuple[str, str]:
    """Name and profile of a whisper's room."""
    return f"w-{whisper.hex}", WHISPER_PROFILE


def room_owners(rooms: Iterable[str]) -> tuple[dict[UUID, set[str]], dict[UUID, set[str]]]:
    """The conferences and the whispers whose rooms these are, each with the names of those rooms; others are left
    out.
    """
    conferences: dict[UUID, set[str]] = {}
    whispers: dict[UUID, set[str]] = {}
    for name in rooms:
        if found := _OF_OURS.fullmatch(name):
            owners = whispers if found[1] == "w" else conferences
            owners.setdefault(UUID(hex=found[2]), set()).add(name)
    return conferences, whispers
