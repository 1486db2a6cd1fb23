"""From a track to sentences, as a worker for minutes goes about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from apps.minutes.engines.protocol import Engine, Samples
from apps.minutes.pipeline.result import Result, Said, Setting, Utterance
from apps.minutes.pipeline.transcribe import transcribe
from apps.recordings.sealing.speech import Detector, Span
from tests.corpus.scores import Passage
from tests.corpus.sound import RATE, Sound

AT_ONCE: Final = 8
"""Utterances that a worker fetches and hands over together."""
AROUND: Final = 200
"""Milliseconds before and after an utterance that go along with it."""
FRAME: Final = RATE // 2
"""Samples that a sealer looks at at once."""

Cut = Callable[[int, int], Samples]
"""What a track has between two milliseconds, where it has that."""


@dataclass(frozen=True)
class Heard:
    """Of one utterance; `start` in milliseconds of the track."""

    start: int
    result: Result


def spans(frames: Iterable[Sound]) -> list[Span]:
    """The utterances that the recording part finds in a track."""
    detector = Detector(RATE)
    found = [span for frame in frames for span in detector.feed(frame.astype("<i2").tobytes())]
    return found + detector.finish()


def spans_of(track: Sound) -> list[Span]:
    return spans(track[at : at + FRAME] for at in range(0, track.size, FRAME))


def cut_of(track: Sound) -> Cut:
    return lambda start, end: floats(track[max(0, start) * RATE // 1000 : end * RATE // 1000])


def floats(samples: Sound) -> Samples:
    return samples.astype(np.float32) / np.float32(32768)


def listen(
    engine: Engine, setting: Setting, found: Sequence[Span], cut: Cut, others: Sequence[Cut] = (), *, live: bool = False
) -> list[Heard]:
    """Some utterances at a time, with what the other tracks have meanwhile."""
    heard: list[Heard] = []
    at_once = 1 if live else AT_ONCE
    for first in range(0, len(found), at_once):
        places = [(max(0, span.start - AROUND), span.end + AROUND) for span in found[first : first + at_once]]
        utterances = [
            Utterance(samples=cut(*place), speaker="one", others=[other(*place) for other in others])
            for place in places
        ]
        results = transcribe(utterances, engine, setting, live=live)
        heard += [Heard(start, result) for (start, _), result in zip(places, results, strict=True)]
    return heard


def passages(heard: Iterable[Heard]) -> list[Passage]:
    """Every sentence has a link of its own."""
    return [
        Passage((each.start + sentence.start) / 1000, sentence.text)
        for each in heard
        if isinstance(each.result, Said)
        for sentence in each.result.sentences
    ]
