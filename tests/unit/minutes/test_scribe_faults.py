"""Nothing is lost, nothing is done twice and nothing is tried for ever, whatever dies or is away."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.conferences.models import Conference
from apps.minutes.engine_state import engine_state, say
from apps.minutes.models import Minutes, Transcript, Worker
from apps.minutes.transcribing import queue
from apps.minutes.transcribing.work import Scribe
from apps.recordings.models import Track
from tests.unit.recordings.tracks import flip, make_track, path_of

from .meeting import Words, dialogue, end, recorded, sound, write_all

HELLO = Words(0.5, "Good morning everybody. Shall we begin?")
THERE = pytest.mark.usefixtures("writing")


@contextmanager
def in_other_hands(keys: list[object]) -> Iterator[None]:
    """Another worker has these, until the block ends."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                assert queue.taken(keys, Transcript.State.WAITING)  # type: ignore[arg-type]
                taken.set()
                done.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


@THERE
@pytest.mark.django_db(transaction=True)
def test_two_workers_do_not_do_the_same(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 5))
    queue.open_minutes()
    queue.find_work(everything=True)
    keys = queue.next_live(3)
    assert len(keys) == 1
    assert queue.next_live(3) == [], "another one finds nothing to do"
    Transcript.objects.update(not_before=None)
    with in_other_hands(list(keys)):
        assert queue.next_live(3) == [], "and waits for nobody"
        with transaction.atomic():
            assert queue.taken(keys, Transcript.State.WAITING) == []
    with transaction.atomic():
        assert len(queue.taken(keys, Transcript.State.WAITING)) == 1
    assert Transcript.objects.get().attempts == 1


@THERE
@pytest.mark.django_db
def test_what_kills_its_workers_is_given_up_alone(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 5))
    recorded(conference, "Ben", sound([HELLO], 5, variant="m3"), ago=50)
    queue.open_minutes()
    queue.find_work(everything=True)
    [first, other] = Transcript.objects.order_by("starts_at")
    assert len(queue.next_live(3)) == 2  # and the worker dies
    for _ in range(queue.MOST_ATTEMPTS - 1):
        assert queue.next_live(3) == [], "not at once again"
        Transcript.objects.update(not_before=None)
        assert queue.next_live(3) == [first.pk], "alone"
        Transcript.objects.filter(pk=other.pk).update(not_before=timezone.now() + timedelta(hours=1))
    Transcript.objects.filter(pk=first.pk).update(not_before=None)
    assert queue.next_live(3) == []
    given_up = Transcript.objects.get(pk=first.pk)
    assert (given_up.state, given_up.reason) == (Transcript.State.FAILED, "tried_too_often")
    Transcript.objects.update(not_before=None)
    end(conference)
    write_all()
    assert Minutes.objects.get().state == Minutes.State.READY
    assert [name for name, _ in dialogue(conference)] == ["Ben"]


@THERE
@pytest.mark.django_db
def test_what_was_never_there_is_not_waited_for(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    Track.objects.filter(pk=track.pk).update(state=Track.State.EMPTY, length=0)
    end(conference)
    write_all()
    assert Transcript.objects.get().reason == "nothing_recorded"
    assert Minutes.objects.get().state == Minutes.State.READY


@THERE
@pytest.mark.django_db
def test_a_mix_of_which_the_switch_never_told_holds_nothing_up(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 5))
    make_track(conference, bytes(3200), started_at=None)
    end(conference)
    write_all()
    assert Minutes.objects.get().state == Minutes.State.READY


