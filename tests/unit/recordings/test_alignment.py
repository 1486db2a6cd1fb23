"""A mix is laid beside the voices in it by what was said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apps.conferences.models import Conference
from apps.conferences.selectors import actor_for
from apps.recordings.alignment import ENOUGH, align, measure
from apps.recordings.models import Track, Utterance
from apps.recordings.selectors import utterances_for
from apps.recordings.tasks import align_mixes
from apps.switch.speech import SAMPLE_RATE, speak
from tests.factories import add_participant, make_conference, make_user
from tests.unit.recordings.tracks import BEGAN, flip, make_track, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
RATE = 16_000
ENDED = BEGAN + timedelta(seconds=8)
Sound = NDArray[np.float64]


def voice(seed: int, seconds: float = 8.0, *, sentence: str = "会议将在五分钟后结束。请大家准备表决。") -> Sound:
    """Somebody says a sentence again and again, at moments of their own."""
    assert SAMPLE_RATE == RATE
    said = speak(sentence, "zh-CN").astype(np.float64)
    found = np.zeros(int(seconds * RATE))
    start = 400 + 1000 * seed
    while start + len(said) < len(found):
        found[start : start + len(said)] += said
        start += len(said) + RATE // 2
    return found


def scene(conference: Conference, behind: int, *, live: bool = False, apart: int = 0, noise: float = 0.0) -> Track:
    """Two people, recorded `apart` ms one after the other, and a mix in which both are `behind` ms."""
    voices = [voice(1), voice(2, sentence="这个问题我们下周再讨论。")]
    for position, samples in enumerate(voices):
        begins = apart * position
        track = make_track(
            conference,
            samples[begins * RATE // 1000 :].astype(np.int16).tobytes(),
            participant=add_participant(conference),
            started_at=BEGAN + timedelta(milliseconds=begins),
            ended_at=ENDED,
        )
        loud = np.abs(samples[begins * RATE // 1000 :]).reshape(-1) > 200
        for start in range(500, 6000, 1100):
            if loud[start * 16 : start * 16 + 12_000].any():
                say(track, start, start + 900)
    mixed = np.roll(sum(voices), behind * RATE // 1000)
    mixed += np.random.default_rng(1).normal(0, noise, len(mixed)) if noise else 0
    return make_track(
        conference,
        np.clip(mixed, -32768, 32767).astype(np.int16).tobytes(),
        live=live,
        ended_at=None if live else ENDED,
    )


@pytest.mark.parametrize("behind", [-40, 0, 40, 73, 180])
@pytest.mark.parametrize(("apart", "noise"), [(0, 0.0), (300, 300.0)])
def test_it_is_measured_to_a_millisecond(conference: Conference, behind: int, apart: int, noise: float) -> None:
    mix = scene(conference, behind, apart=apart, noise=noise)
    found = measure(mix, over=True)
    assert found is not None
    assert found.mix == pytest.approx(behind, abs=1)
    assert set(found.tracks.values()) <= {-1, 0, 1}


def test_what_was_measured_is_where_the_mix_begins(conference: Conference) -> None:
    mix = scene(conference, 60)
    align_mixes()
    mix.refresh_from_db()
    assert mix.behind == pytest.approx(60, abs=1)
    assert mix.begins_at == BEGAN - timedelta(milliseconds=mix.behind or 0)


def test_a_track_that_is_late_by_itself_is_laid_beside_the_others(conference: Conference) -> None:
    mix = scene(conference, 60)
    first, second = Track.objects.filter(kind="person").order_by("participant__position")
    # Told to have begun 50 ms before it did: all that is said in it comes out as much too early.
    Track.objects.filter(pk=second.pk).update(started_at=BEGAN - timedelta(milliseconds=50))
    align_mixes()
    for track in (mix, first, second):
        track.refresh_from_db()
    truth = (first.begins_at or BEGAN) - (second.begins_at or BEGAN)
    assert truth / timedelta(milliseconds=1) == pytest.approx(0, abs=2)


def test_a_tone_tells_nothing(conference: Conference) -> None:
    tone = (3000 * np.sin(2 * np.pi * 500 * np.arange(8 * RATE) / RATE)).astype(np.int16).tobytes()
    track = make_track(conference, tone, participant=add_participant(conference))
    for start in range(500, 6000, 1000):
        say(track, start, start + 900)
    assert measure(make_track(conference, tone), over=True) is None


def test_a_mix_that_grows_waits_for_enough_to_be_said_and_one_that_does_not_is_taken_as_it_is(
    conference: Conference,
) -> None:
    mix = scene(conference, 60, live=True)
    keep = [track.utterances.first() for track in Track.objects.filter(kind="person")]
    for track in Track.objects.filter(kind="person"):
        track.utterances.exclude(pk__in=[each.pk for each in keep if each]).delete()
    assert len(keep) < ENOUGH
    align_mixes()
    mix.refresh_from_db()
    assert mix.behind is None
    for track in Track.objects.filter(kind="person"):
        track.utterances.all().delete()
    Track.objects.filter(pk=mix.pk).update(state="sealed", length=mix.frames * 1024)
    align_mixes()
    mix.refresh_from_db()
    assert (mix.behind, mix.aligned) == (None, True)


def test_one_that_cannot_be_read_does_not_hold_up_the_others(conference: Conference) -> None:
    bad = scene(conference, 60)
    flip(bad, 100)
    good = scene(make_conference(make_user("bob")), 60)
    align_mixes()
    good.refresh_from_db()
    assert good.behind == pytest.approx(60, abs=1)


def test_a_voice_that_cannot_be_read_does_not_hold_up_the_others(conference: Conference) -> None:
    mix = scene(conference, 60)
    first, second = Track.objects.filter(kind="person").order_by("participant__position")
    flip(first, 0)
    align_mixes()
    assert {each.shift for each in first.utterances.all()} == {None}
    assert {each.shift for each in second.utterances.all()} == {0}
    mix.refresh_from_db()
    assert mix.aligned


def test_for_good_once_nobody_in_it_is_recorded_any_more(conference: Conference) -> None:
    mix = scene(conference, 60)
    first = Track.objects.filter(kind="person").earliest("pk")
    Track.objects.filter(pk=first.pk).update(state="live", ended_at=None)
    align_mixes()
    mix.refresh_from_db()
    assert mix.behind == pytest.approx(60, abs=1)
    assert not mix.aligned
    Track.objects.filter(pk=first.pk).update(state="sealed")
    align_mixes()
    mix.refresh_from_db()
    assert mix.aligned


def test_who_was_slower_than_another_worker_writes_nothing(conference: Conference) -> None:
    mix, stale = scene(conference, 60), Track.objects.get(kind="mix")
    align(mix)
    Utterance.objects.update(shift=7)
    align(stale)
    assert set(Utterance.objects.values_list("shift", flat=True)) == {7}


def test_what_was_not_laid_beside_it_yet_is_where_what_was_said_before_it_is(conference: Conference) -> None:
    scene(conference, 60)
    align_mixes()
    track = Track.objects.filter(kind="person").earliest("pk")
    before, last = list(track.utterances.order_by("start"))[-2:]
    Utterance.objects.filter(pk=before.pk).update(shift=40)
    Utterance.objects.filter(pk=last.pk).update(shift=None)
    actor = actor_for(conference.owner, Conference, conference.pk)
    told: Any = utterances_for(actor, conference.pk).get(pk=last.pk)
    assert told.starts_at == BEGAN + timedelta(milliseconds=last.start + 40)
