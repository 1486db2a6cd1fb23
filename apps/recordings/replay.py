"""Opening what was recorded, and noting who heard it. Audio is decrypted as it is sent, and never on a disk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from apps.core import audit
from apps.core.models import AuditEntry

from .audio import SAMPLE
from .errors import (
    NothingRecorded,
    RecordingDamaged,
    RecordingErased,
    RecordingKeyMissing,
    RecordingKeysAway,
    RecordingOnItsNode,
    StillMixed,
)
from .files import open_file
from .keys import key_provider
from .models import Track
from .places import SEALED
from .sealed.errors import BadKeys, KeysAway, SealProblem, UnknownKey
from .sealed.frames import read_header
from .sealed.header import FRAME_SIZE
from .sealed.keys import WrappedKey
from .sealed.reader import Reader

logger = logging.getLogger(__name__)

ONE_LISTENING: Final = timedelta(minutes=10)
"""A player asks for one part in many pieces, and again when somebody goes back: within this time it is one entry."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of a track, from `start` to `end` in bytes of its plaintext; for one thread at a time."""

    track: Track
    reader: Reader
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    @property
    def rate(self) -> int:
        return self.reader.header.rate

    @property
    def channels(self) -> int:
        return self.reader.header.channels

    @property
    def tag(self) -> str:
        """Another one for other sound."""
        return f"{self.track.pk.hex}-{self.start}-{self.end}"

    def between(self, start: int, end: int) -> Clip:
        """What of it is between these milliseconds of the track; perhaps nothing."""
        first, last = (_bytes(moment, self.rate, self.channels) for moment in (start, end))
        first = min(max(first, self.start), self.end)
        return Clip(self.track, self.reader, first, max(first, min(last, self.end)))

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The samples, from `offset` in the clip; each piece is good until the next. Raises RecordingDamaged,
        StorageAway.
        """
        end = self.end if length is None else min(self.end, self.start + offset + length)
        with _readable(self.track):
            yield from self.reader.pieces(self.start + offset, end - self.start - offset)


def open_clip(track: Track, start: int, end: int | None = None) -> Clip:
    """From and to in milliseconds; of a track that is being recorded, as far as it is there. Raises NothingRecorded,
    StillMixed, RecordingErased, RecordingDamaged, RecordingKeyMissing, and those OUT_OF_REACH (errors.py).
    """
    if track.state == Track.State.ERASED:
        raise RecordingErased
    if track.state == Track.State.DAMAGED:
        raise RecordingDamaged
    if track.state == Track.State.MIXING:
        raise StillMixed
    live = track.state == Track.State.LIVE
    if track.state == Track.State.EMPTY or (live and not track.frames):
        raise NothingRecorded
    with _readable(track):
        reader = Reader(open_file(track, SEALED), data_key(track), frames=track.frames if live else None)
    if not live and reader.length != track.length:
        logger.error("track %s: %s bytes where its row says %s", track.pk, reader.length, track.length)
        raise RecordingDamaged
    header = reader.header
    first = _bytes(start, header.rate, header.channels)
    last = reader.length if end is None else min(reader.length, _bytes(end, header.rate, header.channels))
    if first >= last:
        raise NothingRecorded
    return Clip(track, reader, first, last)


def playable(track: Track) -> int:
    """How many milliseconds can be heard now, the last one perhaps not whole; 0 also for what cannot be opened."""
    if track.state == Track.State.SEALED:
        return _milliseconds(track.length or 0, track.rate, track.channels)
    if track.state != Track.State.LIVE or not track.frames:
        return 0
    try:
        with _readable(track):
            header, _ = read_header(open_file(track, SEALED), data_key(track))
    except RecordingOnItsNode:
        return _milliseconds(track.frames * FRAME_SIZE, track.rate, track.channels)  # there it can be heard
    except (RecordingDamaged, RecordingKeyMissing, RecordingKeysAway):
        return 0
    return _milliseconds(track.frames * header.frame_size, header.rate, header.channels)


def note_listening(by: audit.By, track: Track, start: int, end: int) -> None:
    """Once for one listener and one part, however many requests a player makes. All of a track that is being recorded
    has no end: whoever follows it asks for more again and again.
    """
    follows = track.state == Track.State.LIVE and start == 0
    detail = {**_about(track), "from": start, "to": None if follows else end}
    person = by.person.pk if by.person else None
    with transaction.atomic():
        with connection.cursor() as cursor:
            lock = f"listen {person} {track.pk}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
        before = AuditEntry.objects.filter(object_type="track", object_id=str(track.pk), action="listen")
        since = timezone.now() - ONE_LISTENING
        if not before.filter(actor_id=person, at__gt=since, detail=detail).exists():
            _note(by, "listen", track, detail)


def note_export(by: audit.By, track: Track, kind: str) -> None:
    _note(by, "export", track, {**_about(track), "format": kind})


def _note(by: audit.By, action: str, track: Track, detail: dict[str, Any]) -> None:
    # The conference's log is read by people who were in no whisper, and are not to learn what is recorded of it.
    conference = track.conference_id if track.whisper_id is None else None
    audit.record(by=by, action=action, on=track, conference_id=conference, detail=detail)


def _about(track: Track) -> dict[str, Any]:
    return {"name": track.participant.name if track.participant else ""}


@contextmanager
def _readable(track: Track) -> Iterator[None]:
    """What goes wrong with a sealed file, in the log and as a problem."""
    try:
        yield
    except (BadKeys, UnknownKey) as error:
        logger.error("track %s: %s", track.pk, error)
        raise RecordingKeyMissing from error
    except KeysAway as error:
        raise RecordingKeysAway from error
    except (SealProblem, OSError) as error:
        logger.error("track %s: %s: %s", track.pk, type(error).__name__, error)
        raise RecordingDamaged from error


def data_key(track: Track) -> bytes:
    """Raises BadKeys, UnknownKey, KeysAway, and what says that it was changed."""
    return key_provider().unwrap(track.pk, WrappedKey(track.key_id, bytes(track.sealed_key)))


def _bytes(milliseconds: int, rate: int, channels: int) -> int:
    return milliseconds * rate // 1000 * channels * SAMPLE


def _milliseconds(size: int, rate: int, channels: int) -> int:
    return -(-size * 1000 // (rate * channels * SAMPLE))
