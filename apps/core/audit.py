"""The append-only log of who did what. Entries are written in the transaction of what they record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.utils import timezone
from psycopg.types.json import Jsonb

from .models import AuditEntry


class Person(Protocol):
    """Somebody who acts: a user, a guest (core knows no other app)."""

    @property
    def pk(self) -> Any: ...

    @property
    def display_name(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class By:
    """On whose behalf something is done: `person` is None for the system itself. `address` is the client's IP
    address.
    """

    person: Person | None = None
    address: str | None = None


SYSTEM = By()


def record(
    *,
    by: By,
    action: str,
    on: Model | None,
    conference_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one entry; `on` is None for what was done to nothing that exists.

    `detail` must hold no PIN, key, transcript or full number.
    """
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values(by=by, action=action, on=on, conference_id=conference_id, detail=detail))


_COLUMNS = [field.attname for field in AuditEntry._meta.concrete_fields if not field.primary_key]
_PREFIX = "audit_"
#: For whoever writes an entry together with other rows, in one statement; the parameters are `values(…)`.
INSERT: Final = (
    f"INSERT INTO {AuditEntry._meta.db_table} ({', '.join(_COLUMNS)})"  # noqa: S608 - names of ours
    f" VALUES ({', '.join(f'%({_PREFIX}{column})s' for column in _COLUMNS)})"
)


def values(
    *, by: By, action: str, on: Model | None, conference_id: UUID | None = None, detail: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The parameters of INSERT for one entry; the arguments are those of `record`."""
    columns = {
        "at": timezone.now(),
        "actor_id": by.person.pk if by.person else None,
        "actor_name": str(by.person.display_name)[:150] if by.person else "",
        "action": action,
        "object_type": (on._meta.model_name or "") if on else "",
        "object_id": str(on.pk) if on else "",
        "object_name": str(on)[:200] if on else "",
        "conference_id": conference_id,
        "detail": Jsonb(detail or {}),
        "address": by.address or None,
    }
    return {f"{_PREFIX}{column}": columns[column] for column in _COLUMNS}
