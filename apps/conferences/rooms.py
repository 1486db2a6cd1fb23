"""What the rooms of a conference are called on the switch."""

from __future__ import annotations

from uuid import UUID

MAIN_PROFILE = "sparkle"
WHISPER_PROFILE = "whisper"


def main_room(conference: UUID) -> tuple[str, str]:
    """Name and profile of the main room."""
    return f"c-{conference.hex}", MAIN_PROFILE


def whisper_room(whisper: UUID) -> tuple[str, str]:
    """Name and profile of a whisper's room."""
    return f"w-{whisper.hex}", WHISPER_PROFILE
