"""What cannot be heard waits, holds nothing else up, and is given up in the end: minutes are ready all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.core.errors import Problem
from apps.minutes.assembling import document_now
from apps.minutes.models import Minutes, Transcript
from apps.minutes.transcribing import queue
from apps.minutes.transcribing.reach import GIVEN_UP, Reach
from apps.minutes.transcribing.work import Scribe
from apps.recordings.errors import RecordingDamaged, RecordingKeysAway, RecordingOnItsNode, StorageAway
from apps.recordings.models import Track
from apps.recordings.moving import move
from tests.factories import make_node
from tests.unit.recordings.bucket import Service, s3
from tests.unit.recordings.tracks import make_track, path_of

from .meeting import Words, dialogue, end, recorded, sound, write_all

__all__ = ["s3"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("writing")]

HELLO = Words(0.5, "Good morning everybody. Shall we begin?")
MANY = [Words(0.5 + 3 * number, "Good morning.") for number in range(6)]
WAITING, HEARD, DONE, FAILED = (Transcript.State[name] for name in ("WAITING", "HEARD", "DONE", "FAILED"))
DAY = GIVEN_UP + timedelta(hours=1)


def gone(track: Track) -> Path:
    """It is on a machine that is away; where its file has to come back to."""
    Track.objects.filter(pk=track.pk).update(node=make_node())
    path_of(track).rename(path_of(track).with_suffix(".gone"))
    return path_of(track)


def back(file: Path) -> None:
    file.with_suffix(".gone").rename(file)


def of(track: Track) -> list[Transcript]:
    return list(Transcript.objects.filter(track=track))


def a_day_later() -> None:
    for moment in ("ended_at", "settled_at"):
        Conference.objects.exclude(**{moment: None}).update(**{moment: timezone.now() - DAY})
    Transcript.objects.exclude(away_since=None).update(away_since=timezone.now() - DAY)
    Transcript.objects.update(not_before=None)


def progress_of(conference: Conference, owner: User, as_user: Callable[[User], APIClient]) -> dict[str, Any]:
    answer = as_user(owner).get(f"/api/v1/conferences/{conference.pk}/minutes/")
    progress: dict[str, Any] = answer.json()["progress"]
    return progress


def test_what_is_out_of_reach_is_not_tried_one_by_one(conference: Conference) -> None:
    away = recorded(conference, "Anna", sound(MANY, 20))
    gone(away)
    recorded(conference, "Ben", sound([HELLO], 5, variant="m3"), ago=20)
    end(conference)
    scribe = Scribe()
    assert scribe.round()
    assert len(of(away)) == len(MANY)
    assert {(each.state, each.reason) for each in of(away)} == {(WAITING, "recording_on_its_node")}
    assert all(each.away_since and each.attempts == 0 for each in of(away))
    assert sum(each.not_before is not None for each in of(away)) == 3, "the others were never begun"
    scribe.round()
    scribe.round()
    assert [name for name, _ in dialogue(conference)] == ["Ben"]
    assert [each.state for each in Transcript.objects.exclude(track=away)] == [DONE], "refined, too"
    write_all(scribe)
    assert Minutes.objects.get().state == Minutes.State.OPEN


def test_another_worker_may_hear_it(conference: Conference) -> None:
    """It is beside the folder. What one cannot reach is neither hidden from it nor given up."""
    track = recorded(conference, "Anna", sound(MANY, 20))
    file = gone(track)
    end(conference)
    one, other = Scribe(), Scribe()
    assert one.round()
    a_day_later()
    back(file)
    assert other.round()
    assert not one.round(), "it leaves it alone for now"
    heard = [each for each in of(track) if each.state == HEARD]
    assert len(heard) == 3
    assert {(each.state, each.away_since, each.reason) for each in of(track) if each not in heard} == {
        (WAITING, None, "")
    }


def test_another_worker_need_not_wait(conference: Conference) -> None:
    """What one could not reach is what was said first, or now."""
    track = recorded(conference, "Anna", sound(MANY, 20))
    file = gone(track)
    end(conference)
    one, other = Scribe(), Scribe()
    assert one.round()
    back(file)
    assert other.round()
    assert [each.state for each in of(track)[:3]] == [HEARD] * 3


def test_after_a_day_it_is_given_up(conference: Conference, owner: User, as_user: Callable[[User], APIClient]) -> None:
    track = recorded(conference, "Anna", sound(MANY, 20))
    recorded(conference, "Ben", sound([HELLO], 5, variant="m3"))
    gone(track)
    write_all()
    a_day_later()
    write_all()
    assert {each.state for each in of(track)} == {WAITING}, "while the conference runs it may still be asked for"
    end(conference)
    Transcript.objects.update(not_before=None)
    progress = progress_of(conference, owner, as_user)
    assert (progress["away"], progress["failed"], progress["missing"]) == (len(MANY), 0, False)
    write_all()
    assert {(each.state, each.reason, each.not_before) for each in of(track)} == {
        (FAILED, "recording_on_its_node", None)
    }
    minutes = Minutes.objects.get()
    assert minutes.state == Minutes.State.READY
    progress = progress_of(conference, owner, as_user)
    assert (progress["away"], progress["failed"], progress["missing"]) == (0, len(MANY), False)
    assert progress["reasons"] == ["recording_on_its_node"]
    assert document_now(minutes, site="", language="en").notices == (
        "6 utterances could not be written, or not refined.",
    )


def test_what_was_written_meanwhile_stays(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    Scribe().round()
    before = dialogue(conference)
    assert before
    gone(track)
    end(conference)
    write_all()
    a_day_later()
    write_all()
    assert [(each.state, each.reason) for each in of(track)] == [(FAILED, "recording_on_its_node")]
    assert Minutes.objects.get().state == Minutes.State.READY
    assert dialogue(conference) == before


def test_a_key_that_never_comes_back(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    Track.objects.update(key_id="lost")
    end(conference)
    write_all()
    assert [(each.state, each.reason) for each in of(track)] == [(WAITING, "recording_key_missing")]
    a_day_later()
    write_all()
    assert [(each.state, each.reason) for each in of(track)] == [(FAILED, "recording_key_missing")]


def test_a_store_that_is_away_is_asked_once(conference: Conference, s3: Service, settings: LazySettings) -> None:
    settings.SPARKLE_RECORDINGS_STORAGE = "s3"
    tracks = [recorded(conference, name, sound(MANY[:2], 8), ago=ago) for name, ago in (("Anna", 60), ("Ben", 50))]
    for track in tracks:
        assert move(track, "s3")
    end(conference)
    asked: list[object] = []
    s3._client.meta.events.register("before-send.s3.GetObject", lambda **_: asked.append(None))
    s3.goes_away()
    try:
        write_all()
    finally:
        s3.comes_back()
    assert len(asked) == 2, "of all utterances one, which boto tries twice"
    assert {(each.state, each.reason) for each in Transcript.objects.all()} == {(WAITING, "storage_away")}
    Transcript.objects.update(not_before=None)
    write_all()
    assert {each.state for each in Transcript.objects.all()} == {DONE}


def test_others_that_are_away_are_left_out(conference: Conference) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    recorded(conference, "Ben", sound([], 5))
    gone(Track.objects.exclude(pk=track.pk).get())
    end(conference)
    write_all()
    assert [name for name, _ in dialogue(conference)] == ["Anna"]


@pytest.mark.parametrize("later", [False, True])
def test_a_node_that_never_says_that_it_is_over(
    later: bool, conference: Conference, owner: User, as_user: Callable[[User], APIClient]
) -> None:
    """Nobody seals what was recorded last, lays the mix beside it, or says that no leg is alive."""
    recorded(conference, "Anna", sound([HELLO], 5))
    recorded(conference, "Ben", sound([], 5), live=True)
    make_track(conference, bytes(3200))
    end(conference)
    Conference.objects.update(settled_at=None, ended_at=timezone.now() - (DAY if later else timedelta(hours=23)))
    write_all()
    assert Minutes.objects.get().state == ("ready" if later else "open")
    assert progress_of(conference, owner, as_user)["missing"] is later
    said = document_now(Minutes.objects.get(), site="", language="en").notices
    assert ("Some of what was recorded was out of reach, and what was said there is missing." in said) is later


def test_what_is_found_afterwards_is_missing(
    conference: Conference, owner: User, as_user: Callable[[User], APIClient]
) -> None:
    track = recorded(conference, "Anna", sound([HELLO], 5))
    end(conference)
    write_all()
    assert progress_of(conference, owner, as_user)["missing"] is False
    track.utterances.create(start=4600, end=4900)
    assert progress_of(conference, owner, as_user)["missing"] is True


def test_a_sound_that_never_came_is_given_up(conference: Conference) -> None:
    """Its sealer died between two frames, and the row says live for ever."""
    track = recorded(conference, "Anna", sound([HELLO], 5), live=True)
    track.utterances.create(start=60_000, end=61_000)
    end(conference)
    write_all()
    assert {each.state for each in of(track)} == {WAITING, DONE}
    a_day_later()
    write_all()
    assert {(each.state, each.reason) for each in of(track)} == {(DONE, ""), (FAILED, "nothing_recorded")}
    assert Minutes.objects.get().state == Minutes.State.READY


class Clock:
    """Seconds, as a test wants."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def lose(reach: Reach, track: Track, why: type[Problem], clock: Clock | None = None, took: float = 0.0) -> None:
    def ask() -> None:
        with reach.asked(track):
            if clock:
                clock.now += took
            raise why

    with pytest.raises(why):
        ask()


