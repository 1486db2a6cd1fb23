"""The append-only log of who did what. Entries are written in the transaction of what they record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Model

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
    AuditEntry.objects.create(
        actor_id=by.person.pk if by.person else None,
        actor_name=str(by.person.display_name)[:150] if by.person else "",
        action=action,
        object_type=(on._meta.model_name or "") if on else "",
        object_id=str(on.pk) if on else "",
        object_name=str(on)[:200] if on else "",
        conference_id=conference_id,
        detail=detail or {},
        address=by.address,
    )
