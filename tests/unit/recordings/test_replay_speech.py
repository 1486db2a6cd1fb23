"""Any stretch of time of a track, and all that one person said."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import soundfile
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Participant
from apps.core.models import AuditEntry
from apps.recordings.audio import wav_header
from apps.recordings.models import Track
from tests.factories import add_participant
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import BEGAN, heard, link_to, make_track, part_link, refused, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
SAID = speech(64_000)
"""Two seconds."""
HEAD = 44


def ms(start: int, end: int) -> bytes:
    return SAID[start * 32 : end * 32]


# A stretch of time --------------------------------------------------------------------------------------------


def test_between_two_times(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, SAID)
    whole, part = link_to(client, track), part_link(alice, track, 500, 1500)
    assert heard(client, f"{whole}?start=250&end=1000") == wav_header(24_000, 16_000, 1) + ms(250, 1000)
    assert heard(client, f"{whole}?start=1900")[HEAD:] == ms(1900, 2000)
    assert heard(client, f"{part}?start=250&end=400")[HEAD:] == ms(750, 900)
    assert heard(client, f"{part}?start=250&end=9000")[HEAD:] == ms(750, 1500), "a link opens no more than its part"
    assert refused(client, f"{part}?start=1000") == (409, "nothing_recorded")
    listened = [entry.detail for entry in AuditEntry.objects.filter(action="listen").order_by("pk")]
    assert [(each["from"], each["to"]) for each in listened][:3] == [(250, 1000), (1900, 2000), (750, 900)]


@pytest.mark.parametrize(
    ("asked", "field"), [("start=-1", "start"), ("start=x", "start"), ("end=0", "end"), ("start=5&end=5", "end")]
)
def test_times_that_there_are_not(client: APIClient, conference: Conference, asked: str, field: str) -> None:
    answer = client.get(f"{link_to(client, make_track(conference, SAID))}?{asked}")
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, [field])


# One person's speech ------------------------------------------------------------------------------------------


@pytest.fixture
def person(conference: Conference) -> Participant:
    return add_participant(conference)


def address(conference: Conference, participant: Any, more: str = "") -> str:
    return f"/api/v1/conferences/{conference.pk}/recording/speech/?participant={participant}{more}"


def test_all_that_one_person_said(client: APIClient, conference: Conference, person: Participant) -> None:
    later = make_track(conference, SAID, participant=person, part=2, started_at=BEGAN + timedelta(minutes=1))
    first = make_track(conference, SAID, participant=person)
    say(later, 1000, 1500)
    say(first, 100, 300)
    say(first, 1200, 1900)
    other = make_track(conference, SAID, participant=add_participant(conference))
    say(other, 0, 2000)
    said = ms(100, 300) + ms(1200, 1900) + ms(1000, 1500)
    assert heard(client, address(conference, person.pk)) == wav_header(len(said), 16_000, 1) + said
    for start, end in ((0, 43), (44, 6543), (6400, 6500), (20_000, len(said) + 43), (28_000, 28_900)):
        part: Any = client.get(address(conference, person.pk), headers={"range": f"bytes={start}-{end}"})
        assert part.status_code == 206
        assert b"".join(part.streaming_content) == (wav_header(len(said), 16_000, 1) + said)[start : end + 1]
    found, rate = soundfile.read(io.BytesIO(heard(client, address(conference, person.pk, "&format=opus"))))
    assert (rate, len(found)) == (16_000, len(said) // 2)
    listened = AuditEntry.objects.filter(action="listen").order_by("pk")
    assert [(e.object_id, e.detail["from"], e.detail["to"]) for e in listened] == [
        (str(first.pk), 100, 1900),
        (str(later.pk), 1000, 1500),
    ]


def test_while_it_is_recorded_what_is_there(client: APIClient, conference: Conference, person: Participant) -> None:
    live = make_track(conference, ms(0, 64), participant=person, live=True)
    say(live, 10, 300)
    say(live, 500, 900)
    assert heard(client, address(conference, person.pk))[HEAD:] == ms(10, 64)


def test_what_is_erased_is_passed_over(client: APIClient, conference: Conference, person: Participant) -> None:
    gone, left = (make_track(conference, SAID, participant=person, part=part) for part in (1, 2))
    say(gone, 0, 500)
    say(left, 500, 700)
    Track.objects.filter(pk=gone.pk).update(state=Track.State.ERASED)
    assert heard(client, address(conference, person.pk))[HEAD:] == ms(500, 700)


def test_nothing_of_a_whisper(client: APIClient, alice: User, conference: Conference) -> None:
    own = add_participant(conference, user=alice)
    whisper = conference.whispers.create(title="", opened_by=alice)
    say(make_track(conference, SAID, participant=own, whisper=whisper), 0, 500)
    assert refused(client, address(conference, own.pk)) == (409, "nothing_recorded")


def test_nobody_and_bad_input(client: APIClient, conference: Conference, person: Participant) -> None:
    assert refused(client, address(conference, person.pk)) == (409, "nothing_recorded")
    assert refused(client, address(conference, uuid4())) == (404, "not_found")
    for asked, field in (("x", "participant"), (f"{person.pk}&format=mp3", "format")):
        answer = client.get(address(conference, asked))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_tracks_that_make_no_one_file(client: APIClient, conference: Conference, person: Participant) -> None:
    for part, rate in ((1, 16_000), (2, 8_000)):
        say(make_track(conference, SAID, participant=person, part=part, rate=rate), 0, 500)
    assert refused(client, address(conference, person.pk)) == (409, "not_of_one_kind")
