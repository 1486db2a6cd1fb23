"""How far a switch's clock is from the switchboard's, and events dated by the latter. Pure.

FreeSWITCH stamps events with the very clock that it tells when asked, one that goes in steps and that setting the
machine's own does not move (switch_time.c:311, 1228, `switch_micro_time_now`). What it told had come by the answer, and
was not long past at the question: each reading gives the offset two bounds, and all together, as with NTP
(RFC 5905 §11.2.1), leave what lies within the bounds of each.
"""

from __future__ import annotations

import math
from operator import attrgetter

import msgspec

from .events import Event

LAG = 0.05
"""Seconds by which FreeSWITCH's clock may be late: it goes in steps of 20 ms, of more on a busy machine."""

DRIFT = 1e-4
"""Seconds that two clocks may move apart in each second: quartzes keep to 50 millionths."""

_microseconds = attrgetter("microseconds")


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the switch's clock `told`; the other two are the switchboard's clock. All seconds since the epoch."""

    asked_at: float
    told: float
    answered_at: float


class SwitchClock:
    """The clock of one switch. `offset`: seconds by which it is ahead, 0 while it may well agree.

    Of what is possible it is the lowest: an event that is dated late is news all the same, one that is dated early
    would be older than a snapshot, and lost.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._low, self._high = -math.inf, math.inf
        self._as_of = 0.0

    def take(self, reading: ClockReading) -> None:
        """Learn from a reading. One that contradicts those before says that a clock was set, and stands alone."""
        moved = DRIFT * max(0.0, reading.answered_at - self._as_of)
        low, high = reading.told - reading.answered_at, reading.told + LAG - reading.asked_at
        if max(low, self._low - moved) <= min(high, self._high + moved):
            low, high = max(low, self._low - moved), min(high, self._high + moved)
        self._low, self._high, self._as_of = low, high, reading.answered_at
        self.offset = 0.0 if -LAG <= low <= 0.0 <= high else low

    def dated(self, events: list[Event], now: float) -> list[Event]:
        """These events by the switchboard's clock, at `now`. None is later than that, whatever the switch says: what
        was believed of the future would outlast everything that comes after it.
        """
        latest, ahead = round(now * 1e6), round(self.offset * 1e6)
        if not ahead and max(map(_microseconds, events), default=latest) <= latest:
            return events
        return [
            msgspec.structs.replace(event, microseconds=min(event.microseconds - ahead, latest)) for event in events
        ]
