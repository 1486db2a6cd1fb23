from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.minutes.engines.configured import engine
from apps.minutes.engines.protocol import Engine
from sparkle.local.model import FOLDER
from tests.factories import make_conference, make_user
from tests.unit.recordings.conftest import as_user, recordings

__all__ = ["as_user", "recordings"]


@pytest.fixture(scope="session")
def model() -> Path:
    """whisper-base, as `make run` and `make test` install it."""
    if not FOLDER.is_dir() and os.environ.get("CI") != "true":
        pytest.skip(f"there is no speech model in {FOLDER}: run python -m sparkle.local.model")
    return FOLDER


@pytest.fixture(scope="session")
def real(model: Path) -> Engine:
    """faster-whisper with that model."""
    from apps.minutes.engines.faster_whisper import FasterWhisper

    return FasterWhisper(str(model))


@pytest.fixture
def writing(settings: LazySettings, recordings: Path, model: Path) -> None:
    """Minutes are written with it."""
    settings.SPARKLE_MINUTES_MODEL = str(model)


@pytest.fixture
def no_engine(settings: LazySettings, recordings: Path) -> Iterator[None]:
    settings.SPARKLE_MINUTES_MODEL = ""
    engine.cache_clear()
    yield
    engine.cache_clear()


@pytest.fixture
def owner() -> User:
    return make_user("alice")


@pytest.fixture
def conference(owner: User) -> Conference:
    return make_conference(owner, minutes_policy="automatic", title="Budget review")
