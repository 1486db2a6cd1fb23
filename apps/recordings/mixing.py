"""The main room mixed anew from the voices of those who are left, where somebody was erased from its mix.

Sample by sample the sum of the voices, each where its utterances are by the clock of the conference (alignment.py);
what is too loud is cut off at full scale. What was of nobody, as announcements, is not in it.
"""

from __future__ import annotations

import logging
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from apps.core.errors import Problem

from .audio import SAMPLE
from .errors import OUT_OF_REACH, NotOfOneKind
from .files import keep_file, remove
from .keys import key_provider
from .models import Track
from .places import SEALED
from .replay import Clip, data_key, open_clip
from .sealed.files import OpenFile
from .sealed.header import FRAME_SIZE, Header
from .sealed.keys import new_data_key
from .sealed.writer import Writer
from .storage.folder import make_folder

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]

BLOCK: Final = 16 * FRAME_SIZE // SAMPLE
"""Samples that are mixed at once: 8 s of 16 kHz, whole frames of what is written."""
_LEAST, _MOST = np.iinfo(np.int16).min, np.iinfo(np.int16).max


def voices_of(mix: Track) -> list[Track]:
    """Those that are to be heard in it: tracks of the main room that are sealed and reach into its time."""
    kept = Track.objects.filter(conference=mix.conference_id, kind=Track.Kind.PERSON, state=Track.State.SEALED)
    voices = kept.filter(started_at__isnull=False, length__gt=0).select_related("node").order_by("started_at", "pk")
    length = (mix.length or 0) // SAMPLE
    return [each for each in voices if (at := _place(each, mix)) < length and at + _samples(each) > 0]


def mix_anew(mix: Track) -> bool:
    """Make the sound of a track that is `mixing`, seal it and tell its row; False where it was erased or sealed
    meanwhile. May be killed at any moment, and also run twice at once: each begins a file of its own, with the track's
    key but a run of its own in it, and all of them are of the same length.

    Raises Problem where a voice cannot be reached now, SealProblem where there is no key, OSError.
    """
    if not _has_key(mix):
        return False
    header = Header(mix.pk, mix.rate, mix.channels, FRAME_SIZE)
    make_folder(settings.SPARKLE_RECORDINGS_DIR)
    # Without a name until it is whole: of a process that is killed nothing is left.
    with tempfile.TemporaryFile(dir=settings.SPARKLE_RECORDINGS_DIR) as unnamed:
        file = OpenFile(unnamed.fileno())
        writer = Writer(file, data_key(mix), header)
        rest = memoryview(b"")
        for samples in mixed(mix, voices_of(mix)):
            block = memoryview(samples.data).cast("B")
            whole = len(block) // FRAME_SIZE * FRAME_SIZE
            writer.append(block[:whole])
            rest = block[whole:]
        writer.finish(rest)
        keep_file(mix, SEALED, file)
    waiting = Track.objects.filter(pk=mix.pk, state=Track.State.MIXING)
    if waiting.update(state=Track.State.SEALED, frames=writer.frames):
        return True
    if Track.objects.filter(pk=mix.pk, state=Track.State.ERASED).exists():
        remove(mix)
    return False


def mixed(mix: Track, voices: Sequence[Track]) -> Iterator[Samples]:
    """The sum of the voices over the length of the mix, block by block. Of a voice that is damaged nothing is heard
    from there on; what cannot be reached now raises its Problem.
    """
    length = (mix.length or 0) // SAMPLE
    placed = [_Voice(each, mix) for each in voices]
    for start in range(0, length, BLOCK):
        total = np.zeros(min(BLOCK, length - start), np.int32)
        for voice in placed:
            voice.add_to(total, start)
        yield total.clip(_LEAST, _MOST).astype("<i2")


class _Stretch(NamedTuple):
    """Samples of a voice from `first` to `last`, heard from the sample `place` of the mix on."""

    first: int
    last: int
    place: int

    @property
    def end(self) -> int:
        return self.place + self.last - self.first


class _Voice:
    """One track within a mix. Its file is open only as long as it is heard."""

    def __init__(self, track: Track, mix: Track) -> None:
        self._track, self._rate = track, mix.rate
        self._stretches = _stretches(track, mix)
        self._clip: Clip | None = None
        self._broken = False

    def add_to(self, total: NDArray[np.int32], start: int) -> None:
        """What is heard of it from the sample `start` of the mix on."""
        while self._stretches and self._stretches[0].end <= start:
            self._stretches.popleft()
        heard = [each for each in self._stretches if each.place < start + len(total)]
        if self._broken or not heard:
            self._clip = None
            return
        try:
            for each in heard:
                first, last = max(start, each.place), min(start + len(total), each.end)
                into = each.first - each.place
                for piece in self._pieces(first + into, last + into):
                    total[first - start : first - start + len(piece)] += piece
                    first += len(piece)
        except OUT_OF_REACH:
            raise
        except Problem as problem:
            logger.error("track %s is not heard any further in a mix: %s", self._track.pk, problem.code)
            self._broken = True

    def _pieces(self, first: int, last: int) -> Iterator[NDArray[np.int32]]:
        """Of all channels together."""
        if self._clip is None:
            self._clip = open_clip(self._track, 0)
            if self._clip.rate != self._rate:
                raise NotOfOneKind
        channels = self._clip.channels
        size = channels * SAMPLE
        for piece in self._clip.pieces(first * size, (last - first) * size):
            yield np.frombuffer(piece, "<i2").reshape(-1, channels).sum(axis=1, dtype=np.int32) // channels


def _stretches(track: Track, mix: Track) -> deque[_Stretch]:
    """A track in pieces, from a pause to the next, each where its utterance is by the clock of the conference."""
    at, rate, begins = _place(track, mix), mix.rate, -(track.behind or 0)
    moves = [(0, 0)]
    before = 0
    for start, end, shift in track.utterances.order_by("start").values_list("start", "end", "shift"):
        moved = round(((begins if shift is None else shift) - begins) * rate / 1000)
        if moved != moves[-1][1]:
            moves.append(((before + start) // 2 * rate // 1000, moved))
        before = end
    ends = [first for first, _ in moves[1:]] + [_samples(track)]
    found = (_Stretch(first, last, at + first + moved) for (first, moved), last in zip(moves, ends, strict=True))
    return deque(each for each in found if each.first < each.last)


def _has_key(mix: Track) -> bool:
    """Its data key is in its row before anything is sealed with it, and stays the same however often it is begun."""
    if not mix.key_id:
        wrapped = key_provider().wrap(mix.pk, new_data_key())
        keyless = Track.objects.filter(pk=mix.pk, state=Track.State.MIXING, key_id="")
        keyless.update(key_id=wrapped.key_id, sealed_key=wrapped.sealed)
    mix.refresh_from_db(fields=["state", "key_id", "sealed_key"])
    return mix.state == Track.State.MIXING


def _place(voice: Track, mix: Track) -> int:
    """At which sample of the mix a voice begins; negative: before it."""
    begins, mix_begins = voice.begins_at or voice.requested_at, mix.begins_at or mix.requested_at
    return round((begins - mix_begins) * mix.rate / timedelta(seconds=1))


def _samples(track: Track) -> int:
    """Of one channel."""
    return (track.length or 0) // (track.channels * SAMPLE)
