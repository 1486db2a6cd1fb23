"""The summary at the head of minutes: what a person writes, or has a service draft."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.core import audit
from apps.minutes.assembling import document_now
from apps.minutes.document import Language
from apps.minutes.errors import MinutesSigned, SummaryOff
from apps.minutes.models import Minutes
from apps.minutes.summarising import host, summary_of

from .changing import change

LONGEST = 8000
"""Characters."""


def write_summary(*, by: audit.By, actor: Actor, minutes_id: UUID, summary: str) -> None:
    """Raises MinutesSigned, and what says why they may not."""
    actor.require(Action.CORRECT_MINUTES)
    with change(minutes_id, actor=actor, by=by, act="summary") as c:
        c.numbered = c.minutes.summary != summary
        c.minutes.summary = summary


def can_summarise(actor: Actor, minutes: Minutes) -> bool:
    offered = bool(settings.SPARKLE_SUMMARY_URL) and minutes.whisper_id is None
    return offered and bool(actor.may(Action.CORRECT_MINUTES))


def summarise(*, by: audit.By, actor: Actor, minutes: Minutes) -> None:
    """Have a draft made of the main room's minutes, below the summary that there is. Not to be called within a
    transaction. Raises SummaryOff, SummaryFailed, MinutesSigned, and what says why they may not.
    """
    actor.require(Action.CORRECT_MINUTES)
    if not can_summarise(actor, minutes):
        raise SummaryOff
    if minutes.state == Minutes.State.SIGNED:
        raise MinutesSigned
    language = cast(Language, minutes.conference.prompt_language)
    document = document_now(minutes, site="", language=language)
    # Before it is sent, since then it is out.
    about = {"to": host()}
    audit.record(by=by, action="minutes_sent_out", on=minutes, conference_id=minutes.conference_id, detail=about)
    text = summary_of(document)
    with translation.override(language):
        draft = f"{_('Draft, not written by a person:')}\n{text}"
    with change(minutes.pk, actor=actor, by=by, act="summarise") as c:
        before = c.minutes.summary
        c.minutes.summary = (f"{before}\n\n{draft}" if before else draft)[:LONGEST]
        c.numbered = True
