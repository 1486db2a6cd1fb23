"""Having tried again what could not be written."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Value, When

from apps.core import audit
from apps.minutes.errors import MinutesSigned
from apps.minutes.models import Minutes, Transcript
from apps.minutes.selectors import not_taken_up
from apps.minutes.telling import tell
from apps.recordings.models import Track


def to_retry() -> QuerySet[Minutes]:
    """Minutes of which something failed, or was found only after they had been closed."""
    failed = Exists(_failed().filter(minutes=OuterRef("pk")))
    late = Q(Exists(not_taken_up(OuterRef("conference"), None)), whisper=None)
    late |= Q(Exists(not_taken_up(OuterRef("conference"), OuterRef("whisper"))))
    return Minutes.objects.filter(Q(failed) | ~Q(state=Minutes.State.OPEN) & late)


@transaction.atomic
def retry(*, by: audit.By, minutes_id: UUID, only: Collection[UUID] | None = None) -> int:
    """Let what failed of these minutes wait again, and what was found after they had been closed; how many utterances.
    `only` these transcripts, else all. Raises MinutesSigned.

    Minutes that were ready are open until all of it is written. People go on correcting them, and what they have
    corrected stays; nobody signs what still grows.
    """
    # The order of locks: services/changing.py.
    failed = _failed().filter(minutes=minutes_id)
    if only is not None:
        failed = failed.filter(pk__in=only)
    keys = list(failed.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    minutes = Minutes.objects.select_for_update(of=("self",)).select_related("conference").get(pk=minutes_id)
    closed = minutes.state != Minutes.State.OPEN
    found = not_taken_up(minutes.conference_id, minutes.whisper_id).count() if closed and only is None else 0
    if not keys and not found:
        return 0
    if minutes.state == Minutes.State.SIGNED:
        raise MinutesSigned
    Transcript.objects.filter(pk__in=keys).update(
        # What was written while people spoke is to be refined.
        state=Case(When(written_at=None, then=Value(Transcript.State.WAITING)), default=Value(Transcript.State.HEARD)),
        reason="",
        attempts=0,
        not_before=None,
        away_since=None,
    )
    if closed:
        minutes.state = Minutes.State.OPEN
        minutes.seq += 1
        minutes.save(update_fields=["state", "seq"])
        tell(minutes)
    audit.record(
        by=by,
        action="minutes_retry",
        on=minutes,
        conference_id=minutes.conference_id if minutes.whisper_id is None else None,
        detail={"utterances": len(keys) + found},
    )
    return len(keys) + found


def _failed() -> QuerySet[Transcript]:
    """What is erased, or was never recorded, nobody will ever hear."""
    there = (Track.State.LIVE, Track.State.SEALED)
    return Transcript.objects.filter(state=Transcript.State.FAILED, track__state__in=there)
