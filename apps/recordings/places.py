"""Where the bytes of a track are: in the clear while they are spoken, in memory only, and sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings

CLEAR: Final = ".raw"
"""Suffix of what FreeSWITCH writes: samples and nothing else (mod_sndfile)."""
SEALED: Final = ".sealed"
"""Suffix of the sealed file (docs/sealed-format.md)."""
PEAKS: Final = ".peaks"
"""Suffix of how loud it is (peaks.py), sealed with the same key."""
AGAIN: Final = "again"
"""Folder of what FreeSWITCH plays. The switchboard knows these names too."""


def clear_file(track: UUID) -> Path:
    """What the switch writes, below the spool of its node. Raw samples: signed, 16 bits, little-endian."""
    return Path(settings.SPARKLE_SPOOL_DIR) / f"{track.hex}{CLEAR}"


def name_of(conference: UUID, track: UUID, suffix: str) -> str:
    """Of a sealed file, in whichever store it is: a folder for each conference."""
    return f"{conference.hex}/{track.hex}{suffix}"


def track_in(name: str) -> UUID | None:
    """Whose file it is, as far as the name tells."""
    try:
        return UUID(hex=name.rpartition("/")[2].partition(".")[0])
    except ValueError:
        return None


def again_file(key: UUID) -> Path:
    """What somebody asked to hear again (SayAgain), as WAV, for seconds and beside what is recorded."""
    return Path(settings.SPARKLE_SPOOL_DIR) / AGAIN / f"{key.hex}.wav"


def sealed_file(conference: UUID, track: UUID) -> Path:
    """Where the sealer of its node writes it."""
    return Path(settings.SPARKLE_RECORDINGS_DIR) / name_of(conference, track, SEALED)


def peaks_file(conference: UUID, track: UUID) -> Path:
    """Beside it, until both are moved."""
    return Path(settings.SPARKLE_RECORDINGS_DIR) / name_of(conference, track, PEAKS)
