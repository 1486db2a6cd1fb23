"""Whom to call when: each cause, and what follows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.conferences.reconcile.desired import DesiredParticipant, attempt_leg
from apps.conferences.reconcile.ladder import BACKOFF, CALL_BACKS, Call, CallOutPolicy, Stop, next_step
from apps.conferences.reconcile.observed import LegPhase, ObservedLeg
from tests.unit.reconcile.build import FAST, OTHER, person, target

POLICY = CallOutPolicy(attempts_per_number=3, busy_retries=1, wait_seconds=20.0)
ANN = person("ann", "member", target("1", FAST, OTHER), target("2"), target("3"))


def attempts(who: DesiredParticipant, *ends: str) -> list[ObservedLeg]:
    """Play the ladder: each end is `CAUSE`, `silent CAUSE` (it had not even rung) or `in CAUSE` (it had been in the
    room), one second after the call."""
    legs: list[ObservedLeg] = []
    for ordinal, end in enumerate(ends, 1):
        step = next_step(who, legs, POLICY)
        assert isinstance(step, Call), f"nobody would have been called before {end}"
        legs.append(
            ObservedLeg(
                leg=attempt_leg(who.id, 1, ordinal),
                participant=who.id,
                core="core",
                stored_at=step.at,
                ordinal=ordinal,
                number=step.number,
                gateway=who.numbers[step.number].routes[step.route].gateway,
                phase=LegPhase.ENDED,
                ringing_at=None if end.startswith("silent ") else step.at,
                joined_at=step.at if end.startswith("in ") else None,
                ended_at=step.at + 1.0,
                cause=end.split()[-1],
            )
        )
    return legs


def after(who: DesiredParticipant, *ends: str) -> tuple[int, int, float] | Stop:
    """(number, route, seconds after the last end), or Stop."""
    legs = attempts(who, *ends)
    step = next_step(who, legs, POLICY)
    if isinstance(step, Stop):
        return step
    return step.number, step.route, step.at - (legs[-1].ended_at or 0.0 if legs else 0.0)


AT_ONCE = 0.0
WAIT = POLICY.wait_seconds


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((), (0, 0, AT_ONCE)),
        (("USER_BUSY",), (0, 0, WAIT)),
        (("USER_BUSY", "USER_BUSY"), (1, 0, AT_ONCE)),
        (("NO_ANSWER",), (1, 0, AT_ONCE)),
        (("ALLOTTED_TIMEOUT",), (1, 0, AT_ONCE)),
        (("PROGRESS_TIMEOUT",), (1, 0, AT_ONCE)),
        (("NO_USER_RESPONSE",), (1, 0, AT_ONCE)),
        (("USER_NOT_REGISTERED",), (1, 0, AT_ONCE)),
        (("SUBSCRIBER_ABSENT",), (1, 0, AT_ONCE)),
        (("NORMAL_CLEARING",), (1, 0, AT_ONCE)),
        (("NO_ANSWER", "NO_ANSWER", "NO_ANSWER"), (0, 0, WAIT)),
        (("NO_ANSWER",) * 9, Stop(False, "NO_ANSWER")),
        (("silent NO_ANSWER",), (0, 1, AT_ONCE)),
        (("silent PROGRESS_TIMEOUT", "silent NO_ANSWER"), (1, 0, AT_ONCE)),
        (("silent NO_ANSWER", "NO_ANSWER"), (1, 0, AT_ONCE)),
        (("silent NO_USER_RESPONSE",), (1, 0, AT_ONCE)),
        (("CALL_REJECTED",), Stop(False, "CALL_REJECTED")),
        (("UNALLOCATED_NUMBER",), (1, 0, AT_ONCE)),
        (("UNALLOCATED_NUMBER", "NO_ANSWER", "NO_ANSWER"), (1, 0, WAIT)),
        (("UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NO_ROUTE_DESTINATION"), Stop(False, "NO_ROUTE_DESTINATION")),
        (("NORMAL_TEMPORARY_FAILURE",), (0, 1, AT_ONCE)),
        (("SWITCH_CONGESTION", "GATEWAY_DOWN"), (0, 0, BACKOFF)),
        (("SWITCH_CONGESTION", "GATEWAY_DOWN", "NETWORK_OUT_OF_ORDER", "SWITCH_CONGESTION"), (0, 0, 2 * BACKOFF)),
        (("RECOVERY_ON_TIMER_EXPIRE",) * 6, (1, 0, AT_ONCE)),
        (("SOMETHING_NEW",), (0, 1, AT_ONCE)),
        (("INCOMPATIBLE_DESTINATION",), (0, 1, AT_ONCE)),
        (("INCOMPATIBLE_DESTINATION", "SWITCH_CONGESTION"), (0, 1, BACKOFF)),
        (("INCOMPATIBLE_DESTINATION", "INCOMPATIBLE_DESTINATION"), (1, 0, AT_ONCE)),
        (("ORIGINATOR_CANCEL",), (0, 0, -1.0)),
        (("LOSE_RACE",), (0, 0, -1.0)),
        (("NO_ANSWER", "ORIGINATOR_CANCEL"), (1, 0, -1.0)),
        (("LOST",), (0, 0, AT_ONCE)),
        (("NO_ANSWER", "SWITCH_RESTART"), (1, 0, AT_ONCE)),
        (("LOST", "LOST"), (0, 0, BACKOFF)),
        (("in NORMAL_CLEARING",), Stop(True, "NORMAL_CLEARING")),
        (("in MEDIA_TIMEOUT",), (0, 0, AT_ONCE)),
        (("NO_ANSWER", "in NETWORK_OUT_OF_ORDER"), (1, 0, AT_ONCE)),
        (("in SWITCH_RESTART",), (0, 0, AT_ONCE)),
        (("in MEDIA_TIMEOUT",) * (CALL_BACKS + 1), Stop(True, "MEDIA_TIMEOUT")),
    ],
)
def test_what_follows(ends: tuple[str, ...], expected: tuple[int, int, float] | Stop) -> None:
    assert after(ANN, *ends) == expected


def test_who_does_not_encrypt_is_called_once_by_each_way_and_no_more() -> None:
    ends = ["in NOT_ENCRYPTED"] * 4  # two ways to the first number, one to each of the others
    assert after(ANN, *ends[:1]) == (0, 1, AT_ONCE)
    assert after(ANN, *ends[:2])[:2] == (1, 0)  # type: ignore[index]
    assert after(ANN, *ends) == Stop(False, "NOT_ENCRYPTED")


def test_a_switch_that_keeps_losing_calls_makes_nobody_forgotten() -> None:
    step = next_step(ANN, attempts(ANN, *["LOST", "in SWITCH_RESTART"] * 30), POLICY)
    assert isinstance(step, Call)


def test_reaching_the_room_makes_a_worn_out_number_good_again() -> None:
    bob = person("bob")
    assert after(bob, "NO_ANSWER", "NO_ANSWER", "NO_ANSWER") == Stop(False, "NO_ANSWER")
    assert after(bob, "NO_ANSWER", "NO_ANSWER", "in MEDIA_TIMEOUT", "NO_ANSWER") == (0, 0, WAIT)


def test_the_sip_code_of_the_last_attempt_is_told() -> None:
    legs = attempts(ANN, "CALL_REJECTED")
    legs[0].sip_code = 603
    assert next_step(ANN, legs, POLICY) == Stop(False, "CALL_REJECTED", 603)


@pytest.mark.parametrize(("sip_code", "expected"), [(403, 1), (407, 1), (603, None), (0, None)])
def test_a_gateway_that_does_not_let_us_call_is_no_refusal_of_the_person(sip_code: int, expected: int | None) -> None:
    legs = attempts(ANN, "CALL_REJECTED")
    legs[0].sip_code = sip_code
    step = next_step(ANN, legs, POLICY)
    assert (step.route if isinstance(step, Call) else None) == expected


@pytest.mark.parametrize("numbers", [(), (replace(target("1"), routes=()),)])
def test_without_a_route_there_is_nothing_to_try(numbers: tuple[()]) -> None:
    nobody = replace(person("nobody"), numbers=numbers)
    assert next_step(nobody, [], POLICY) == Stop(False, "NO_ROUTE_DESTINATION")


def test_a_number_without_a_route_is_skipped() -> None:
    half = person("half", "member", replace(target("1"), routes=()), target("2"))
    assert next_step(half, [], POLICY) == Call(1, 0)


def test_attempts_to_numbers_that_are_gone_do_not_count() -> None:
    legs = attempts(ANN, "NO_ANSWER", "CALL_REJECTED")
    assert next_step(replace(ANN, numbers=ANN.numbers[:1]), legs, POLICY) == Call(
        0, 0, (legs[0].ended_at or 0.0) + WAIT
    )
