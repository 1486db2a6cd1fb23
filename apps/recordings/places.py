"""Where the bytes of a track are: in the clear while they are spoken, in memory only, and sealed."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings

CLEAR = ".raw"
"""Suffix of what FreeSWITCH writes: samples and nothing else (mod_sndfile)."""


def clear_file(track: UUID) -> Path:
    """What the switch writes, below the spool of its node. Raw samples: signed, 16 bits, little-endian."""
    return Path(settings.SPARKLE_SPOOL_DIR) / f"{track.hex}{CLEAR}"


def sealed_file(conference: UUID, track: UUID) -> Path:
    """The sealed file (docs/sealed-format.md), a folder for each conference."""
    return Path(settings.SPARKLE_RECORDINGS_DIR) / conference.hex / f"{track.hex}.sealed"


def peaks_file(conference: UUID, track: UUID) -> Path:
    """How loud it is (peaks.py), sealed with the same key."""
    return Path(settings.SPARKLE_RECORDINGS_DIR) / conference.hex / f"{track.hex}.peaks"
