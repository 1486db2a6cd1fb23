"""What people asked to hear again, in the database (recordings.SayAgain)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings

from apps.conferences.reconcile.desired import DesiredAgain

from .database import Connection


def load_again(connection: Connection, conference: UUID) -> tuple[DesiredAgain, ...]:
    """What is not decided yet."""
    rows = connection.execute(
        """
        SELECT a.key, a.participant_id, a.asked_at, a.state
          FROM recordings_sayagain a
          JOIN conferences_participant p ON p.id = a.participant_id
         WHERE p.conference_id = %s AND a.state <> 'over'
        """,
        (conference,),
    )
    return tuple(
        DesiredAgain(
            row["key"],
            row["participant_id"],
            row["asked_at"].timestamp(),
            f"{settings.SPARKLE_SPOOL_DIR}/again/{row['key'].hex}.wav" if row["state"] == "ready" else None,
            row["state"] == "failed",
        )
        for row in rows
    )


def write_again(connection: Connection, keys: Iterable[UUID]) -> set[UUID]:
    """Write that these are decided; those of them that were not before."""
    rows = connection.execute(
        "UPDATE recordings_sayagain SET state = 'over' WHERE key = ANY(%s) AND state <> 'over' RETURNING key",
        (list(keys),),
    )
    return {row["key"] for row in rows}
