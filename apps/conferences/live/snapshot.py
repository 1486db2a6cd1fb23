"""The whole of what a class of viewers sees, built as JSON by PostgreSQL in one statement, which sees one state of
the database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from uuid import UUID

from django.db import connection

from .views import ANNOUNCEMENT, CONFERENCE, INSIDE, PARTICIPANT, PRIVATE, WHISPER, View, field_name

_TIMES = frozenset(
    {
        "hand_raised_at",
        "chair_asked_at",
        "joined_at",
        "left_at",
        "next_try_at",
        "opened_at",
        "closed_at",
        "created_at",
        "updated_at",
        "played_at",
        "launched_at",
        "started_at",
        "ends_at",
        "ended_at",
        "expected_at",
        "guest_link_at",
    }
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`body` is the inside of a JSON object:
    `"conference":{…},"participants":[…],"whispers":[…],"announcements":[…]`.
    """

    seq: int
    body: str


def _value(table: str, column: str) -> str:
    name = f"{table}.{column}"
    if column == "observed_room":
        whisper = f"(substr({name}, 3)::uuid)::text"
        return f"CASE left({name}, 2) WHEN 'c-' THEN 'main' WHEN 'l-' THEN 'lobby' WHEN 'w-' THEN {whisper} END"
    if column in _TIMES:
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return name


def json_object(
    table: str,
    columns: tuple[str, ...],
    *,
    hidden: frozenset[str] = frozenset(),
    computed: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """SQL for a row of `table` (its alias) as a JSON object with the viewers' fields; `computed` has SQL for those of
    `columns` that the table lacks.
    """
    named = ", ".join(
        f'{computed.get(column) or _value(table, column)} AS "{field_name(column)}"'
        for column in columns
        if field_name(column) not in hidden
    )
    # A quarter faster than json_build_object with the same pairs.
    return f"(SELECT row_to_json(fields) FROM (SELECT {named}) fields)"  # noqa: S608 - names of ours


@cache
def participant_json(view: View, table: str) -> str:
    """SQL for a participant (`table` is its alias) as this class sees it."""
    return json_object(table, PARTICIPANT, hidden=frozenset() if view is View.FULL else PRIVATE)


@cache
def _statement(view: View) -> str:
    def several(alias: str, table: str, built: str, order: str) -> str:
        return (
            f"(SELECT coalesce(json_agg({built} ORDER BY {order}), '[]')::text FROM {table} {alias}"  # noqa: S608 - names of ours
            f" WHERE {alias}.conference_id = c.id)"
        )

    people = "conferences_participant"
    if view is View.WAITING:
        conference = json_object("c", CONFERENCE, hidden=INSIDE)
        people = f"(SELECT * FROM {people} WHERE id = %(own)s)"  # noqa: S608 - names of ours
        whispers = announcements = "'[]'"
    else:
        conference = json_object("c", CONFERENCE)
        whispers = several("w", "conferences_whisper", json_object("w", WHISPER), "w.opened_at, w.id")
        announcements = several("a", "conferences_announcement", json_object("a", ANNOUNCEMENT), "a.created_at, a.id")
    participants = several("p", people, participant_json(view, "p"), "p.position, p.id")
    return (
        # Names of ours; the values are parameters.
        f"SELECT c.seq, {conference}::text, {participants}, {whispers}, {announcements}"  # noqa: S608
        " FROM conferences_conference c WHERE c.id = %(conference)s"
    )


def take(conference_id: UUID, view: View, own: UUID | None = None) -> Snapshot | None:
    """The conference as this class of viewers sees it now; None when there is no such conference. `own` is for
    WAITING: who they are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_statement(view), {"conference": conference_id, "own": own})
        row = cursor.fetchone()
    if row is None:
        return None
    seq, *parts = row
    names = ("conference", "participants", "whispers", "announcements")
    return Snapshot(seq, ",".join(f"{json.dumps(name)}:{part}" for name, part in zip(names, parts, strict=True)))
