from __future__ import annotations

import os

import pytest

from apps.minutes.engines.protocol import Engine
from sparkle.local.model import FOLDER


@pytest.fixture(scope="session")
def real() -> Engine:
    """faster-whisper with whisper-base, as `make run` and `make test` install it."""
    if not FOLDER.is_dir() and os.environ.get("CI") != "true":
        pytest.skip(f"there is no speech model in {FOLDER}: run python -m sparkle.local.model")
    from apps.minutes.engines.faster_whisper import FasterWhisper

    return FasterWhisper(str(FOLDER))
