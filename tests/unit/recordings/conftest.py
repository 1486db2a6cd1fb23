from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.recordings.keys import key_provider
from tests.factories import make_conference, make_user


@pytest.fixture
def recordings(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where sealed files are, and a key-encryption key to seal with (tracks.py)."""
    settings.SPARKLE_RECORDINGS_DIR = tmp_path
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS_FILE", raising=False)
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", f"one {base64.b64encode(bytes(range(32))).decode()}")
    key_provider.cache_clear()
    yield tmp_path
    key_provider.cache_clear()


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """A client that is signed in as this user, who reads English."""
    cache.clear()

    def sign_in(user: User) -> APIClient:
        client = APIClient(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def client(as_user: Callable[[User], APIClient], alice: User) -> APIClient:
    client = as_user(alice)
    client.raise_request_exception = False
    return client


@pytest.fixture
def conference(alice: User) -> Conference:
    return make_conference(alice)
