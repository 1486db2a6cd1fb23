"""A brake on guessing: after too many failures within a time, no more are heard, whichever process they come to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .models import Failures

#: What is braked, by kind.
BRAKES: Final[Mapping[str, str | Promise]] = {
    "sign-in-name": _("password, of one user"),
    "sign-in-address": _("password, from one address"),
    "sign-in-pair": _("password, of one user from one address"),
    "guest-pin": _("PIN of a guest's link, from one address"),
    "dial-in": _("conference number or PIN, by one caller"),
}

_COUNT = """
INSERT INTO core_failures AS f (key, failures, forgotten_at) VALUES (%(key)s, 1, %(until)s)
    ON CONFLICT (key) DO UPDATE
   SET failures = CASE WHEN f.forgotten_at <= %(now)s THEN 1 ELSE f.failures + 1 END,
       forgotten_at = CASE WHEN f.forgotten_at <= %(now)s THEN excluded.forgotten_at ELSE f.forgotten_at END
"""


@dataclass(frozen=True, slots=True)
class Brake:
    """Of one thing (`kind`, one of BRAKES) from or for one place (`value`): holds after `most` failures within `window`
    seconds.
    """

    kind: str
    value: str
    most: int
    window: int

    @property
    def _key(self) -> str:
        return f"{self.kind}-{hashlib.sha256(self.value.encode()).hexdigest()}"

    @property
    def holds(self) -> bool:
        return Failures.objects.filter(key=self._key, failures__gte=self.most, forgotten_at__gt=timezone.now()).exists()

    def failed(self) -> None:
        now = timezone.now()
        with connection.cursor() as cursor:
            until = now + timedelta(seconds=self.window)
            cursor.execute(_COUNT, {"key": self._key, "now": now, "until": until})

    def release(self) -> None:
        Failures.objects.filter(key=self._key).delete()


def forget_failures() -> int:
    """Remove counts whose time is over; how many there were."""
    return Failures.objects.filter(forgotten_at__lte=timezone.now()).delete()[0]
