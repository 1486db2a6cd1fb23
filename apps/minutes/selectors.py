"""Whose minutes a person may read, and what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.errors import require
from apps.conferences.models import Conference, Whisper
from apps.core.errors import NotFound
from apps.recordings.selectors import whispers_of

from .models import Minutes, Passage, Transcript
from .telling import read_along


@dataclass(frozen=True, slots=True)
class Progress:
    """How many utterances are in which state, and why those that failed did."""

    waiting: int
    heard: int
    done: int
    refused: int
    failed: int
    reasons: tuple[str, ...]


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
    says why they may not be read: before the end all who are in may read along.
    """
    if whisper is None and read_along(conference):
        require(actor.may(Action.VIEW) if not actor.waits else actor.may(Action.READ_MINUTES))
    else:
        require(actor.may(Action.READ_MINUTES))
    if whisper is not None and not whispers_of(actor).filter(pk=whisper, conference=conference).exists():
        raise NotFound
    return Minutes.objects.filter(conference=conference, whisper=whisper).first()


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
    counts = written.aggregate(**{state.value: Count("pk", filter=Q(state=state)) for state in states})
    reasons: list[str] = []
    if counts["failed"]:
        failed = written.filter(state=states.FAILED)
        reasons = list(failed.order_by("reason").values_list("reason", flat=True).distinct())
    return Progress(**counts, reasons=tuple(reasons))
