"""Finding what was said, in one or in all minutes that a person may read.

Whole minutes are looked up by their words first, an index of one row for each; then passages, in the newest of those.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet

from apps.accounts.models import User
from apps.conferences.access import Action
from apps.conferences.selectors import actor_for, conferences_of, with_abilities
from apps.conferences.models import Conference
from apps.recordings.selectors import whispers_of

from .folding import query, terms, words
from .models import Minutes, Passage

CONFERENCES: Final = 20
"""On a page of results."""
HITS: Final = 5
"""Of each conference; the rest are counted."""
_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Where something was said: in one conference, the newest passages of it first."""

    conference: dict[str, Any]
    hits: list[Passage]
    count: int


def index_changed(most: int = 20) -> int:
    """Let minutes that changed be found by their words; of how many. Safe to run twice, also at once."""
    changed = Minutes.objects.exclude(seq=F("indexed")).order_by("pk").values_list("pk", "seq")[:most]
    for key, seq in changed:
        said = Passage.objects.filter(minutes=key, removed=False).values_list("folded", flat=True)
        found = sorted({word for text in said.iterator(2000) for word in words(text)})
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE minutes_minutes SET words = array_to_tsvector(%s::text[]), indexed = %s"
                " WHERE id = %s AND indexed < %s",
                [found, seq, key, seq],
            )
    return len(changed)


def search(user: User, text: str, *, after: str = "") -> tuple[list[Found], str]:
    """A page of conferences in whose minutes all of `text` is, the newest first, and where the next page begins (empty:
    there is none).
    """
    wanted, sought = query(text), terms(text)
    if not wanted:
        return [], ""
    page: list[Found] = []
    for conference, abilities in _candidates(user, wanted, after):
        if Action.READ_MINUTES not in abilities:
            continue
        said = _said(user, UUID(conference["id"]), sought, hidden=Action.CORRECT_MINUTES in abilities)
        if (count := said.count()) == 0:
            continue
        if len(page) == CONFERENCES:
            last = page[-1].conference
            return page, f"{last['launched_at']} {last['id']}"
        page.append(Found(conference, list(said[:HITS]), count))
    return page, ""


def search_in(user: User, conference_id: UUID, text: str, most: int) -> list[Passage]:
    """Passages of one conference's minutes, in their order. Raises NotFound, and what says why it may not be read."""
    actor = actor_for(user, Conference, conference_id)
    actor.require(Action.READ_MINUTES)
    hidden = bool(actor.may(Action.CORRECT_MINUTES))
    found = _said(user, conference_id, terms(text), hidden=hidden).order_by("starts_at", "pk")
    return list(found[:most]) if query(text) else []


def _candidates(user: User, wanted: str, after: str) -> Iterator[tuple[dict[str, Any], Sequence[str]]]:
    """Conferences that the person has a part in and that may have it, and what they may do there."""
    has_it = (
        "t.id IN (SELECT m.conference_id FROM minutes_minutes m"
        " WHERE m.words @@ %(wanted)s::tsquery OR m.seq <> m.indexed)"
    )
    found = conferences_of(user).narrowed(has_it, wanted=wanted).order_by("-launched_at", "-id")
    if after:
        moment, _, key = after.partition(" ")
        found = found.narrowed("(t.launched_at, t.id) < (%(moment)s::timestamptz, %(key)s::uuid)", moment=moment, key=key)
    actions = frozenset({Action.READ_MINUTES, Action.CORRECT_MINUTES})
    start = 0
    while rows := found[start : start + _AT_ONCE]:
        for document in with_abilities(user, rows, actions):
            conference = json.loads(document)
            yield conference, conference["abilities"]
        start += _AT_ONCE


def _said(user: User, conference_id: UUID, sought: Sequence[str], *, hidden: bool) -> QuerySet[Passage]:
    actor = actor_for(user, Conference, conference_id)
    open_to = Minutes.objects.filter(conference=conference_id)
    open_to = open_to.filter(Q(whisper=None) | Q(whisper__in=whispers_of(actor)))
    said = Passage.objects.filter(minutes__in=open_to, removed=False)
    if not hidden:
        said = said.filter(hidden=False)
    for term in sought:
        said = said.filter(folded__contains=term)
    return said.select_related("participant", "transcript", "minutes").order_by("-starts_at", "-pk")
