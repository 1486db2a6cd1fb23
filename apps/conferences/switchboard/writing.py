"""Projection into PostgreSQL: what changed since the last flush, in one transaction, each table in one statement.

All rows of a statement are one parameter, so a thousand cost one round trip. The order of locks is the one of the
services: the conference's row first.
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
from apps.conferences.reconcile.recording import NewTrack
from apps.conferences.reconcile.tracks import ObservedTrack

from .database import Connection
from .loading import PARTICIPANT_COLUMNS, Facts, Loaded

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


# Rows go to PostgreSQL as JSON: it takes a third of the processor time that arrays take, and while two hundred people
# are called at once that counts.
_ATTEMPT = (
    "leg uuid, conference uuid, participant uuid, round int, ordinal int, number_index int, kind text, number text"
)
_DIAL = f"{_ATTEMPT}, gateway uuid, gateway_name text, encryption text"
_LEG = (
    f"{_ATTEMPT}, gateway uuid, gateway_name text, codec text, encryption text, phase text, cause text, sip_code int,"
    " sends int, stored_at timestamptz, sent_at timestamptz, ringing_at timestamptz, answered_at timestamptz,"
    " joined_at timestamptz, ended_at timestamptz"
)
#: In the order of PARTICIPANT_COLUMNS.
_PARTICIPANT = (
    "id uuid, state text, cause text, sip_code int, next_try_at timestamptz, leg uuid, observed_room text,"
    " observed_muted bool, observed_deaf bool, observed_held bool, observed_volume int, codec text, encryption text,"
    " loss int, jitter int, joined_at timestamptz, left_at timestamptz"
)


_NEW_TRACK = (
    "id uuid, conference uuid, participant uuid, whisper uuid, leg uuid, kind text, part int, requested_at timestamptz"
)
_TRACK = "id uuid, started_at timestamptz, ended_at timestamptz, channels int"


def _records(columns: str) -> str:
    """SQL of the rows `v` that the next parameter, of `_json`, holds."""
    return f"json_to_recordset(%s) AS v({columns})"


def _json(columns: str, rows: Iterable[Sequence[Any]]) -> str:
    names = [column.split()[0] for column in columns.split(", ")]
    return msgspec.json.encode([dict(zip(names, row, strict=True)) for row in rows]).decode()


def store_attempts(connection: Connection, dials: Sequence[tuple[UUID, Dial, str]], now: datetime) -> set[UUID]:
    """Write the attempts of (conference, dial, gateway name), and say which legs may now be originated.

    A participant who has another live attempt gets no second one, whatever was believed here. A leg that is stored
    already, by a transaction whose commit was never answered, may be originated: it never was.
    """
    attempts = (
        (
            *(dial.leg, conference, dial.participant, dial.round, dial.ordinal),
            *(dial.number, dial.target.kind, dial.target.number),
            *(dial.route.gateway, name, rule(dial.route.encryption)),
        )
        for conference, dial, name in dials
    )
    rows = connection.execute(
        f"""
        INSERT INTO conferences_attempt
               (leg, conference_id, participant_id, round, ordinal, number_index, kind, number,
               gateway_id, gateway_name, encryption,
                phase, cause, sip_code, sends, stored_at)
        SELECT v.leg, v.conference, v.participant, v.round, v.ordinal, v.number_index, v.kind, v.number, v.gateway,
               v.gateway_name, v.encryption, 'stored', '', 0, 0, %s
          FROM {_records(_DIAL)}
         WHERE NOT EXISTS (SELECT FROM conferences_attempt a
                            WHERE a.participant_id = v.participant AND a.phase <> 'ended' AND a.leg <> v.leg)
            ON CONFLICT (leg) DO UPDATE SET stored_at = excluded.stored_at WHERE conferences_attempt.phase = 'stored'
     RETURNING leg
        """,  # noqa: S608 - names of ours
        (now, _json(_DIAL, attempts)),
    )
    return {row["leg"] for row in rows}


def write_legs(connection: Connection, rows: Sequence[LegRow]) -> None:
    """Write how far legs are. One that has no row yet (somebody else called it) gets one."""
    connection.execute(
        f"""
        INSERT INTO conferences_attempt
               (leg, conference_id, participant_id, round, ordinal, number_index, kind, number,
               gateway_id, gateway_name, codec, encryption,
                phase, cause, sip_code, sends, stored_at, sent_at, ringing_at, answered_at, joined_at, ended_at)
        SELECT *
          FROM {_records(_LEG)}
            ON CONFLICT (leg) DO UPDATE
           SET codec = excluded.codec, encryption = excluded.encryption, phase = excluded.phase,
               cause = excluded.cause, sip_code = excluded.sip_code, sends = excluded.sends,
               sent_at = excluded.sent_at, ringing_at = excluded.ringing_at, answered_at = excluded.answered_at,
               joined_at = excluded.joined_at, ended_at = excluded.ended_at
        """,  # noqa: S608 - names of ours
        (_json(_LEG, map(_leg_values, rows)),),
    )


def _leg_values(row: LegRow) -> tuple[Any, ...]:
    leg = row.leg
    return (
        leg.leg,
        row.conference,
        leg.participant,
        leg.round,
        leg.ordinal,
        leg.number,
        row.kind,
        row.number,
        leg.gateway,
        row.gateway_name,
        leg.media.codec,
        leg.media.encryption(leg.encryption),
        _PHASE[leg.phase],
        leg.cause[:64],
        leg.sip_code,
        leg.sends,
        moment(leg.stored_at),
        moment(leg.sent_at or None),
        moment(leg.ringing_at),
        moment(leg.answered_at),
        moment(leg.joined_at),
        moment(leg.ended_at),
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
        if "settled_at" in update.columns:
            # Whatever the switch did not tell: nothing of the conference is alive.
            connection.execute(
                "UPDATE recordings_track SET ended_at = %s WHERE conference_id = %s AND ended_at IS NULL",
                (update.columns["settled_at"], conference),
            )
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
    connection.execute(
        f"""
        UPDATE conferences_participant p
           SET {", ".join(f"{column} = v.{column}" for column in PARTICIPANT_COLUMNS)}
          FROM {_records(_PARTICIPANT)}
         WHERE p.id = v.id
        """,  # noqa: S608 - names of ours
        (_json(_PARTICIPANT, ((participant, *row) for participant, row in facts.items())),),
    )


def store_tracks(connection: Connection, node: UUID, tracks: Sequence[tuple[UUID, NewTrack]]) -> None:
    """Write tracks, each with its conference, that the switch will be told to begin."""
    rows = (
        (
            *(new.track.id, conference, new.participant, new.track.whisper),
            *(new.track.subject if new.participant else None, new.track.kind, new.track.part),
            moment(new.track.sent_at),
        )
        for conference, new in tracks
    )
    connection.execute(
        f"""
        INSERT INTO recordings_track
               (id, conference_id, participant_id, whisper_id, leg, kind, part, node_id, requested_at, rate, channels,
                state, frames, key_id, sealed_key)
        SELECT v.id, v.conference, v.participant, v.whisper, v.leg, v.kind, v.part, %s, v.requested_at, 16000, 1,
               'live', 0, '', ''
          FROM {_records(_NEW_TRACK)}
            ON CONFLICT (id) DO NOTHING
        """,  # noqa: S608 - names of ours
        (node, _json(_NEW_TRACK, rows)),
    )


def write_tracks(connection: Connection, tracks: Sequence[ObservedTrack]) -> None:
    """Write when tracks began and ended."""
    rows = ((track.id, moment(track.started_at), moment(track.ended_at), track.channels) for track in tracks)
    connection.execute(
        f"""
        UPDATE recordings_track t
           SET started_at = v.started_at, ended_at = v.ended_at, channels = v.channels
          FROM {_records(_TRACK)}
         WHERE t.id = v.id
        """,  # noqa: S608 - names of ours
        (_json(_TRACK, rows),),
    )
