"""Announcements: text that is spoken to everybody or to one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.models import Announcement, Conference
from apps.core.errors import Problem
from apps.switch.speech import SpeechError, synthesise

from .acting import Act, Answer


class CannotSpeak(Problem):
    status = 503
    code = "cannot_speak"
    title = _("The text could not be turned into speech")
    detail = _("Try again; if it stays so, an administrator has to look at the speech synthesiser.")


def spoken(text: str, language: str) -> Path:
    """The sound file of a text, made when it is said for the first time. Raises CannotSpeak."""
    name = hashlib.sha256(f"{language}\n{text}".encode()).hexdigest()[:32]
    path = Path(settings.SPARKLE_SOUNDS_DIR) / f"{name}.wav"
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            synthesise(text, language, path)
        except (SpeechError, OSError) as error:
            raise CannotSpeak from error
    return path


def prepare(actor: Actor, conference: Conference, body: Mapping[str, Any]) -> None:
    """Speak the text into its file before the conference is locked: a long one takes its time."""
    actor.require(Action.ANNOUNCE)
    spoken(body["text"], _language(conference, body))


def announce(act: Act) -> Answer:
    act.actor.require(Action.ANNOUNCE)
    key = act.body.get("participant")
    listener = None if key is None else act.participant(key)
    language = _language(act.conference, act.body)
    announcement = Announcement(
        conference=act.conference,
        participant=listener,
        text=act.body["text"],
        language=language,
        path=str(spoken(act.body["text"], language)),
        created_by=act.actor.login,
    )
    act.change.create(announcement)
    act.change.detail |= {"language": language, "participants": [listener.name] if listener else []}
    return {"results": [], "announcement": str(announcement.pk)}


def _language(conference: Conference, body: Mapping[str, Any]) -> str:
    language: str = body.get("language", conference.prompt_language)
    return language
