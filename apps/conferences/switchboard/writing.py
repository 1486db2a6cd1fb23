"""Projection into PostgreSQL: what changed since the last flush, in one transaction, each table in one statement.

Column by column as arrays (`unnest`), or as JSON, so a thousand rows cost one round trip. The order of locks is the
one of the services: the conference's row first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from apps.conferences.live.views import Changes
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.media import rule
from apps.conferences.reconcile.observed import LegPhase, ObservedLeg

from .database import Connection
from .loading import Facts, Loaded

#: An attempt that waits to be originated again is, to everybody else, one that was sent.
_PHASE = {phase: phase.name.lower() for phase in LegPhase} | {LegPhase.MISSING: "sent"}


@dataclass(slots=True)
class LegRow:
    """A leg with what only its conference knows of it: which one, and the number that was called."""

    conference: UUID
    leg: ObservedLeg
    kind: str = ""
    number: str = ""
    gateway_name: str = ""


@dataclass(slots=True)
class ConferenceUpdate:
    """What changed in one conference: columns to write (`told`: those of participants that differ) and what its
    viewers are told.
    """

    loaded: Loaded
    participants: dict[UUID, Facts] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    feeds: dict[UUID, bool] = field(default_factory=dict)
    played: dict[UUID, tuple[datetime | None, str]] = field(default_factory=dict)
    told: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    changes: Changes = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.participants or self.columns or self.feeds or self.played)


def moment(at: float | None) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at is not None else None


def store_attempts(connection: Connection, dials: Sequence[tuple[UUID, Dial, str]], now: datetime) -> set[UUID]:
    """Write the attempts of (conference, dial, gateway name), and say which legs may now be originated.

    A participant who has another live attempt gets no second one, whatever was believed here. A leg that is
    stored already, by a transaction whose
    commit was never answered, may be originated: it never was.
    """
    attempts = [
        {
            "leg": dial.leg,
            "conference": conference,
            "participant": dial.participant,
            "round": dial.round,
            "ordinal": dial.ordinal,
            "number_index": dial.number,
            "kind": dial.target.kind,
            "number": dial.target.number,
            "gateway": dial.route.gateway,
            "gateway_name": name,
            "encryption": rule(dial.route.encryption),
        }
        for conference, dial, name in dials
    ]
    # JSON takes a third of the CPU time that arrays take; between a click and a thousand calls that counts.
    rows = connection.execute(
        """
        INSERT INTO conferences_attempt
               (leg, conference_id, participant_id, round, ordinal, number_index, kind, number,
               gateway_id, gateway_name, encryption,
                phase, cause, sip_code, sends, stored_at)
        SELECT v.leg, v.conference, v.participant, v.round, v.ordinal, v.number_index, v.kind, v.number, v.gateway,
               v.gateway_name, v.encryption, 'stored', '', 0, 0, %s
          FROM json_to_recordset(%s)
               AS v(leg uuid, conference uuid, participant uuid, round int, ordinal int, number_index int, kind text,
                    number text, gateway uuid, gateway_name text, encryption text)
         WHERE NOT EXISTS (SELECT FROM conferences_attempt a
                            WHERE a.participant_id = v.participant AND a.phase <> 'ended' AND a.leg <> v.leg)
            ON CONFLICT (leg) DO UPDATE SET stored_at = excluded.stored_at WHERE conferences_attempt.phase = 'stored'
     RETURNING leg
        """,
        (now, msgspec.json.encode(attempts).decode()),
    )
    return {row["leg"] for row in rows}


def write_legs(connection: Connection, rows: Sequence[LegRow]) -> None:
    """Write how far legs are. One that has no row yet (somebody else called it) gets one."""
    legs = [row.leg for row in rows]
    connection.execute(
        """
        INSERT INTO conferences_attempt
               (leg, conference_id, participant_id, round, ordinal, number_index, kind, number,
               gateway_id, gateway_name, codec, encryption,
                phase, cause, sip_code, sends, stored_at, sent_at, ringing_at, answered_at, joined_at, ended_at)
        SELECT *
          FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::int[], %s::text[], %s::text[],
                      %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::int[],
                      %s::timestamptz[],
                      %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
            ON CONFLICT (leg) DO UPDATE
           SET codec = excluded.codec, encryption = excluded.encryption, phase = excluded.phase,
               cause = excluded.cause, sip_code = excluded.sip_code, sends = excluded.sends,
               sent_at = excluded.sent_at, ringing_at = excluded.ringing_at, answered_at = excluded.answered_at,
               joined_at = excluded.joined_at, ended_at = excluded.ended_at
        """,
        (
            [leg.leg for leg in legs],
            [row.conference for row in rows],
            [leg.participant for leg in legs],
            [leg.round for leg in legs],
            [leg.ordinal for leg in legs],
            [leg.number for leg in legs],
            [row.kind for row in rows],
            [row.number for row in rows],
            [leg.gateway for leg in legs],
            [row.gateway_name for row in rows],
            [leg.media.codec for leg in legs],
            [leg.media.encryption(leg.encryption) for leg in legs],
            [_PHASE[leg.phase] for leg in legs],
            [leg.cause[:64] for leg in legs],
            [leg.sip_code for leg in legs],
            [leg.sends for leg in legs],
            [moment(leg.stored_at) for leg in legs],
            [moment(leg.sent_at or None) for leg in legs],
            [moment(leg.ringing_at) for leg in legs],
            [moment(leg.answered_at) for leg in legs],
            [moment(leg.joined_at) for leg in legs],
            [moment(leg.ended_at) for leg in legs],
        ),
    )


def write_conferences(connection: Connection, updates: Iterable[ConferenceUpdate]) -> list[tuple[UUID, int, Changes]]:
    """Number and write what viewers are told, and the columns of each conference; (conference, seq, changes) for
    after the commit.
    """
    written = []
    for update in sorted(updates, key=lambda each: each.loaded.desired.id):
        conference = update.loaded.desired.id
        # A number is for what viewers are told; the rest needs none.
        assignments = [
            *(["seq = seq + 1"] if update.changes else []),
            *(f"{name} = %({name})s" for name in update.columns),
        ]
        if not assignments:
            continue
        row = connection.execute(
            f"UPDATE conferences_conference SET {', '.join(assignments)} WHERE id = %(id)s RETURNING seq",  # noqa: S608 - names of ours
            {**update.columns, "id": conference},
        ).fetchone()
        if row is None:
            continue
        if update.changes:
            connection.execute(
                "INSERT INTO conferences_delta (conference_id, seq, at, changes)"
                " VALUES (%s, %s, clock_timestamp(), %s)",
                (conference, row["seq"], Jsonb(update.changes)),
            )
            written.append((conference, row["seq"], update.changes))
        for whisper, feed in update.feeds.items():
            connection.execute("UPDATE conferences_whisper SET observed_feed = %s WHERE id = %s", (feed, whisper))
        for announcement, (at, error) in update.played.items():
            connection.execute(
                "UPDATE conferences_announcement SET played_at = %s, error = %s WHERE id = %s",
                (at, error, announcement),
            )
    return written


def write_participants(connection: Connection, facts: dict[UUID, Facts]) -> None:
    """Write the observed columns of participants, in the order of PARTICIPANT_COLUMNS."""
    columns = list(zip(*facts.values(), strict=True))
    connection.execute(
        """
        UPDATE conferences_participant p
           SET state = v.state, cause = v.cause, sip_code = v.sip_code, next_try_at = v.next_try_at, leg = v.leg,
               observed_room = v.room, observed_muted = v.muted, observed_deaf = v.deaf, observed_held = v.held,
               observed_volume = v.volume, codec = v.codec, encryption = v.encryption, loss = v.loss,
               jitter = v.jitter, joined_at = v.joined_at, left_at = v.left_at
          FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::timestamptz[], %s::uuid[], %s::text[],
                      %s::bool[], %s::bool[], %s::bool[], %s::int[], %s::text[], %s::text[], %s::int[], %s::int[],
                      %s::timestamptz[], %s::timestamptz[])
               AS v(id, state, cause, sip_code, next_try_at, leg, room, muted, deaf, held, volume, codec, encryption,
                    loss, jitter, joined_at, left_at)
         WHERE p.id = v.id
        """,
        (list(facts), *(list(column) for column in columns)),
    )
