"""The summary at the head of minutes, which a person writes, or corrects."""

from __future__ import annotations

from uuid import UUID

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.core import audit

from .changing import change


def write_summary(*, by: audit.By, actor: Actor, minutes_id: UUID, summary: str) -> None:
    """Raises MinutesSigned, and what says why they may not."""
    actor.require(Action.CORRECT_MINUTES)
    with change(minutes_id, actor=actor, by=by, act="summary") as c:
        c.numbered = c.minutes.summary != summary
        c.minutes.summary = summary
