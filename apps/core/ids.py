"""Identifiers: UUID version 7 (RFC 9562 §5.7), so that new rows lie side by side in their indexes."""

from __future__ import annotations

from uuid import UUID

from uuid6 import uuid7 as _uuid7


def new_id() -> UUID:
    return UUID(int=_uuid7().int)
