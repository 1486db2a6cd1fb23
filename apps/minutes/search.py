"""Finding what was said, in one or in all minutes that a person may read.

Whole minutes are looked up by their words first, an index of one row for each; then passages, in the newest of those.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from apps.accounts.models import User
from apps.conferences.access import Action
from apps.conferences.actors import Caller
from apps.conferences.models import Conference
from apps.conferences.selectors import actor_for, conferences_of, with_abilities
from apps.recordings.selectors import whispers_of, whispers_of_user

from .folding import query, terms, words
from .models import Minutes, Passage
from .selectors import with_words

CONFERENCES: Final = 20
"""On a page of results."""
HITS: Final = 5
"""Of each conference; the rest are counted."""
_LOOKED_THROUGH: Final = 60
"""Conferences that have all the words, for one page, and of them at first as many as fill it: more have to be looked
through where the words stand in different passages.
"""
_LARGEST: Final = (1 << 20) - 1
"""Bytes of different words that PostgreSQL takes for one record (tsvector): those of a hundred hours. What does not fit
is found in its own minutes alone.
"""
_NEEDED: Final = frozenset({Action.READ_MINUTES, Action.CORRECT_MINUTES})
#: Those that change all the time are in no index.
_MAY_HAVE_IT: Final = """t.id IN (
SELECT m.conference_id FROM minutes_minutes m JOIN minutes_with_words(%(wanted)s::tsquery) id USING (id)
 UNION ALL
SELECT conference_id FROM minutes_minutes WHERE seq <> indexed)"""
#: Nothing of what changed meanwhile: somebody's words may have been erased.
_INDEX: Final = """
WITH found AS (
    UPDATE minutes_minutes SET indexed = seq WHERE id = %(minutes)s AND seq = %(seq)s RETURNING id
)
INSERT INTO minutes_minuteswords (minutes_id, words) SELECT id, array_to_tsvector(%(words)s::text[]) FROM found
ON CONFLICT (minutes_id) DO UPDATE SET words = excluded.words
"""
_HITS: Final = """
SELECT id, conference_id, hits FROM (
    SELECT p.id, m.conference_id, count(*) OVER (PARTITION BY m.conference_id) AS hits,
           row_number() OVER (PARTITION BY m.conference_id ORDER BY p.starts_at DESC, p.id) AS place
      FROM minutes_minutes m JOIN minutes_passage p ON p.minutes_id = m.id
     WHERE m.conference_id = ANY (%(conferences)s) AND (m.whisper_id IS NULL OR m.whisper_id = ANY (%(whispers)s))
       AND NOT p.removed AND (NOT p.hidden OR m.conference_id = ANY (%(correctable)s))
       AND p.folded LIKE ALL (%(patterns)s)
) found WHERE place <= %(hits)s ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Found:
    """Where something was said: in one conference, the newest passages of it first."""

    conference: dict[str, Any]
    hits: list[Passage]
    count: int


def index_changed(most: int = 20) -> int:
    """Let minutes that changed be found by their words; of how many. Those that are being written are looked into
    without: their words change all the time. Safe to run twice, also at once.
    """
    changed = (
        Minutes.objects.exclude(seq=F("indexed"))
        .exclude(state=Minutes.State.OPEN)
        .order_by("pk")
        .values_list("pk", "seq")[:most]
    )
    for key, seq in changed:
        said = Passage.objects.filter(minutes=key, removed=False).values_list("folded", flat=True)
        found = _fitting({word for text in said.iterator(2000) for word in words(text)})
        with connection.cursor() as cursor:
            cursor.execute(_INDEX, {"minutes": key, "seq": seq, "words": found})
    return len(changed)


def _fitting(found: Collection[str]) -> list[str]:
    in_order = sorted(found)
    sizes = accumulate(len(word.encode()) for word in in_order)
    return [word for word, size in zip(in_order, sizes, strict=True) if size <= _LARGEST]


