"""Whom to call when: from the attempts of a round, and how each ended, to the next one. Pure.

Causes are FreeSWITCH's hang-up causes (switch_channel.c, CAUSE_CHART; ITU-T Q.850), seen as the outcome of
originate, plus LOST, SWITCH_RESTART and NODE_LOST, which say that the switch, not the person, let go, and
NOT_ENCRYPTED, with which we did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.conferences.reconcile.desired import DesiredParticipant
from apps.conferences.reconcile.observed import (
    CANCELLED,
    LOST,
    NODE_LOST,
    NOT_ENCRYPTED,
    SUPERSEDED,
    SWITCH_RESTART,
    LegPhase,
    ObservedLeg,
)

BACKOFF = 5.0
"""Seconds before an unreachable or congested number is tried again; doubled each time …"""

BACKOFF_MAX = 120.0
"""… up to this."""

CALL_BACKS = 3
"""How often, in one round, somebody is called back into place after their line broke."""

NO_ROUTE = "NO_ROUTE_DESTINATION"

_BUSY = frozenset({"USER_BUSY"})
_NO_ANSWER = frozenset(
    {
        "NO_ANSWER",
        "ALLOTTED_TIMEOUT",
        "PROGRESS_TIMEOUT",
        "NO_USER_RESPONSE",
        "USER_NOT_REGISTERED",
        "SUBSCRIBER_ABSENT",
        # Answered and gone before the room was reached: somebody's voice mail, or a thumb on the wrong button.
        "NORMAL_CLEARING",
    }
)
_SILENCE = frozenset({"NO_ANSWER", "ALLOTTED_TIMEOUT", "PROGRESS_TIMEOUT"})
"""Time was over. Where it never rang, the gateway may be the one that did not answer."""

_REJECTED = frozenset({"CALL_REJECTED"})
_NOT_LET_US = frozenset({401, 402, 403, 407})
"""Answers of SIP that FreeSWITCH also calls CALL_REJECTED (sofia_glue.c, sofia_glue_sip_cause_to_freeswitch), which a
gateway gives to us: no account, no money, a caller's number that is not ours."""

_INVALID = frozenset({"UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", NO_ROUTE})
_UNFIT_ROUTE = frozenset({"INCOMPATIBLE_DESTINATION", NOT_ENCRYPTED})
_OURS = frozenset({LOST, SWITCH_RESTART, NODE_LOST})
_BROKEN = _OURS | {
    "MEDIA_TIMEOUT",
    "RECOVERY_ON_TIMER_EXPIRE",
    "NETWORK_OUT_OF_ORDER",
    "DESTINATION_OUT_OF_ORDER",
    "NORMAL_TEMPORARY_FAILURE",
    "SWITCH_CONGESTION",
    "NORMAL_CIRCUIT_CONGESTION",
    "GATEWAY_DOWN",
    "REQUESTED_CHAN_UNAVAIL",
    "PROTOCOL_ERROR",
    "SYSTEM_SHUTDOWN",
    "CRASH",
}
"""Ends of a call that had reached the room which nobody chose: the person is called back."""


@dataclass(frozen=True, slots=True)
class CallOutPolicy:
    """How persistent to be. `attempts_per_number` 1..10 bounds the calls to one number in a round.

    A busy number is called `busy_retries` times more, `wait_seconds` apart; the same wait lies between two passes
    over all numbers. `ring_seconds` is how long a call rings.
    """

    ring_seconds: int = 45
    attempts_per_number: int = 3
    busy_retries: int = 2
    wait_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Call:
    """Call number `number` by its route `route`, not before `at` (0: at once)."""

    number: int
    route: int
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more to try in this round. `joined`: the person was in, and left."""

    joined: bool
    cause: str
    sip_code: int = 0


def next_step(person: DesiredParticipant, attempts: Sequence[ObservedLeg], policy: CallOutPolicy) -> Call | Stop:
    """What follows `attempts`: the ended legs of the person's present round, in order."""
    if not attempts:
        return _first(person)
    ladder = _Ladder(person, policy)
    for leg in attempts:
        ladder.take(leg)
    return ladder.step


def round_attempts(person: DesiredParticipant, legs: Sequence[ObservedLeg]) -> list[ObservedLeg]:
    """The ended legs of the person's present round."""
    return [leg for leg in legs if leg.round == person.round and leg.phase is LegPhase.ENDED]


