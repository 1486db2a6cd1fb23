"""What was said is written: by whom, in its order, live and then refined; and what is not to be written is not."""

from __future__ import annotations

import numpy as np
import pytest

from apps.conferences.models import Conference, Whisper
from apps.minutes.models import Minutes, Passage, Transcript
from apps.minutes.transcribing.work import Scribe
from tests.factories import add_participant

from .meeting import Words, dialogue, end, recorded, sound, write_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("writing")]

HELLO = Words(0.5, "Good morning everybody. Shall we begin?")
BUDGET = Words(4.5, "The budget is twelve million dollars.")


def test_a_meeting_is_written_down(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 9), live=True)
    recorded(conference, "Ben", sound([BUDGET], 9, variant="m3"), live=True)
    scribe = Scribe()
    assert scribe.round()
    written = dialogue(conference)
    assert [name for name, _ in written] == ["Anna", "Ben"]
    assert "good morning" in written[0][1].lower()
    assert "budget" in written[1][1].lower()
    minutes = Minutes.objects.get()
    assert minutes.state == Minutes.State.OPEN
    assert {each.state for each in Transcript.objects.all()} == {Transcript.State.HEARD}
    first = Passage.objects.order_by("starts_at")[0]
    assert abs(first.start - 500) < 300


def test_what_was_heard_is_refined_once_it_is_over(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 9))
    recorded(conference, "Ben", sound([BUDGET], 9, variant="m3"))
    scribe = Scribe()
    scribe.round()
    assert Minutes.objects.get().state == Minutes.State.OPEN
    end(conference)
    write_all(scribe)
    minutes = Minutes.objects.get()
    assert minutes.state == Minutes.State.READY
    assert {each.state for each in Transcript.objects.all()} == {Transcript.State.DONE}
    assert [name for name, _ in dialogue(conference)] == ["Anna", "Ben"]
    assert minutes.indexed == minutes.seq
    assert all(each.engine == "faster-whisper whisper-base" for each in Transcript.objects.all())


def test_nothing_done_is_done_again(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 5))
    end(conference)
    write_all()
    before = list(Transcript.objects.values("pk", "written_at", "state"))
    Minutes.objects.update(state=Minutes.State.OPEN)
    write_all()
    assert list(Transcript.objects.values("pk", "written_at", "state")) == before


def test_an_echo_of_somebody_else_is_not_written(conference: Conference) -> None:
    loud = sound([BUDGET], 9)
    echo = np.roll(loud, 16 * 120) * 10 ** (-30 / 20)
    recorded(conference, "Anna", loud)
    recorded(conference, "Ben", echo.astype("<i2"))
    end(conference)
    write_all()
    assert [name for name, _ in dialogue(conference)] == ["Anna"]
    assert Transcript.objects.get(state=Transcript.State.REFUSED).reason == "bleed"


def test_what_a_person_corrected_stays(conference: Conference) -> None:
    recorded(conference, "Anna", sound([HELLO], 5))
    scribe = Scribe()
    scribe.round()
    passage = Passage.objects.get()
    passage.say([[500, 2500, "Good morning, all.", "good"]])
    passage.edited = True
    passage.save()
    end(conference)
    write_all(scribe)
    assert dialogue(conference) == [("Anna", "Good morning, all.")]
    original = Transcript.objects.get()
    assert original.state == Transcript.State.DONE
    assert "morning" in original.sentences[0][2].lower()


def test_whispers_have_minutes_of_their_own(conference: Conference) -> None:
    anna = add_participant(conference, name="Anna")
    whisper = Whisper.objects.create(conference=conference, title="aside", opened_by=conference.owner)
    recorded(conference, "Anna", sound([HELLO], 5), participant=anna)
    recorded(conference, "Anna", sound([BUDGET], 9), participant=anna, whisper=whisper)
    end(conference)
    write_all()
    assert "morning" in dialogue(conference)[0][1].lower()
    assert len(dialogue(conference)) == 1
    assert "budget" in dialogue(conference, whisper)[0][1].lower()
    assert Minutes.objects.count() == 2


def test_minutes_that_the_plan_does_not_want_are_not_written(conference: Conference) -> None:
    Conference.objects.update(minutes_policy="off")
    recorded(conference, "Anna", sound([HELLO], 5))
    write_all()
    assert not Minutes.objects.exists()


def test_silence_and_tones_are_refused_with_a_reason(conference: Conference) -> None:
    time = np.arange(16_000 * 3) / 16_000
    tone = (np.sin(2 * np.pi * 440 * time) * 8000).astype("<i2")
    track = recorded(conference, "Anna", tone)
    track.utterances.get_or_create(start=200, defaults={"end": 2800})
    end(conference)
    write_all()
    assert dialogue(conference) == []
    assert {each.reason for each in Transcript.objects.all()} == {"no_speech"}
    assert Minutes.objects.get().state == Minutes.State.READY
