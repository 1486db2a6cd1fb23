"""What the sealer asks of the database and tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from apps.core.sql import Select
from apps.recordings.models import Track, Utterance
from apps.recordings.sealed.keys import WrappedKey
from apps.switch.models import Node

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


#: SQL of a Row, for a track's row `t`.
_ROW = {
    "id": "t.id",
    "conference": "t.conference_id",
    **{name: f"t.{name}" for name in ("rate", "channels", "frames", "ended_at", "key_id", "sealed_key")},
    "of_one": "t.kind <> 'mix'",
    "told": "t.started_at IS NOT NULL OR t.ended_at IS NOT NULL OR t.requested_at < %(silent)s",
}
_LIVE = f"t.state = 'live' AND t.node_id = (SELECT id FROM {Node._meta.db_table} WHERE name = %(node)s)"  # noqa: S608


def live_rows(node_name: str) -> list[Row]:
    """Asked for each round, so in SQL."""
    values = {"node": node_name, "silent": timezone.now() - UNTOLD}
    return [Row(*each) for each in Select(Track._meta.db_table, _ROW, _LIVE, values).all()]


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
