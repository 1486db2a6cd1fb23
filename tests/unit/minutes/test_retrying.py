"""What failed is tried again when somebody says so, and what people made of the rest stays."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Whisper
from apps.core import audit
from apps.core.models import AuditEntry
from apps.minutes.errors import MinutesSigned
from apps.minutes.models import Minutes, Passage, Transcript
from apps.minutes.selectors import lacks_some
from apps.minutes.services.retrying import retry
from apps.minutes.transcribing import queue
from apps.recordings.models import Track
from tests.factories import Scene, add_participant, make_scene

from .meeting import Words, dialogue, end, recorded, sound, write_all
from .records import address, ask, heard, passage_of
from .test_reach import a_day_later, back, gone

HELLO = Words(0.5, "Good morning everybody. Shall we begin?")
BUDGET = Words(0.5, "The budget is twelve million dollars.")
WRITING = pytest.mark.usefixtures("writing")
SignIn = Callable[[User], APIClient]


def told(*which: object) -> str:
    out = StringIO()
    call_command("minutes", "retry", *map(str, which), stdout=out)
    return out.getvalue()


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended")


@WRITING
@pytest.mark.django_db
def test_a_node_that_came_back(conference: Conference) -> None:
    lost = recorded(conference, "Anna", sound([HELLO], 5))
    recorded(conference, "Ben", sound([BUDGET], 5, variant="m3"), ago=50)
    file = gone(lost)
    end(conference)
    write_all()
    a_day_later()
    write_all()
    passage = Passage.objects.get()
    passage.say([[500, 2500, "The budget is ours.", "good"]])
    passage.edited = True
    passage.save()
    before = Minutes.objects.get()
    assert before.state == Minutes.State.READY
    back(file)
    assert told(conference.pk).splitlines()[-1] == "1 utterances wait again."
    minutes = Minutes.objects.get()
    assert (minutes.state, minutes.seq) == (Minutes.State.OPEN, before.seq + 1)
    entry = AuditEntry.objects.get(action="minutes_retry")
    assert (entry.conference_id, entry.detail) == (conference.pk, {"utterances": 1})
    write_all()
    assert Minutes.objects.get().state == Minutes.State.READY
    assert [name for name, _ in dialogue(conference)] == ["Anna", "Ben"]
    assert dialogue(conference)[1][1] == "The budget is ours."
    assert {each.state for each in Transcript.objects.all()} == {Transcript.State.DONE}
    assert told() == "0 utterances wait again.\n"


@WRITING
@pytest.mark.django_db
def test_what_was_found_afterwards_is_written(conference: Conference) -> None:
    whisper = Whisper.objects.create(conference=conference, opened_by=conference.owner)
    anna = add_participant(conference, name="Anna")
    recorded(conference, "Anna", sound([HELLO], 5), participant=anna)
    recorded(conference, "Anna", sound([BUDGET], 5), participant=anna, whisper=whisper)
    end(conference)
    write_all()
    late = recorded(conference, "Anna", sound([BUDGET], 5), participant=anna, whisper=whisper, ago=40)
    main, side = Minutes.objects.get(whisper=None), Minutes.objects.get(whisper=whisper)
    assert [lacks_some(each) for each in (main, side)] == [False, True]
    assert told() == (f"conference {conference.pk}, whisper {whisper.pk}: 1 utterances.\n1 utterances wait again.\n")
    assert AuditEntry.objects.get(action="minutes_retry").conference_id is None, "others read the conference's log"
    write_all()
    assert [each.track_id for each in Transcript.objects.filter(track=late)] == [late.pk]
    assert len(dialogue(conference, whisper)) == 2
    assert set(Minutes.objects.values_list("state", flat=True)) == {"ready"}
    assert not lacks_some(Minutes.objects.get(pk=side.pk))


@pytest.mark.django_db
@pytest.mark.usefixtures("recordings")
def test_what_waits_again(scene: Scene) -> None:
    rows = [heard(scene, "One.", start=2000 * number).transcript for number in range(3)]
    fields = {"state": "failed", "reason": "storage_away", "attempts": 4, "away_since": rows[0].starts_at}
    Transcript.objects.filter(pk=rows[0].pk).update(**fields, written_at=None)
    Transcript.objects.filter(pk=rows[1].pk).update(**fields)
    gone_for_good = heard(scene, "Two.", role="member").transcript
    Transcript.objects.filter(pk=gone_for_good.pk).update(**fields)
    Track.objects.filter(pk=gone_for_good.track_id).update(state=Track.State.ERASED)
    before = Passage.objects.values_list("pk", "seq", "version", "sentences").order_by("pk")
    passages = list(before)
    assert "2 utterances wait again." in told()
    found = {each.pk: each for each in Transcript.objects.all()}
    assert [found[row.pk].state for row in rows] == ["waiting", "heard", "done"]
    assert found[gone_for_good.pk].state == "failed", "nobody will ever hear it"
    again = found[rows[0].pk]
    assert (again.reason, again.attempts, again.not_before, again.away_since) == ("", 0, None, None)
    assert list(before) == passages, "until there is something better, people read what there is"


@pytest.mark.django_db
@pytest.mark.usefixtures("recordings")
def test_what_is_signed_stays(scene: Scene, as_user: SignIn) -> None:
    chair = as_user(scene.users["chair"])
    failed = heard(scene, "We agree.").transcript
    passage = heard(scene, "So do I.", role="member", start=3000)
    Transcript.objects.filter(pk=failed.pk).update(state="failed", reason="storage_away")
    seq = Minutes.objects.get().seq
    status, signed = ask(chair, "post", address(scene, "sign/"), {"seq": seq})
    assert status == 200
    assert "signed, so nothing of it" in told(scene.conference.pk)
    assert "0 utterances" in told()
    with pytest.raises(MinutesSigned):
        retry(by=audit.SYSTEM, minutes_id=Minutes.objects.get().pk)
    assert (Minutes.objects.get().seq, Transcript.objects.get(pk=failed.pk).state) == (signed["seq"], "failed")
    ask(chair, "post", address(scene, "reopen/"))
    assert "1 utterances wait again." in told()
    # While it is written, people go on correcting and nobody signs.
    status, seen = ask(chair, "get", address(scene))
    assert seen["state"] == "open"
    assert ask(chair, "patch", passage_of(passage), {"version": 1, "text": "I do."})[0] == 200
    assert ask(chair, "post", address(scene, "sign/"), {"seq": seen["seq"] + 1})[1]["code"] == "minutes_open"


@pytest.mark.django_db
def test_of_no_such_conference() -> None:
    with pytest.raises(CommandError, match="There are no minutes of conference"):
        told(uuid4())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("recordings")
def test_nothing_is_closed_that_just_waits_again(scene: Scene) -> None:
    """Whoever closes minutes has seen, before it waits for their rows, that all of it is written."""
    end(scene.conference)
    row = heard(scene, "We agree.").transcript
    Transcript.objects.filter(pk=row.pk).update(state="failed", written_at=None)
    Minutes.objects.update(state="open")
    begun, waits = Event(), Event()

    def try_again() -> int:
        try:
            with transaction.atomic():
                count = retry(by=audit.SYSTEM, minutes_id=row.minutes_id)
                begun.set()
                waits.wait(20)
                return count
        finally:
            connection.close()

    def close() -> int:
        try:
            return queue.close_finished()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        again = pool.submit(try_again)
        assert begun.wait(20)
        closing = pool.submit(close)
        until = time.monotonic() + 20
        while not _somebody_waits():
            assert time.monotonic() < until
        waits.set()
        assert (again.result(), closing.result()) == (1, 0)
    assert Minutes.objects.get().state == Minutes.State.OPEN


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
