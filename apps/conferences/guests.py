"""Who a guest is: a signed cookie names the participant as whom they came in, and so the one conference."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.core import signing

from .actors import Guest
from .models import Participant

COOKIE = "guest"
LASTS = timedelta(hours=12)
_SALT = "apps.conferences.guests"


def cookie_of(participant: Participant) -> str:
    return signing.dumps(str(participant.pk), salt=_SALT)


def guest_of(cookies: Mapping[str, str]) -> Guest | None:
    """The guest whose cookie this is."""
    try:
        key = signing.loads(cookies.get(COOKIE, ""), salt=_SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    return find_guest(UUID(key))


def find_guest(participant: UUID) -> Guest | None:
    found = Participant.objects.filter(pk=participant, guest=True).values_list("pk", "conference_id", "name").first()
    return Guest(*found) if found else None
