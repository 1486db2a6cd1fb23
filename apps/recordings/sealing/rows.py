"""What the sealer asks of the database and tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q
from django.utils import timezone

from apps.recordings.models import Track, Utterance
from apps.recordings.sealed.keys import WrappedKey

from .speech import Span

UNTOLD: Final = timedelta(seconds=10)
"""For so long a track waits for what the switch says of it."""


class Row(NamedTuple):
    """A live track as the database has it."""

    id: UUID
    conference: UUID
    rate: int
    channels: int
    frames: int
    ended_at: datetime | None
    key_id: str
    sealed_key: bytes
    of_one: bool
    """Whether one person speaks in it: in a mix, nobody's utterances are looked for."""
    told: bool
    """Whether the switch has said what it records, or will not any more: before, `channels` is a guess."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is to be written of a track whose row still says `before` frames. `length` in bytes once it is sealed."""

    track: UUID
    before: int
    frames: int
    state: Track.State = Track.State.LIVE
    length: int | None = None
    spans: Sequence[Span] = ()


def live_rows(node_name: str) -> list[Row]:
    """Asked for each round: no more is read than a Row has."""
    silent = timezone.now() - UNTOLD
    told = Q(started_at__isnull=False) | Q(ended_at__isnull=False) | Q(requested_at__lt=silent)
    found = Track.objects.filter(node__name=node_name, state=Track.State.LIVE).order_by("id")
    rows = found.annotate(of_one=_is(~Q(kind=Track.Kind.MIX)), told=_is(told)).values_list(
        *("id", "conference_id", "rate", "channels", "frames", "ended_at", "key_id", "sealed_key", "of_one", "told")
    )
    return [Row(*each)._replace(sealed_key=bytes(each[7])) for each in rows]


def _is(condition: Q) -> ExpressionWrapper[Q]:
    return ExpressionWrapper(condition, output_field=BooleanField())


def keep_key(track: UUID, wrapped: WrappedKey) -> bool:
    """Give a track its key; False where somebody else has just given it one."""
    keyless = Track.objects.filter(pk=track, state=Track.State.LIVE, key_id="")
    return bool(keyless.update(key_id=wrapped.key_id, sealed_key=wrapped.sealed))


def last_told(track: UUID) -> int:
    """Where the last utterance of a track ends, in milliseconds."""
    return Utterance.objects.filter(track=track).aggregate(end=Max("end"))["end"] or 0


def states(tracks: Sequence[UUID]) -> dict[UUID, tuple[str, int | None]]:
    """State and length of those that have a row."""
    found = Track.objects.filter(pk__in=tracks)
    return {track: (state, length) for track, state, length in found.values_list("pk", "state", "length")}


def confirm(progress: Sequence[Progress]) -> set[UUID]:
    """Write it, all or nothing; the tracks whose rows were as expected. The others were written by somebody else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE recordings_track AS t SET frames = new.frames, state = new.state, length = new.length"
            " FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::text[], %s::bigint[])"
            " AS new (id, before, frames, state, length)"
            " WHERE t.id = new.id AND t.state = 'live' AND t.frames = new.before RETURNING t.id",
            [
                [each.track for each in progress],
                [each.before for each in progress],
                [each.frames for each in progress],
                [each.state.value for each in progress],
                [each.length for each in progress],
            ],
        )
        written: set[UUID] = {track for (track,) in cursor.fetchall()}
        utterances = [
            Utterance(track_id=each.track, start=span.start, end=span.end)
            for each in progress
            if each.track in written
            for span in each.spans
        ]
        if utterances:
            # One may be there: whether an earlier commit failed is not always known.
            Utterance.objects.bulk_create(utterances, ignore_conflicts=True)
    return written
