"""How far a mix is behind the voices in it.

What somebody says passes the buffers of their leg and of the room before it is in the mix, and the switch says of
neither recording to the frame when it began: on FreeSWITCH 1.10.12 a mix is 20 to 80 ms behind, in whole frames, and a
busy switch loses frames of a leg. So it is measured by what was said: the mix is the clock of all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from .errors import NothingRecorded
from .models import Track, Utterance
from .replay import open_clip

Samples = NDArray[np.float32]

AROUND: Final = 250
"""Milliseconds by which a mix may be ahead or behind."""
ENOUGH: Final = 5
"""Utterances that are compared; with fewer, a mix that still grows is measured later."""
LONGEST: Final = 4_000
SHORTEST: Final = 300
"""Milliseconds of an utterance that are compared, and that one has to have."""
MOST: Final = 200
"""Utterances that are looked at."""
ALIKE: Final = 0.3
"""Least likeness, of 1, at which an utterance was found in the mix: others may speak there too."""
BESIDE: Final = 0.8
"""What is more alike than this part of the most at another place, PEAK away or more, may be there as well: a tone is
everywhere."""
PEAK: Final = 0.01
"""Seconds."""


def lag(voice: Samples, mix: Samples, rate: int) -> int | None:
    """At which sample of `mix` `voice` begins; None where that is not plain to hear."""
    size = 1 << (len(mix) + len(voice) - 1).bit_length()
    found = np.fft.irfft(np.fft.rfft(mix, size) * np.conj(np.fft.rfft(voice, size)), size)[: len(mix) - len(voice) + 1]
    energy = np.cumsum(np.concatenate([[0.0], mix.astype(np.float64) ** 2]))
    heard = energy[len(voice) :] - energy[: -len(voice)]
    alike = np.abs(found) / np.sqrt(np.maximum(heard * float((voice.astype(np.float64) ** 2).sum()), 1.0))
    at = int(alike.argmax())
    most, near = float(alike[at]), round(PEAK * rate)
    elsewhere = max(alike[: max(0, at - near)].max(initial=0.0), alike[at + near :].max(initial=0.0))
    return at if most >= ALIKE and elsewhere < BESIDE * most else None


@dataclass(frozen=True, slots=True)
class Alignment:
    """By how many milliseconds a mix is behind its voices, and each voice's track behind the others."""

    mix: int
    tracks: Mapping[UUID, int]


def measure(mix: Track) -> Alignment | None:
    """None where too little was said to tell. Raises Problem where it cannot be opened."""
    found: dict[UUID, list[float]] = defaultdict(list)
    for utterance in _compared(mix):
        if (each := _lag_of(utterance, mix)) is not None:
            found[utterance.track_id].append(each)
    lags = {track: median(each) for track, each in found.items()}
    if not lags or (mix.state == Track.State.LIVE and sum(map(len, found.values())) < ENOUGH):
        return None
    behind = round(median(lags.values()))
    return Alignment(behind, {track: behind - round(each) for track, each in lags.items()})


def _compared(mix: Track) -> Iterator[Utterance]:
    """Utterances within the mix, no more than needed of each person, the last ones first."""
    people: Counter[UUID | None] = Counter()
    tracks = Track.objects.filter(conference=mix.conference_id, kind=Track.Kind.PERSON, started_at__isnull=False)
    for utterance in Utterance.objects.filter(track__in=tracks).select_related("track").order_by("-id")[:MOST]:
        begins, speaker = _position(utterance, mix), utterance.track.participant_id
        if begins >= AROUND and utterance.end - utterance.start >= SHORTEST and people[speaker] < ENOUGH:
            people[speaker] += 1
            yield utterance


def _position(utterance: Utterance, mix: Track) -> int:
    """Where in a mix an utterance would begin, were it not behind; milliseconds."""
    apart = (utterance.track.started_at or mix.requested_at) - (mix.started_at or mix.requested_at)
    return round(apart / timedelta(milliseconds=1)) + utterance.start


def _lag_of(utterance: Utterance, mix: Track) -> float | None:
    end = min(utterance.end, utterance.start + LONGEST)
    begins = _position(utterance, mix) - AROUND
    try:
        voice = _samples(utterance.track, utterance.start, end)
        heard = _samples(mix, begins, begins + end - utterance.start + 2 * AROUND)
    except NothingRecorded:
        return None
    if len(heard) <= len(voice):
        return None  # the mix is not sealed that far, or had ended
    at = lag(voice, heard, mix.rate)
    return None if at is None else at * 1000 / mix.rate - AROUND


def _samples(track: Track, start: int, end: int) -> Samples:
    """Of the first channel."""
    clip = open_clip(track, start, end)
    pieces = [np.frombuffer(bytes(piece), np.int16) for piece in clip.pieces()]
    return np.concatenate(pieces)[:: clip.channels].astype(np.float32)
