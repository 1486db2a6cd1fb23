"""Whom a call with a browser's account is for, as arriving finds out."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.conferences.live.changes import lock
from apps.conferences.services.joining import conference_of_account, participant_of_account
from apps.core.errors import NotFound


def caller_of_account(name: str) -> tuple[UUID, UUID] | None:
    """A participant and their conference; None for an account that is over or never was."""
    try:
        with transaction.atomic():
            conference = lock(conference_of_account(name))
            return participant_of_account(name)[0].pk, conference.pk
    except NotFound:
        return None
