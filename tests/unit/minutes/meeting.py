"""A meeting that was recorded, or is being recorded: people, what they said and when, as the sealer leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from apps.conferences.models import Conference, Participant, Whisper
from apps.minutes.models import Passage
from apps.minutes.transcribing.work import Scribe
from apps.recordings.models import Track, Utterance
from apps.recordings.sealing.speech import Detector
from tests.factories import add_participant
from tests.unit.recordings.tracks import make_track

from .speech import spoken

RATE = 16_000
Samples = np.ndarray[Any, np.dtype[np.int16]]


@dataclass(frozen=True, slots=True)
class Words:
    """`text` begins at `at` seconds, `louder` dB louder than usual."""

    at: float
    text: str
    language: str = "en"
    louder: float = 0.0


def sound(words: Sequence[Words], seconds: float, *, variant: str = "") -> Samples:
    """All of it, and silence between; so many seconds."""
    whole = np.zeros(round(seconds * RATE), np.float64)
    for each in words:
        said = spoken(each.text, each.language, variant).astype(np.float64) * 10 ** (each.louder / 20)
        start = round(each.at * RATE)
        whole[start : start + len(said)] += said[: len(whole) - start]
    return np.clip(whole, -32768, 32767).astype("<i2")


def recorded(
    conference: Conference,
    name: str,
    samples: Samples,
    *,
    live: bool = False,
    whisper: Whisper | None = None,
    participant: Participant | None = None,
    ago: float = 60.0,
) -> Track:
    """One person's track that began `ago` seconds before now, with its utterances."""
    person = participant or add_participant(conference, name=name)
    began = timezone.now() - timedelta(seconds=ago)
    track = make_track(
        conference,
        samples.tobytes(),
        participant=person,
        whisper=whisper,
        live=live,
        started_at=began,
        requested_at=began,
        ended_at=None if live else began + timedelta(seconds=len(samples) / RATE),
        behind=0,
    )
    found_in(track, samples)
    return track


def found_in(track: Track, samples: Samples) -> list[Utterance]:
    detector = Detector(RATE)
    spans = detector.feed(samples.tobytes()) + detector.finish()
    return [Utterance.objects.create(track=track, start=start, end=end) for start, end in spans]


def end(conference: Conference) -> None:
    now = timezone.now()
    Conference.objects.filter(pk=conference.pk).update(
        phase=Conference.Phase.ENDED, ended_at=now, settled_at=now, end_reason="by_person"
    )


def write_all(scribe: Scribe | None = None, most: int = 200) -> None:
    """As a worker does, until there is nothing to do."""
    scribe = scribe or Scribe()
    for _ in range(most):
        if not scribe.round():
            return
    raise AssertionError("there is still something to write")


def dialogue(conference: Conference, whisper: Whisper | None = None) -> list[tuple[str, str]]:
    """Who said what, in the order in which it is read."""
    passages = Passage.objects.filter(minutes__conference=conference, minutes__whisper=whisper, removed=False)
    return [
        (each.participant.name if each.participant else "", "".join(text for _, _, text, _ in each.sentences))
        for each in passages.select_related("participant")
    ]
