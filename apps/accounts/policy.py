"""Which organisation policy holds for a unit: that of the nearest unit upwards that has one, else the defaults."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from .models import OrganisationPolicy

# The columns by name: a statement that is prepared outlives a migration that adds one.
_COLUMNS = ", ".join(f"policy.{field.column}" for field in OrganisationPolicy._meta.concrete_fields)
_NEAREST = f"""
WITH RECURSIVE line(id, parent_id, distance) AS (
    SELECT id, parent_id, 0 FROM accounts_organisationunit WHERE id = %s
    UNION ALL
    SELECT unit.id, unit.parent_id, line.distance + 1
      FROM accounts_organisationunit unit JOIN line ON unit.id = line.parent_id
) CYCLE id SET again USING path
SELECT {_COLUMNS} FROM accounts_organisationpolicy policy JOIN line ON policy.unit_id = line.id
 ORDER BY line.distance LIMIT 1
"""  # noqa: S608 - names of this project's own

UNITS: Final = """
units(unit_id, path, recordings_kept) AS (
    SELECT unit.id, unit.name::text, policy.recordings_kept
      FROM accounts_organisationunit unit LEFT JOIN accounts_organisationpolicy policy ON policy.unit_id = unit.id
     WHERE unit.parent_id IS NULL
    UNION ALL
    SELECT unit.id, units.path || ' / ' || unit.name,
           CASE WHEN policy.id IS NULL THEN units.recordings_kept ELSE policy.recordings_kept END
      FROM units JOIN accounts_organisationunit unit ON unit.parent_id = units.unit_id
      LEFT JOIN accounts_organisationpolicy policy ON policy.unit_id = unit.id
)"""
"""For WITH RECURSIVE: every unit, where it is in the tree, and for how many days its people's recordings are kept."""


def policy_of(unit_id: UUID | None) -> OrganisationPolicy:
    """The policy that holds for the people of a unit (None: of no unit). One query."""
    if unit_id is None:
        return OrganisationPolicy()
    return next(iter(OrganisationPolicy.objects.raw(_NEAREST, [unit_id])), OrganisationPolicy())
