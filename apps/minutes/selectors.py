"""Whose minutes a person may read, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.errors import require
from apps.conferences.models import Conference, Participant, Whisper
from apps.conferences.selectors import HEARS
from apps.core.errors import NotFound
from apps.recordings.models import Track, Utterance
from apps.recordings.selectors import whispers_of

from .models import Minutes, Passage, Transcript
from .telling import read_along


@dataclass(frozen=True, slots=True)
class Progress:
    """How many utterances are in which state, and why those that failed did; how many of those that wait are out of
    reach; and whether something is missing in what was closed without all that was recorded.
    """

    waiting: int
    heard: int
    done: int
    refused: int
    failed: int
    reasons: tuple[str, ...]
    away: int
    missing: bool


def whispers_with_minutes(actor: Actor, conference: Conference) -> QuerySet[Whisper]:
    """Those that the person was in."""
    return whispers_of(actor).filter(conference=conference, minutes__isnull=False).order_by("opened_at", "pk")


@dataclass(frozen=True, slots=True)
class Place:
    """In the order of changes of minutes: after change `seq`, of those of the same number after `passage`. `erased` as
    in the minutes when that was read: once it is another, what was read has to go.
    """

    seq: int
    passage: UUID | None = None
    erased: int = 0

    @classmethod
    def of(cls, text: str) -> Place:
        """Raises ValueError."""
        seq, passage, erased = [*text.split("."), "", ""][:3]
        return cls(int(seq), UUID(passage) if passage else None, int(erased or 0))

    def __str__(self) -> str:
        return f"{self.seq}.{self.passage or ''}.{self.erased}"


def with_words(passages: QuerySet[Passage]) -> QuerySet[Passage]:
    """With all that is told of them (telling.py)."""
    return passages.select_related("participant", "transcript")


def minutes_to_read(actor: Actor, conference: Conference, whisper: UUID | None) -> Minutes | None:
    """Of the main room, or of a whisper that the person was in; None while there is nothing. Raises NotFound, and what
    says why they may not be read: before the end all who are in, and hear it anyway, may read along.
    """
    if not (whisper is None and read_along(conference) and _is_in(actor)):
        require(actor.may(Action.READ_MINUTES))
    if whisper is not None and not whispers_of(actor).filter(pk=whisper, conference=conference).exists():
        raise NotFound
    return Minutes.objects.filter(conference=conference, whisper=whisper).first()


def _is_in(actor: Actor) -> bool:
    if actor.waits or actor.participant is None:
        return False
    return Participant.objects.filter(HEARS, pk=actor.participant).exists()


def passages_since(minutes: Minutes, place: Place, *, hidden: bool, most: int) -> list[Passage]:
    """Those that changed after a place in the order of changes, removed ones too; at the very beginning only those that
    are there. Whoever may not see what is `hidden` is not told that it ever was there.
    """
    later = Q(seq__gt=place.seq) | Q(seq=place.seq, pk__gt=place.passage) if place.passage else Q(seq__gt=place.seq)
    changed = with_words(minutes.passages.filter(later))
    if place.seq == 0:
        changed = changed.filter(removed=False)
        if not hidden:
            changed = changed.filter(hidden=False)
    return list(changed.order_by("seq", "pk")[:most])


def progress_of(minutes: Minutes) -> Progress:
    states = Transcript.State
    written = Transcript.objects.filter(minutes=minutes.pk)
    counts = written.aggregate(
        **{state.value: Count("pk", filter=Q(state=state)) for state in states},
        away=Count("pk", filter=Q(state__in=(states.WAITING, states.HEARD), away_since__isnull=False)),
    )
    reasons: list[str] = []
    if counts["failed"]:
        failed = written.filter(state=states.FAILED)
        reasons = list(failed.order_by("reason").values_list("reason", flat=True).distinct())
    return Progress(**counts, reasons=tuple(reasons), missing=lacks_some(minutes))


def said_in(conference: Any, whisper: Any) -> QuerySet[Utterance]:
    """All that was found in what people said in a room: that of a whisper, or (None) the main one. Keys, or references
    to them.
    """
    told = Utterance.objects.filter(
        track__conference=conference, track__whisper=whisper, track__started_at__isnull=False
    )
    return told.exclude(track__kind=Track.Kind.MIX)


def not_taken_up(conference: Any, whisper: Any) -> QuerySet[Utterance]:
    """Of that, what does not even wait for its text: once minutes are closed, it was found afterwards."""
    return said_in(conference, whisper).filter(~Exists(Transcript.objects.filter(pk=OuterRef("pk"))))


def lacks_some(minutes: Minutes) -> bool:
    """Whether they were closed although something that was recorded was never sealed, or was only afterwards."""
    if minutes.state == Minutes.State.OPEN:
        return False
    room = minutes.conference_id, minutes.whisper_id
    live = Track.objects.filter(conference=room[0], whisper=room[1], state=Track.State.LIVE)
    return live.exclude(kind=Track.Kind.MIX).exists() or not_taken_up(*room).exists()
