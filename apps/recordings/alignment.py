"""Laying what was said beside the mix: the mix is the clock of all.

What somebody says passes the buffers of their leg and of the room before it is in the mix, and the switch says of
neither recording to the frame when it began: on FreeSWITCH 1.10.12 a mix is 20 to 80 ms behind, in whole frames. And a
busy switch loses frames (drift.py). So each utterance is looked for in the mix, near where the one before it was.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.errors import Problem

from .audio import SAMPLE
from .drift import Found, Samples, find, follow
from .errors import OUT_OF_REACH
from .models import Track, Utterance
from .replay import open_clip

logger = logging.getLogger(__name__)

AROUND: Final = 400
"""Milliseconds by which a voice may be elsewhere in the mix than the one before it."""
LONGEST: Final = 2_000
SHORTEST: Final = 300
"""Milliseconds of an utterance that are compared, and that one has to have."""
ENOUGH: Final = 5
"""Utterances that have to be found in a mix that still grows, before it says how far it is behind."""
LATELY: Final = 8
"""Utterances of a person that are looked at again while the mix grows: one that was found elsewhere than those before
it is believed with the next."""
NEAR: Final = 3
"""Utterances whose middle one says where the next is looked for."""
RATE: Final = 8_000
"""Samples a second that are compared: enough for every codec's voices."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """By how many milliseconds the mix is behind its voices, each voice's track behind the others where it begins, and
    each utterance later than its place in its track says.
    """

    mix: int
    tracks: dict[UUID, int]
    shifts: dict[UUID, int]


def align(mix: Track) -> None:
    """Store what can be told by now of the mix and of what was said in it; for good, once nothing comes any more. What
    nothing tells of is taken to be in time; while keys are away, nothing is told. Safe to run twice, also at once.
    """
    over = mix.state == Track.State.SEALED and not _voices(mix).filter(state=Track.State.LIVE).exists()
    try:
        found = measure(mix, over=over)
    except OUT_OF_REACH:
        return
    except Problem as problem:
        logger.error("track %s cannot be aligned: %s", mix.pk, problem.code)
        found = None
    if found is not None or over:
        _store(mix, found, over=over)


def measure(mix: Track, *, over: bool) -> Alignment | None:
    """Of all that was said, or (not `over`) of what was said lately. None where that is too little to tell. Raises
    Problem where the mix cannot be opened.
    """
    heard = _Mix(mix)
    voices = _voices(mix) if over else _voices(mix).filter(Exists(_untold()))
    courses = {track.pk: course for track in voices if (course := heard.course_of(track, lately=not over))}
    enough = over or mix.behind is not None or sum(map(len, courses.values())) >= ENOUGH
    if not courses or not enough:
        return None
    known = None if over else mix.behind
    behind = round(median(course[0][1] for course in courses.values())) if known is None else known
    return Alignment(
        behind,
        tracks={track: behind - course[0][1] for track, course in courses.items()},
        shifts={said.pk: lag - behind for course in courses.values() for said, lag in course},
    )


def _voices(mix: Track) -> QuerySet[Track]:
    """The tracks of those who were in the main room while the mix was recorded."""
    voices = Track.objects.filter(conference=mix.conference_id, kind=Track.Kind.PERSON, started_at__isnull=False)
    voices = voices.filter(Q(ended_at=None) | Q(ended_at__gt=mix.started_at))
    return voices.filter(started_at__lt=mix.ended_at) if mix.ended_at else voices


def _untold() -> QuerySet[Utterance]:
    return Utterance.objects.filter(track=OuterRef("pk"), shift=None)


class _Sound:
    """A track as far as it is there. Raises Problem where it cannot be opened."""

    def __init__(self, track: Track) -> None:
        self._clip = open_clip(track, 0)
        self._step = max(1, self._clip.rate // RATE)
        self.rate = self._clip.rate // self._step
        self.length = self._clip.size * 1000 // (SAMPLE * self._clip.channels * self._clip.rate)
        """Milliseconds."""

    def read(self, start: int, end: int) -> Samples:
        """From and to in milliseconds, as far as it is there; of all channels together."""
        pieces = self._clip.between(start, end).pieces()
        data = np.frombuffer(b"".join(bytes(piece) for piece in pieces), "<i2")
        size = self._step * self._clip.channels
        # A product: the mean along so short an axis takes as long as all the rest.
        frames = data[: len(data) // size * size].reshape(-1, size).astype(np.float32)
        samples: Samples = frames @ np.full(size, 1 / size, np.float32)
        return samples


class _Mix:
    """A mix, and where in it people are heard. Raises Problem where it cannot be opened."""

    def __init__(self, mix: Track) -> None:
        self._mix, self._sound = mix, _Sound(mix)

    def course_of(self, track: Track, *, lately: bool) -> list[tuple[Utterance, int]]:
        """What one person said while the mix was recorded, all of it or what came lately and a little before, and by
        how many milliseconds each is later in the mix than the beginnings of both say. Empty where nothing tells, or
        nothing is new.
        """
        begins = _milliseconds((track.started_at or track.requested_at) - (self._mix.started_at or track.requested_at))
        newest = track.utterances.order_by("-start")
        said = [each for each in reversed(newest[:LATELY] if lately else newest) if self._has(each, begins)]
        if not said or (lately and all(each.shift is not None for each in said)):
            return []
        try:
            lags = self._lags(said, _Sound(track), begins, lately=lately)
        except OUT_OF_REACH:
            raise
        except Problem as problem:
            logger.warning("track %s cannot be laid beside its mix: %s", track.pk, problem.code)
            return []
        course = follow([each.start / 1000 for each in said], lags)
        return [] if course is None else list(zip(said, course, strict=True))

    def _has(self, utterance: Utterance, begins: int) -> bool:
        """Whether it was recorded then, and is sealed as far as that."""
        place = begins + utterance.start
        after = AROUND + utterance.end - utterance.start if self._mix.state == Track.State.LIVE else 0
        return place >= 0 and place + after < self._sound.length

    def _lags(self, said: list[Utterance], voice: _Sound, begins: int, *, lately: bool) -> list[Found | None]:
        """Where it is plain to hear, by how many milliseconds each is later."""
        behind = self._mix.behind or 0
        lags: list[Found | None] = []
        near: list[float] = []
        for each in said:
            if lately and not lags and each.shift is not None:
                found: Found | None = Found(behind + each.shift, 1.0)  # where those were that are not looked at again
            else:
                found = self._look(each, voice, begins, round(median(near[-NEAR:])) if near else behind)
            lags.append(found)
            near += [] if found is None else [found.at]
        return lags

    def _look(self, utterance: Utterance, voice: _Sound, begins: int, around: int) -> Found | None:
        lasts = min(utterance.end - utterance.start, LONGEST)
        first = begins + utterance.start + around - AROUND
        if lasts < SHORTEST or first < 0 or voice.rate != self._sound.rate:
            return None
        said = voice.read(utterance.start, utterance.start + lasts)
        heard = self._sound.read(first, first + lasts + 2 * AROUND)
        if not len(said) or len(heard) <= len(said):
            return None
        found = find(said, heard, voice.rate)
        return found and found._replace(at=found.at * 1000 / voice.rate + around - AROUND)


def _milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))


def _store(mix: Track, found: Alignment | None, *, over: bool) -> None:
    with transaction.atomic():
        now = Track.objects.select_for_update(no_key=True).get(pk=mix.pk)
        if now.aligned or now.behind != mix.behind:
            return  # another worker knew more
        if found is not None:
            now.behind = found.mix
            _store_voices(found, over=over)
        now.aligned = over
        now.save(update_fields=["behind", "aligned"])


def _store_voices(found: Alignment, *, over: bool) -> None:
    for track, behind in found.tracks.items():
        voices = Track.objects.filter(pk=track)
        (voices if over else voices.filter(behind=None)).update(behind=behind)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE recordings_utterance AS u SET shift = new.shift"
            " FROM unnest(%s::uuid[], %s::int[]) AS new (id, shift)"
            " WHERE u.id = new.id AND u.shift IS DISTINCT FROM new.shift",
            [list(found.shifts), list(found.shifts.values())],
        )
