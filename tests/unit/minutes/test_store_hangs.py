"""Nobody waits for a store that does not answer but whoever asks it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.awsrequest import AWSPreparedRequest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from apps.conferences.models import Conference
from apps.core import audit
from apps.minutes.models import Transcript
from apps.minutes.transcribing.work import Scribe
from apps.recordings.erasing import erase_voice
from apps.recordings.models import Track
from apps.recordings.moving import move

from ..recordings.bucket import Service, s3
from .hanging import Hanging, hanging
from .meeting import Words, dialogue, end, recorded, sound

__all__ = ["s3"]

MANY = [Words(0.5 + 3 * number, "Good morning.") for number in range(3)]


@pytest.fixture
def store(settings: LazySettings) -> Iterator[Hanging]:
    with hanging(settings) as store:
        yield store


def transactions() -> list[str]:
    """Of others."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        return [query for (query,) in cursor.fetchall()]


@pytest.mark.usefixtures("writing")
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_waits_keeps_nobody_waiting(conference: Conference, store: Hanging) -> None:
    track = recorded(conference, "Anna", sound(MANY, 10))
    Track.objects.update(storage=Track.Storage.S3)
    end(conference)

    def work() -> bool:
        try:
            return Scribe().round()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        assert store.asked.wait(20)
        try:
            assert transactions() == []
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            assert track.participant_id is not None
            erase_voice(by=audit.SYSTEM, conference_id=conference.pk, participant_id=track.participant_id)
        finally:
            store.give_up()
        assert worker.result()
    assert not Transcript.objects.exists()
    assert dialogue(conference) == []


@pytest.mark.usefixtures("writing")
@pytest.mark.django_db
def test_what_is_read_for_long_is_begun_by_nobody_else(conference: Conference, s3: Service) -> None:
    track = recorded(conference, "Anna", sound(MANY, 10))
    assert move(track, "s3")
    end(conference)
    held = []

    def time_is_over(request: AWSPreparedRequest, **_: object) -> None:
        now = timezone.now()
        held.append(not Transcript.objects.filter(not_before__lt=now).exists())
        Transcript.objects.update(not_before=now - timedelta(seconds=1))

    s3._client.meta.events.register("before-send.s3.GetObject", time_is_over)
    assert Scribe().round()
    assert held.count(True) == 3, "it says so again before each of the three"
    assert {each.state for each in Transcript.objects.all()} == {Transcript.State.HEARD}
