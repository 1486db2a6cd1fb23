"""What the engine is told of a conference beforehand: its languages, and names and terms that it is to spell right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db import connection

from apps.conferences.models import Conference

from .models import Minutes
from .pipeline.result import Setting

_GLOSSARIES: Final = """
WITH RECURSIVE line(id, parent_id, glossary, distance) AS (
    SELECT id, parent_id, glossary, 0 FROM accounts_organisationunit WHERE id = %s
    UNION ALL
    SELECT unit.id, unit.parent_id, unit.glossary, line.distance + 1
      FROM accounts_organisationunit unit JOIN line ON unit.id = line.parent_id
) CYCLE id SET again USING path
SELECT glossary FROM line WHERE glossary <> '' ORDER BY distance
"""


def setting_of(minutes: Minutes) -> Setting:
    conference = minutes.conference
    people = conference.participants.order_by("position").values_list("name", flat=True)
    return Setting(
        languages=tuple(dict.fromkeys(conference.spoken_languages)),
        title=conference.title,
        agenda=conference.agenda,
        names=tuple(dict.fromkeys(people)),
        glossary=tuple(glossary_of(conference)),
    )


def glossary_of(conference: Conference) -> list[str]:
    """The plan's terms first, then those of its owner's unit and the units above."""
    terms = list(_lines([conference.glossary]))
    if conference.owner.unit_id is not None:
        terms += _lines(_glossaries(conference.owner.unit_id))
    return list(dict.fromkeys(terms))


def _glossaries(unit: UUID) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_GLOSSARIES, [unit])
        return [glossary for (glossary,) in cursor.fetchall()]


def _lines(texts: Iterable[str]) -> Iterable[str]:
    return (line.strip() for text in texts for line in text.splitlines() if line.strip())
