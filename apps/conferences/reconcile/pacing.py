"""How fast calls go out: a token bucket and a most of concurrent calls for each gateway, and for the node. Pure.

The clock is given, in seconds; the pacer is otherwise plain arithmetic. Real switches do not throttle by themselves
(`fsctl sps` was seen not to), so what this admits is what goes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from apps.conferences.reconcile.desired import Limits
from apps.conferences.reconcile.dial import Dial

BURST = 0.1
"""Seconds' worth of calls that may go out together after a pause (one at least)."""


@dataclass(slots=True)
class Bucket:
    """Fills with `rate` tokens a second up to `BURST` seconds' worth, at least one; starts full."""

    rate: float
    tokens: float = -1.0
    at: float = 0.0

    @property
    def size(self) -> float:
        return max(1.0, self.rate * BURST)

    def refill(self, now: float) -> None:
        elapsed = max(0.0, now - self.at)
        self.tokens = self.size if self.tokens < 0 else min(self.size, self.tokens + elapsed * self.rate)
        self.at = max(self.at, now)

    def wait(self) -> float:
        """Seconds until a token is there."""
        return max(0.0, (1.0 - self.tokens) / self.rate)


class Pacer:
    """Admits the calls of one node. `node` bounds all its gateways together."""

    def __init__(self, node: Limits) -> None:
        self._node = node
        self._bucket = Bucket(node.calls_per_second)
        self._gateways: dict[UUID, Bucket] = {}

    def admit(self, dials: Iterable[Dial], in_use: Mapping[UUID, int], now: float) -> tuple[list[Dial], float | None]:
        """The dials that may go out now, in their order, and how many seconds from now the next one may (or None).

        `in_use` counts the live calls of each gateway (`Observed.calls_per_gateway`). None means that no dial waits
        for a token: none is left, or those left wait for a call to end.
        """
        admitted: list[Dial] = []
        used = dict(in_use)
        total = sum(used.values())
        wait: float | None = None
        self._bucket.refill(now)
        refilled: set[UUID] = set()
        for dial in dials:
            gateway, limits = dial.route.gateway, dial.route.limits
            bucket = self._gateways.setdefault(gateway, Bucket(limits.calls_per_second))
            if gateway not in refilled:
                refilled.add(gateway)
                bucket.rate = limits.calls_per_second
                bucket.refill(now)
            if total >= self._node.max_calls or used.get(gateway, 0) >= limits.max_calls:
                continue
            need = max(bucket.wait(), self._bucket.wait())
            if need > 0.0:
                wait = need if wait is None else min(wait, need)
                if self._bucket.wait() > 0.0:
                    break
                continue
            bucket.tokens -= 1.0
            self._bucket.tokens -= 1.0
            used[gateway] = used.get(gateway, 0) + 1
            total += 1
            admitted.append(dial)
        return admitted, wait
