"""How far a switch's clock is from the switchboard's, and events dated by the latter. Pure.

As NTP does with one server (RFC 5905 §8): the switch's clock showed `told` somewhere between question and answer, so
its offset is known to half a round trip. FreeSWITCH stamps events with the very clock that it tells when asked, one
that goes in steps and that the machine's own does not set (switch_time.c:311, 1228, `switch_micro_time_now`).
"""

from __future__ import annotations

from operator import attrgetter

import msgspec

from .events import Event

STEP = 0.02
"""Seconds in which FreeSWITCH's clock goes on."""

DRIFT = 1e-4
"""Seconds that two clocks may move apart in each second: quartzes keep to 50 millionths."""

_microseconds = attrgetter("microseconds")


class ClockReading(msgspec.Struct, frozen=True, kw_only=True):
    """What the switch's clock `told`; the other two are the switchboard's clock. All seconds since the epoch."""

    asked_at: float
    told: float
    answered_at: float

    @property
    def offset(self) -> float:
        """Seconds by which the switch is ahead."""
        return self.told - (self.asked_at + self.answered_at) / 2

    def doubt(self, now: float) -> float:
        """Seconds by which `offset` may be wrong at `now`."""
        return (self.answered_at - self.asked_at) / 2 + STEP + DRIFT * (now - self.answered_at)


class SwitchClock:
    """The clock of one switch. `offset`: seconds by which it is ahead, 0 while nothing proves that it differs."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._believed: ClockReading | None = None

    def take(self, reading: ClockReading) -> None:
        """Believe this reading if it is the better one by now, or if it contradicts the other: a clock was set."""
        now, old = reading.answered_at, self._believed
        doubt = reading.doubt(now)
        if old is not None and old.doubt(now) < doubt and abs(reading.offset - old.offset) <= doubt + old.doubt(now):
            return
        self._believed = reading
        self.offset = reading.offset if abs(reading.offset) > doubt else 0.0

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
