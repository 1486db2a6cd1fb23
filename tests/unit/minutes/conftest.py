from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.minutes.engines.configured import engine
from sparkle.local.model import FOLDER
from tests.factories import make_conference, make_user
from tests.unit.recordings.conftest import as_user, recordings

__all__ = ["as_user", "recordings"]


@pytest.fixture
def writing(settings: LazySettings, recordings: Path) -> None:
    """The engine that `make run` has."""
    settings.SPARKLE_MINUTES_MODEL = str(FOLDER)


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