@THERE
@pytest.mark.django_db
def test_a_damaged_recording_fails_with_its_reason(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    recorded(conference, "Ben", sound([HELLO], 5, variant="m3"))
    flip(track, 20_000)
    end(conference)
    write_all()
    assert [(each.state, each.reason) for each in Transcript.objects.filter(track=track)] == [
        ("failed", "recording_damaged")
    ]
    assert [name for name, _ in dialogue(conference)] == ["Ben"]


@THERE
@pytest.mark.django_db
def test_what_is_on_another_machine_waits(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    moved = path_of(track).rename(path_of(track).with_suffix(".elsewhere"))
    track.node.name = "another"
    track.node.save()
    end(conference)
    write_all()
    waits = Transcript.objects.get()
    assert (waits.state, waits.attempts) == (Transcript.State.WAITING, 0)
    assert waits.not_before is not None
    moved.rename(path_of(track))
    Transcript.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    write_all()
    assert Transcript.objects.get().state == Transcript.State.DONE


@THERE
@pytest.mark.django_db
def test_a_recording_that_goes_on_is_listened_to_when_it_is_there(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5), live=True)
    Track.objects.filter(pk=track.pk).update(frames=0)
    scribe = Scribe()
    assert scribe.round()
    waits = Transcript.objects.get()
    assert (waits.state, waits.attempts) == (Transcript.State.WAITING, 0)
    Track.objects.filter(pk=track.pk).update(frames=track.frames)
    Transcript.objects.update(not_before=None)
    scribe.round()
    assert len(dialogue(conference)) == 1


@THERE
@pytest.mark.django_db
def test_what_is_not_there_yet_is_looked_for_soon(conference: Conference) -> None:
    """Also where others of its group are there, and held for longer."""
    track = recorded(conference, "Anna", sound([HELLO], 5), live=True)
    Track.objects.filter(pk=track.pk).update(frames=0)
    recorded(conference, "Ben", sound([HELLO], 5, variant="m3"), ago=50)
    assert Scribe().round()
    waits = Transcript.objects.get(track=track)
    assert waits.not_before is not None
    assert waits.not_before < timezone.now() + timedelta(seconds=1)
    assert [name for name, _ in dialogue(conference)] == ["Ben"]


@THERE
@pytest.mark.django_db
def test_who_comes_too_late_takes_nothing_back(conference: Conference) -> None:
    """Reading took so long that another worker has written it; then the file is damaged."""
    track = recorded(conference, "Anna", sound([HELLO], 5))
    queue.open_minutes()
    queue.find_work(everything=True)
    keys = queue.next_live(3)
    slow = Scribe()
    [row] = queue.begun(keys, Transcript.State.WAITING)
    Transcript.objects.update(not_before=None)
    write_all()
    flip(track, 20_000)
    assert slow._utterance(row) is None
    assert Transcript.objects.get().state == Transcript.State.DONE


@pytest.mark.usefixtures("no_engine")
@pytest.mark.django_db
def test_without_an_engine_everything_waits_and_it_is_said(conference: Conference) -> None:
    assert engine_state() == "no_worker"
    recorded(conference, "Anna", sound([HELLO], 5))
    end(conference)
    write_all()
    assert Minutes.objects.get().state == Minutes.State.OPEN
    assert Transcript.objects.get().state == Transcript.State.WAITING
    assert engine_state() == "no_model"
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert engine_state() == "no_worker"


@pytest.mark.django_db
def test_who_was_not_heard_of_for_a_week_is_forgotten() -> None:
    now = timezone.now()
    for name, days in (("container-1", 8), ("container-2", 6)):
        Worker.objects.create(name=name, engine="faster-whisper", seen_at=now - timedelta(days=days))
    say(problem="no_model")
    say(engine="faster-whisper", model="base")
    assert Worker.objects.exclude(name="container-2").get().seen_at >= now
    assert Worker.objects.filter(name="container-2").exists()
    assert engine_state() == "ready"


@THERE
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_listens_changes_nothing(conference: Conference) -> None:
    """In a process of its own, killed with what it has in its hands."""
    recorded(conference, "Anna", sound([HELLO], 5))
    end(conference)
    queue.open_minutes()
    queue.find_work(everything=True)
    keys = queue.next_live(3)
    connection.close()
    child = os.fork()
    if child == 0:
        transaction.set_autocommit(False)
        queue.taken(keys, Transcript.State.WAITING)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert Transcript.objects.get().attempts == 1
    Transcript.objects.update(not_before=None)
    write_all()
    assert len(dialogue(conference)) == 1
    assert (Transcript.objects.get().attempts, Transcript.objects.get().state) == (0, Transcript.State.DONE)
