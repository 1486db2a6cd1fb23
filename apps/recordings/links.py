"""Links to audio: signed statements of who may hear which part of which track, good for ten minutes.

A link gives nobody a right: whoever opens it is signed in as the one that it was made for, and is asked for their right
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.core import signing

from apps.accounts.models import User
from apps.conferences.actors import Caller
from apps.core.errors import NotFound

from .errors import LinkExpired, LinkOfAnother

LASTS: Final = timedelta(minutes=10)
_SALT: Final = "apps.recordings.links"


@dataclass(frozen=True, slots=True)
class Part:
    """Of a track, from and to in milliseconds of it."""

    track: UUID
    start: int
    end: int


def token_of(part: Part, caller: Caller) -> str:
    return signing.dumps([_name(caller), part.track.hex, part.start, part.end], salt=_SALT)


def part_of(token: str, caller: Caller) -> Part:
    """Raises NotFound, LinkExpired, LinkOfAnother."""
    try:
        name, track, start, end = signing.loads(token, salt=_SALT, max_age=LASTS)
    except signing.SignatureExpired:
        raise LinkExpired from None
    except signing.BadSignature:
        raise NotFound from None
    if name != _name(caller):
        raise LinkOfAnother
    return Part(UUID(track), start, end)


def _name(caller: Caller) -> str:
    return f"{'user' if isinstance(caller, User) else 'guest'} {caller.pk}"
