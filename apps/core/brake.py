"""A brake on guessing: after too many failures within a time, no more are heard. Each process counts for itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True, slots=True)
class Brake:
    """Of one thing (`kind`) from or for one place (`value`): holds after `most` failures within `window` seconds."""

    kind: str
    value: str
    most: int
    window: int

    @property
    def _key(self) -> str:
        return f"brake-{self.kind}-{hashlib.sha256(self.value.encode()).hexdigest()}"

    @property
    def holds(self) -> bool:
        return bool(cache.get(self._key, 0) >= self.most)

    def failed(self) -> None:
        cache.add(self._key, 0, self.window)
        cache.incr(self._key)

    def release(self) -> None:
        cache.delete(self._key)
