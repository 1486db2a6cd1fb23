"""Who edits, who writes and who erases at the same time: none waits for the other for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core import audit
from apps.minutes.models import Passage, Transcript
from apps.minutes.transcribing.queue import taken
from apps.recordings.erasing import erase_voice
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import ask, heard, passage_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended")


def test_who_splits_does_not_wait_for_the_engine(scene: Scene, as_user: SignIn) -> None:
    """A worker has the transcript in its hands for as long as it listens, and then wants the minutes."""
    passage = heard(scene, "We agree.", "On that.")
    Transcript.objects.update(state="heard")
    listening, split = threading.Event(), threading.Event()

    def listen() -> bool:
        try:
            with transaction.atomic():
                assert taken([passage.transcript_id], Transcript.State.HEARD)
                listening.set()
                return split.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(listen)
        assert listening.wait(20)
        chair = as_user(scene.users["chair"])
        status, _body = ask(chair, "post", passage_of(passage, "split/"), {"version": 1, "at": 10})
        split.set()
        assert (worker.result(), status) == (True, 200)


def test_erasing_meets_editors(scene: Scene, as_user: SignIn) -> None:
    passages = [
        heard(scene, "We agree.", "On that.", role=role, start=number * 3000)
        for number in range(10)
        for role in ("chair", "member")
    ]
    erased = threading.Event()
    begun = threading.Barrier(4)

    def work(role: str) -> set[int]:
        try:
            client = as_user(scene.users[role])
            statuses: set[int] = set()
            for number in count():
                if number == 2:
                    begun.wait(20)
                passage = passages[number % len(passages)]
                version = Passage.objects.filter(pk=passage.pk).values_list("version", flat=True).first() or 1
                where = passage_of(passage, "split/" if number % 3 else "restore/")
                statuses.add(ask(client, "post", where, {"version": version, "at": 3})[0])
                if erased.is_set() and number > 2 * len(passages):
                    return statuses
            raise AssertionError
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        editors = [pool.submit(work, role) for role in ("owner", "manager", "chair")]
        begun.wait(20)
        person = scene.own["member"]
        erase_voice(by=audit.SYSTEM, conference_id=scene.conference.pk, participant_id=person.pk)
        erased.set()
        statuses = set().union(*(each.result() for each in editors))
    assert {200, 404} <= statuses <= {200, 400, 404, 409}
    assert not Passage.objects.filter(track__participant=person).exists()
    assert not Transcript.objects.filter(track__participant=person).exists()
    assert Passage.objects.filter(track__participant=scene.own["chair"]).count() >= 10
