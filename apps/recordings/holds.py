"""Legal hold: what must not be erased, neither by a person nor when its time is over.

It is audited apart from the conference: the people of a conference read its log, and are not to learn why it is held.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.core.audit import By, record

from .models import LegalHold

HELD_UNITS: Final = """
held_units(unit_id) AS (
    SELECT unit_id FROM recordings_legalhold WHERE unit_id IS NOT NULL AND lifted_at IS NULL
    UNION
    SELECT unit.id FROM accounts_organisationunit unit JOIN held_units ON unit.parent_id = held_units.unit_id
)"""
"""For WITH RECURSIVE."""
HELD: Final = """(
    EXISTS (SELECT FROM recordings_legalhold hold WHERE hold.conference_id = conference.id AND hold.lifted_at IS NULL)
    OR EXISTS (SELECT FROM held_units WHERE held_units.unit_id = owner.unit_id)
)"""
"""Whether `conference`, which is its `owner`'s, is held; beside HELD_UNITS."""

_QUESTION: Final = f"""
WITH RECURSIVE {HELD_UNITS}
SELECT {HELD} FROM conferences_conference conference JOIN accounts_user owner ON owner.id = conference.owner_id
 WHERE conference.id = %s
"""  # noqa: S608 - names of ours
_LOCK: Final = "hashtextextended('legal holds', 0)"


def held(conference_id: UUID) -> bool:
    """Ask in the transaction that erases: until its end no hold is set anywhere."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")
        cursor.execute(_QUESTION, [conference_id])
        row = cursor.fetchone()
    return bool(row and row[0])


@transaction.atomic
def set_hold(hold: LegalHold, *, by: By) -> None:
    """Waits for what is being erased; from then on it holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
    hold.set_at = timezone.now()
    hold.set_by_id = by.person.pk if by.person else None
    hold.save(force_insert=True)
    _record(hold, by, "set_legal_hold", hold.reason)


@transaction.atomic
def lift_hold(hold: LegalHold, *, reason: str, by: By) -> None:
    """Once: of one that was lifted already, nothing changes."""
    hold = LegalHold.objects.select_for_update().get(pk=hold.pk)
    if hold.lifted_at is None:
        hold.lifted_at = timezone.now()
        hold.lifted_by_id = by.person.pk if by.person else None
        hold.lifted_reason = reason
        hold.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])
        _record(hold, by, "lift_legal_hold", reason)


def _record(hold: LegalHold, by: By, action: str, reason: str) -> None:
    on = {"conference": hold.conference_id, "unit": hold.unit_id}
    detail = {key: str(value) for key, value in on.items() if value} | {"reason": reason}
    record(by=by, action=action, on=hold, detail=detail)
