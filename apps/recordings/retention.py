"""How long recordings are kept: as the policy of their owner's unit says, and longer while a legal hold is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.policy import UNITS
from apps.conferences.models import Conference
from apps.core.audit import SYSTEM, record

from .holds import HELD, HELD_UNITS, held
from .models import Track
from .shredding import shred

TERMS: Final = f"""
{UNITS}, {HELD_UNITS},
terms(conference_id, unit_id, kept_until, held) AS (
    SELECT conference.id, owner.unit_id, conference.ended_at + units.recordings_kept * interval '1 day', {HELD}
      FROM conferences_conference conference JOIN accounts_user owner ON owner.id = conference.owner_id
      LEFT JOIN units ON units.unit_id = owner.unit_id
)"""  # noqa: S608 - names of ours
"""For WITH RECURSIVE: until when what was recorded of each conference is kept (NULL: for ever), and whether it is on
legal hold, which comes before.
"""

_EXPIRED: Final = f"""
WITH RECURSIVE {TERMS}
SELECT conference_id FROM terms
 WHERE kept_until < %(now)s AND NOT held AND (%(only)s::uuid IS NULL OR conference_id = %(only)s)
   AND EXISTS (SELECT FROM recordings_track track WHERE track.conference_id = terms.conference_id AND state <> 'erased')
 ORDER BY kept_until
"""  # noqa: S608 - names of ours


def expired(now: datetime, only: UUID | None = None) -> list[UUID]:
    """Conferences of which something is still there that is to be erased, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRED, {"now": now, "only": only})
        return [conference for (conference,) in cursor.fetchall()]


@transaction.atomic
def shred_expired(conference_id: UUID) -> list[Track]:
    """All that was recorded of a conference, if its time is over and it is not held; the tracks whose files may go."""
    if held(conference_id) or not expired(timezone.now(), conference_id):
        return []
    conference = Conference.objects.select_related("owner").get(pk=conference_id)
    found = shred(conference.tracks.all())
    if found:
        record(by=SYSTEM, action="expire_recording", on=conference, conference_id=conference_id)
    return found
