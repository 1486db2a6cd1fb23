"""The Debian packages that the speech is made from (`sparkle/local/bootstrap.py` installs them)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

LIBRIVOX: Final = Path("/usr/share/pocketsphinx/test/data/librivox")
STUDIO: Final = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
SYLLABLES: Final = Path("/usr/share/gcin-voice/ogg")

_PACKAGES: Final = {
    LIBRIVOX: "pocketsphinx-testdata",
    STUDIO: "asterisk-core-sounds-en-wav",
    SYLLABLES: "gcin-voice",
}


def missing() -> list[str]:
    """Names of the packages that are not installed."""
    return [package for directory, package in _PACKAGES.items() if not directory.is_dir()]


def need_speech() -> None:
    """Skip the test that asks where packages are missing; in CI it fails."""
    if not (packages := missing()):
        return
    what = f"no test speech (Debian: apt-get install {' '.join(packages)})"
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