def test_other_places_are_within_reach(conference: Conference) -> None:
    here, there, beside = (recorded(conference, name, sound([], 2)) for name in ("Anna", "Ben", "Cleo"))
    gone(there)
    there.refresh_from_db()
    reach = Reach()
    assert reach.has(there)
    lose(reach, there, RecordingOnItsNode)
    assert (reach.has(here), reach.has(there)) == (True, False)
    there.storage = Track.Storage.S3
    assert reach.has(there)
    lose(reach, there, StorageAway)
    assert (reach.has(here), reach.has(there)) == (True, False)
    lose(reach, here, RecordingDamaged)
    assert reach.has(here), "that is for good, and of this track alone"
    lose(reach, here, RecordingKeysAway)
    assert (reach.has(here), reach.has(beside)) == (False, True), "of another track a worker may remember the key"


def test_a_store_to_which_it_was_moved_a_moment_ago(conference: Conference) -> None:
    """The row that the worker has in hand names the folder, where all the others are."""
    track, beside = (recorded(conference, name, sound([], 2)) for name in ("Anna", "Ben"))
    reach = Reach()
    lose(reach, track, StorageAway)
    assert (reach.has(track), reach.has(beside)) == (False, True)


def test_however_many_wait_there(conference: Conference) -> None:
    """More than a statement has parameters: those of weeks without an engine."""
    many = 1 << 16
    track = recorded(conference, "Anna", sound([], 2))
    queue.open_minutes()
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO minutes_transcript (id, minutes_id, track_id, start, "end", starts_at, state, reason,'
            " attempts, language, sentences, engine) SELECT gen_random_uuid(), %s, %s, place, place + 1, now(),"
            " 'waiting', '', 0, '', '[]', '' FROM generate_series(1, %s::int) place",
            [Minutes.objects.get().pk, track.pk, many],
        )
    lose(Reach(), track, StorageAway)
    assert Transcript.objects.filter(away_since__isnull=False, reason="storage_away").count() == many


@pytest.mark.parametrize(("took", "alone"), [(0, 30), (16, 160)])
def test_what_keeps_one_waiting_is_asked_less(conference: Conference, took: int, alone: int) -> None:
    track = recorded(conference, "Anna", sound([], 2))
    clock = Clock()
    reach = Reach(clock)
    lose(reach, track, StorageAway, clock, took)
    clock.now += alone - 1
    assert not reach.has(track)
    clock.now += 1
    assert reach.has(track)