def search(user: User, text: str, *, after: str = "") -> tuple[list[Found], str]:
    """A page of conferences in whose minutes all of `text` is, the newest first, and after which conference to look
    further; empty: there are no more. A page may be short, or empty, where much had to be looked through.
    """
    wanted = query(text)
    if not wanted:
        return [], ""
    conferences = _candidates(user, wanted, after)
    if not conferences:
        return [], ""
    page: list[Found] = []
    for first, last in pairwise((0, CONFERENCES, _LOOKED_THROUGH)):
        readable = [each for each in conferences[first:last] if Action.READ_MINUTES in each["abilities"]]
        page += _found(user, readable, text, CONFERENCES - len(page))
        if len(page) == CONFERENCES:
            break
    looked_up_to = page[-1].conference if len(page) == CONFERENCES else conferences[-1]
    is_last = looked_up_to is conferences[-1] and len(conferences) < _LOOKED_THROUGH
    return page, "" if is_last else _place(looked_up_to)


def search_in(user: Caller, conference_id: UUID, text: str, most: int) -> list[Passage]:
    """Passages of one conference's minutes, in their order. Raises NotFound, and what says why it may not be read."""
    actor = actor_for(user, Conference, conference_id)
    actor.require(Action.READ_MINUTES)
    said = Passage.objects.filter(minutes__conference=conference_id, removed=False)
    said = said.filter(Q(minutes__whisper=None) | Q(minutes__whisper__in=whispers_of(actor)))
    if not actor.may(Action.CORRECT_MINUTES):
        said = said.filter(hidden=False)
    for term in terms(text):
        said = said.filter(folded__contains=term)
    return list(with_words(said.select_related("minutes")).order_by("starts_at", "pk")[:most]) if query(text) else []


def _candidates(user: User, wanted: str, after: str) -> list[dict[str, Any]]:
    """Conferences of the person whose minutes may have it, the newest first."""
    found = conferences_of(user).narrowed(_MAY_HAVE_IT, wanted=wanted).order_by("-launched_at", "-id")
    if after:
        moment, _, key = after.partition(" ")
        before = "(t.launched_at, t.id) < (%(moment)s::timestamptz, %(key)s::uuid)"
        found = found.narrowed(before, moment=moment, key=key)
    return [json.loads(each) for each in with_abilities(user, found[0:_LOOKED_THROUGH], _NEEDED)]


def _place(conference: dict[str, Any]) -> str:
    return f"{conference['launched_at']} {conference['id']}"


def _found(user: User, conferences: Sequence[dict[str, Any]], text: str, most: int) -> list[Found]:
    """The first of them in which it is, in their order."""
    if not conferences:
        return []
    keys = [UUID(each["id"]) for each in conferences]
    values: dict[str, Any] = {
        "conferences": keys,
        "whispers": list(whispers_of_user(user, keys).values_list("pk", flat=True)),
        "correctable": [UUID(each["id"]) for each in conferences if Action.CORRECT_MINUTES in each["abilities"]],
        "patterns": [f"%{_escaped(term)}%" for term in terms(text)],
        "hits": HITS,
    }
    hits: dict[str, list[UUID]] = {}
    counts: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_HITS, values)
        for passage, conference, count in cursor.fetchall():
            hits.setdefault(str(conference), []).append(passage)
            counts[str(conference)] = count
    found = [conference for conference in conferences if conference["id"] in hits][:most]
    keys_of = {conference["id"]: hits[conference["id"]] for conference in found}
    passages = with_words(Passage.objects.select_related("minutes")).in_bulk(
        [key for of_one in keys_of.values() for key in of_one]
    )
    return [
        Found(each, [passages[key] for key in keys_of[each["id"]] if key in passages], counts[each["id"]])
        for each in found
    ]


def _escaped(term: str) -> str:
    """As it is, in a pattern of LIKE."""
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
