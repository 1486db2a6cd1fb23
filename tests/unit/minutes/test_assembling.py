"""The document of minutes, from rows: who attended, who spoke over whom, where each sentence is heard."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from apps.conferences.models import Attempt, Conference, Participant, Whisper
from apps.minutes.assembling import document_now
from apps.minutes.document import Document
from apps.minutes.models import Passage, Transcript
from apps.recordings.models import Track
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import heard, minutes_of
from tests.unit.recordings.tracks import BEGAN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SITE = "https://meet.example.org"


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended", title="Budget", agenda="1. Money")


def assembled(scene: Scene, whisper: Whisper | None = None, language: Any = "en") -> Document:
    minutes = minutes_of(scene, whisper)
    return document_now(minutes, site=SITE, language=language)


def at(seconds: float) -> Any:
    return BEGAN + timedelta(seconds=seconds)


def test_who_said_what_and_when(scene: Scene) -> None:
    second = heard(
        scene,
        "We agree.",
        "On all.",
        start=2500,
        mark="task",
        task_person="Dave",
        task_due=date(2026, 12, 24),
        edited=True,
    )
    first = heard(scene, "Hello.", role="member", start=1000, hidden=True)
    Conference.objects.update(ended_at=at(60))
    document = assembled(scene)
    assert (document.title, document.agenda, document.whisper) == ("Budget", "1. Money", "")
    assert (document.started_at, document.ended_at, document.time_zone) == (BEGAN, at(60), "Asia/Shanghai")
    assert [(each.speaker, each.starts_at, each.ends_at) for each in document.passages] == [
        ("Dave", at(1), at(2)),
        ("Carol", at(2.5), at(4.5)),
    ]
    hello, agree = document.passages
    assert (hello.hidden, agree.hidden, agree.mark, agree.task_person) == (True, False, "task", "Dave")
    assert (agree.task_due, agree.edited) == (date(2026, 12, 24), True)
    where = f"{SITE}/conferences/{scene.conference.pk}/minutes?passage="
    assert [each.link for each in hello.sentences] == [f"{where}{first.pk}&at=1000"]
    assert [each.link for each in agree.sentences] == [f"{where}{second.pk}&at=2500", f"{where}{second.pk}&at=3500"]
    assert [(each.starts_at, each.ends_at) for each in agree.sentences] == [(at(2.5), at(3.5)), (at(3.5), at(4.5))]
    assert document.notices == ()


def test_by_the_clock_of_the_conference(scene: Scene) -> None:
    """Frames were lost: its track is 40 ms behind."""
    heard(scene, "We agree.", start=2500)
    Passage.objects.update(starts_at=at(2.54))
    [passage] = assembled(scene).passages
    assert (passage.starts_at, passage.sentences[0].ends_at) == (at(2.54), at(3.54))


def test_who_attended(scene: Scene) -> None:
    heard(scene, "Hello.")
    person = scene.own["chair"]
    for number, (joined, ended) in enumerate(((0, 20), (30, None))):
        Attempt.objects.create(
            leg=f"00000000-0000-0000-0000-00000000000{number}",
            conference=scene.conference,
            participant=person,
            round=1,
            ordinal=number,
            number_index=0,
            kind="extension",
            number="1",
            stored_at=BEGAN,
            joined_at=at(joined),
            ended_at=at(ended) if ended else None,
        )
    attendees = {each.name: each for each in assembled(scene).attendees}
    assert len(attendees) == 10
    assert attendees["Carol"].stays == ((at(0), at(20)), (at(30), None))
    assert (attendees["Carol"].role, attendees["Dave"].stays) == ("chair", ())


def test_people_of_one_name_are_told_apart(scene: Scene) -> None:
    names = {"chair": "王伟", "member": "王伟", "participant": "王伟 (2)", "manager": "王伟"}
    for role, name in names.items():
        Participant.objects.filter(pk=scene.own[role].pk).update(name=name)
        heard(scene, role, role=role)
    document = assembled(scene)
    speakers = {each.sentences[0].text: each.speaker for each in document.passages}
    # By their place on the roster: manager, chair, member, participant.
    assert speakers == {"manager": "王伟", "chair": "王伟 (3)", "member": "王伟 (4)", "participant": "王伟 (2)"}
    assert {each.name for each in document.attendees} >= set(speakers.values())


def test_who_was_named_by_an_editor(scene: Scene) -> None:
    heard(scene, "Hello.", speaker="Zoe")
    Passage.objects.update(participant=None)
    assert [each.speaker for each in assembled(scene).passages] == ["Zoe"]


@pytest.mark.parametrize(("start", "overlaps"), [(700, False), (690, True), (0, True), (1000, False)])
def test_others_spoke_meanwhile(scene: Scene, start: int, overlaps: bool) -> None:
    heard(scene, "One.")
    heard(scene, "Two.", role="member", start=start)
    heard(scene, "Three.", role="owner", start=5000)
    assert [each.overlaps for each in assembled(scene).passages] == [overlaps, overlaps, False]


def test_the_same_person_does_not_overlap_themself(scene: Scene) -> None:
    heard(scene, "One.", "And more.")
    heard(scene, "Two.", start=500)
    assert not any(each.overlaps for each in assembled(scene).passages)


def test_what_is_hidden_is_not_seen_in_others(scene: Scene) -> None:
    heard(scene, "One.", hidden=True)
    heard(scene, "Two.", role="member", start=100)
    assert [each.overlaps for each in assembled(scene).passages] == [True, False]


def test_one_long_passage_overlaps_several(scene: Scene) -> None:
    heard(scene, *["Long."] * 8)
    for number in range(3):
        heard(scene, "Yes.", role="member", start=1500 + 2000 * number)
    assert all(each.overlaps for each in assembled(scene).passages)


def test_of_a_whisper(scene: Scene) -> None:
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["chair"], title="Aside")
    passage = heard(scene, "Psst.", whisper=whisper)
    heard(scene, "Main room.", role="member")
    document = assembled(scene, whisper)
    assert (document.whisper, document.agenda, document.started_at) == ("Aside", "", whisper.opened_at)
    assert [each.name for each in document.attendees] == ["Carol"]
    [said] = document.passages
    assert said.sentences[0].link.endswith(f"minutes?passage={passage.pk}&whisper={whisper.pk}&at=0")
    Whisper.objects.update(title="")
    assert assembled(scene, Whisper.objects.get()).whisper == "without a title"


def test_the_reader_is_told_what_is_missing(scene: Scene) -> None:
    rows = [heard(scene, "One.", start=2000 * number).transcript_id for number in range(4)]
    for row, state in zip(rows, ("waiting", "heard", "failed", "refused"), strict=True):
        Transcript.objects.filter(pk=row).update(state=state)
    Track.objects.update(state="erased")
    assert assembled(scene).notices == (
        "2 utterances are not written yet, or not for good.",
        "1 utterance could not be written, or not refined.",
        "The audio of some of this was erased: its links lead to the text alone.",
    )
