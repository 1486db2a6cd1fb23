"""Nobody waits for a store that does not answer but whoever asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.core import audit
from apps.core.models import AuditEntry
from apps.minutes.models import SignedVersion, Transcript
from apps.minutes.transcribing.work import Scribe
from apps.recordings.erasing import erase_voice
from apps.recordings.models import Track
from apps.recordings.moving import move
from tests.factories import make_scene
from tests.unit.recordings.bucket import Service, s3

from .hanging import Hanging, hanging
from .meeting import Words, dialogue, end, recorded, sound
from .records import address, ask, heard, minutes_of, passage_of

__all__ = ["s3"]

SignIn = Callable[[User], APIClient]
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


@pytest.mark.usefixtures("recordings")
@pytest.mark.django_db(transaction=True)
def test_who_signs_keeps_nobody_waiting(as_user: SignIn, store: Hanging) -> None:
    """Not even with a key, as pages send one with each POST."""
    scene = make_scene(minutes_policy="automatic", phase="ended")
    passage = heard(scene, "We agree.")
    heard(scene, "So do I.", role="member", start=2000)
    Track.objects.update(storage=Track.Storage.S3)
    chair, owner = (as_user(scene.users[role]) for role in ("chair", "owner"))
    seq = minutes_of(scene).seq

    def sign() -> tuple[int, str]:
        try:
            answer = chair.post(
                address(scene, "sign/"), {"seq": seq}, format="json", headers={"Idempotency-Key": "one"}
            )
            return answer.status_code, answer.json()["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        signing = pool.submit(sign)
        assert store.asked.wait(20)
        try:
            assert transactions() == []
            assert ask(owner, "patch", passage_of(passage), {"version": 1, "text": "We do not."})[0] == 200
        finally:
            store.give_up()
        assert signing.result() == (409, "evidence_missing")


@pytest.mark.usefixtures("recordings")
@pytest.mark.django_db
def test_who_signs_waits_for_a_store_once(as_user: SignIn, s3: Service) -> None:
    scene = make_scene(minutes_policy="automatic", phase="ended")
    tracks = [heard(scene, "We agree.", role=role).track for role in ("chair", "member")]
    assert all(move(track, "s3") for track in tracks)
    beside = heard(scene, "So do I.", role="manager").track
    asked: list[object] = []
    s3._client.meta.events.register("before-send.s3.GetObject", lambda **_: asked.append(None))
    s3.goes_away()
    try:
        chair = as_user(scene.users["chair"])
        status, body = ask(chair, "post", address(scene, "sign/"), {"seq": minutes_of(scene).seq})
    finally:
        s3.comes_back()
    assert (status, {each["code"] for each in body["tracks"]}) == (409, {"storage_away"})
    assert {each["track"] for each in body["tracks"]} == {str(track.pk) for track in tracks}, beside
    assert len(asked) == 2, "for one of them, which boto tries twice"


@pytest.mark.usefixtures("recordings")
@pytest.mark.django_db(transaction=True)
def test_asked_several_times_it_is_signed_once(as_user: SignIn) -> None:
    """At once, and again afterwards; for anybody else it is signed already."""
    scene = make_scene(minutes_policy="automatic", phase="ended")
    heard(scene, "We agree.")
    seq = minutes_of(scene).seq

    def sign(_: int = 0, role: str = "chair") -> tuple[int, Any]:
        try:
            return ask(as_user(scene.users[role]), "post", address(scene, "sign/"), {"seq": seq})
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(sign, range(4)))
    assert {(status, body.get("state"), body.get("seq")) for status, body in answers} == {(200, "signed", seq + 1)}
    assert sign()[0] == 200
    assert SignedVersion.objects.count() == 1
    assert AuditEntry.objects.filter(action="minutes_sign").count() == 1
    assert sign(role="owner")[1]["code"] == "minutes_signed"
    chair = as_user(scene.users["chair"])
    assert ask(chair, "post", address(scene, "reopen/"))[0] == 200
    assert sign()[1]["code"] == "minutes_changed"
    assert SignedVersion.objects.count() == 1