class _Ladder:
    """The state of a climb. `tries`: calls to each number that count; `dead`: routes not to be used again."""

    def __init__(self, person: DesiredParticipant, policy: CallOutPolicy) -> None:
        self.person, self.numbers = person, person.numbers
        self.policy = policy
        self.tries = [0] * len(person.numbers)
        self.busy = [0] * len(person.numbers)
        self.dead: set[tuple[int, UUID]] = set()
        self.tried: set[UUID] = set()
        self.troubles = self.losses = self.call_backs = 0
        self.step = _first(person)

    def take(self, leg: ObservedLeg) -> None:
        number, at = leg.number, leg.ended_at or 0.0
        if leg.cause in (CANCELLED, SUPERSEDED):
            return
        if leg.inbound:
            self._called_in(leg, at)
            return
        if number >= len(self.numbers):  # the person's numbers were changed since
            return
        if leg.cause not in _OURS:
            self.losses = 0
        if leg.cause in _OURS:
            self.losses += 1
            self.step = self._again(leg, at + (_backoff(self.losses - 1) if self.losses > 1 else 0.0))
        elif leg.joined_at is not None and leg.cause != NOT_ENCRYPTED:
            self._left(leg, at)
        elif leg.cause in _REJECTED and leg.sip_code not in _NOT_LET_US:
            self.step = Stop(False, leg.cause, leg.sip_code)
        elif leg.cause in _INVALID:
            self.tries[number] = self.policy.attempts_per_number
            self._onward(leg, at)
        elif leg.cause in _NO_ANSWER:
            if leg.cause in _SILENCE and leg.ringing_at is None and self._another_route(leg, at):
                return
            self.tries[number] += 1
            self._onward(leg, at)
        elif leg.cause in _BUSY:
            self.tries[number] += 1
            self.busy[number] += 1
            if self.busy[number] <= self.policy.busy_retries and self._usable(number):
                self.step = self._again(leg, at + self.policy.wait_seconds)
            else:
                self._onward(leg, at)
        else:
            self._trouble(leg, at)

    def _called_in(self, leg: ObservedLeg, at: float) -> None:
        """Who called in and whose line broke is called back, where there is a number; a call that the caller ended
        before the room was reached says nothing.
        """
        if leg.joined_at is None and leg.cause not in _OURS:
            return
        first = _first(self.person)
        if leg.cause in _BROKEN and isinstance(first, Call) and self.call_backs < CALL_BACKS:
            self.call_backs += 1
            self.step = Call(first.number, first.route, at)
        else:
            self.step = Stop(True, leg.cause, leg.sip_code)

    def _left(self, leg: ObservedLeg, at: float) -> None:
        self.call_backs += 1
        if leg.cause not in _BROKEN or self.call_backs > CALL_BACKS:
            self.step = Stop(True, leg.cause, leg.sip_code)
            return
        # The number was good a moment ago: what failed before says nothing any more.
        self.tries = [0] * len(self.numbers)
        self.busy = [0] * len(self.numbers)
        self.tried.clear()
        self.troubles = 0
        self.step = self._again(leg, at)

    def _trouble(self, leg: ObservedLeg, at: float) -> None:
        """Unreachable, congested, or a cause nobody foresaw: the next route first, then patience."""
        if leg.gateway is not None and leg.cause in _UNFIT_ROUTE:
            self.dead.add((leg.number, leg.gateway))
        if self._another_route(leg, at):
            return
        self.tried.clear()
        self.tries[leg.number] += 1
        if leg.cause in _UNFIT_ROUTE or not self._usable(leg.number):
            self._onward(leg, at)
            return
        self.troubles += 1
        self.step = Call(leg.number, self._routes(leg.number)[0], at + _backoff(self.troubles))

    def _another_route(self, leg: ObservedLeg, at: float) -> bool:
        """The next gateway at once, if there is one that was not tried yet; it is no other try of the person."""
        if leg.gateway is not None:
            self.tried.add(leg.gateway)
        routes = self.numbers[leg.number].routes
        fresh = [route for route in self._routes(leg.number) if routes[route].gateway not in self.tried]
        if fresh:
            self.step = Call(leg.number, fresh[0], at)
        return bool(fresh)

    def _again(self, leg: ObservedLeg, at: float) -> Call | Stop:
        """The same number, by the same route where it still is one."""
        routes = self._routes(leg.number)
        same = [route for route in routes if self.numbers[leg.number].routes[route].gateway == leg.gateway]
        if not routes:
            return Stop(False, NO_ROUTE)
        return Call(leg.number, (same or routes)[0], at)

    def _onward(self, leg: ObservedLeg, at: float) -> None:
        """The next number that may still be called; a new pass over the numbers begins after a wait."""
        self.tried.clear()
        self.troubles = 0
        for distance in range(1, len(self.numbers) + 1):
            number = (leg.number + distance) % len(self.numbers)
            if self._usable(number):
                wait = self.policy.wait_seconds if number <= leg.number else 0.0
                self.step = Call(number, self._routes(number)[0], at + wait)
                return
        self.step = Stop(False, leg.cause, leg.sip_code)

    def _usable(self, number: int) -> bool:
        return self.tries[number] < self.policy.attempts_per_number and bool(self._routes(number))

    def _routes(self, number: int) -> list[int]:
        return [
            index for index, route in enumerate(self.numbers[number].routes) if (number, route.gateway) not in self.dead
        ]


def _first(person: DesiredParticipant) -> Call | Stop:
    for number, target in enumerate(person.numbers):
        if target.routes:
            return Call(number, 0)
    return Stop(False, NO_ROUTE)


def _backoff(times: int) -> float:
    return min(BACKOFF_MAX, BACKOFF * 2.0 ** (times - 1))
