"""A brake on guessing: after too many failures within a time, no more are heard, whichever process they come to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from .models import Failures

_COUNT = """
INSERT INTO core_failures AS f (key, failures, forgotten_at) VALUES (%(key)s, 1, %(until)s)
    ON CONFLICT (key) DO UPDATE
   SET failures = CASE WHEN f.forgotten_at <= %(now)s THEN 1 ELSE f.failures + 1 END,
       forgotten_at = CASE WHEN f.forgotten_at <= %(now)s THEN excluded.forgotten_at ELSE f.forgotten_at END
"""


@dataclass(frozen=True, slots=True)
class Brake:
    """Of one thing (`kind`) from or for one place (`value`): holds after `most` failures within `window` seconds."""

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
