"""Taking minutes along."""

from __future__ import annotations

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.core import audit
from apps.minutes.exporting import File, exported, language_now, version_of
from apps.minutes.models import Minutes


def export(*, by: audit.By, actor: Actor, minutes: Minutes, kind: str, number: int | None, site: str) -> File:
    """A file, and that it was taken in the log. Raises NoSuchVersion, TemplateUnusable, and what says why they may
    not.
    """
    actor.require(Action.EXPORT)
    version = version_of(minutes, number)
    file = exported(minutes, version, kind, site=site, language=language_now())
    audit.record(
        by=by,
        action="export",
        on=minutes,
        conference_id=minutes.conference_id if minutes.whisper_id is None else None,
        detail={"format": kind, "version": version.number if version else None},
    )
    return file
