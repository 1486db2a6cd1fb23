"""What is asked from outside gets a short, true answer, whoever asks and however often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from apps.core import realtime
from sparkle.local.embedded import free_port


@pytest.fixture
def lost_database() -> Iterator[None]:
    """The database's port, where nobody answers now."""
    place = connection.settings_dict
    port, place["PORT"] = place["PORT"], free_port()
    connection.close()
    yield
    place["PORT"] = port


@pytest.fixture
def lost_redis(settings: LazySettings) -> Iterator[None]:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    realtime._client.cache_clear()
    yield
    realtime._client.cache_clear()


@pytest.mark.usefixtures("lost_redis")
def test_a_process_lives_whatever_it_lost(client: Client) -> None:
    # No mark for the database: a query would fail the test.
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.django_db(transaction=True)
def test_it_is_ready_when_database_and_redis_answer(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": True, "redis": True})


@pytest.mark.django_db(transaction=True)
def test_a_lost_database_is_told(client: Client, lost_database: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": False, "redis": True})


@pytest.mark.django_db(transaction=True)
def test_a_lost_redis_is_told(client: Client, lost_redis: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "redis": False})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db(transaction=True)
def test_checks_come_without_tls_and_are_kept_by_nobody(client: Client, settings: LazySettings, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get(path)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    assert client.get("/").status_code == 301
    assert client.post(path).status_code == 405
