"""Token buckets and concurrent calls, with a clock that the tests move."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.conferences.reconcile.decide import decide
from apps.conferences.reconcile.desired import Limits
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.ladder import CallOutPolicy
from apps.conferences.reconcile.observe import apply_snapshot, connect
from apps.conferences.reconcile.observed import Observed
from apps.conferences.reconcile.pacing import Pacer
from apps.switch.events import Snapshot
from tests.unit.reconcile.build import FAST, OTHER, PLENTY, conference, person, target


def dials(count: int, limits: Limits, gateway: UUID = FAST) -> list[Dial]:
    observed = Observed()
    connect(observed, "core", 1.0)
    apply_snapshot(observed, Snapshot(core="core", asked_at=2.0, answered_at=2.0, rooms=(), legs=()))
    people = (person(f"{gateway}{i}", "member", target(f"{i}", gateway, limits=limits)) for i in range(count))
    return decide(conference(*people), observed, CallOutPolicy(), 3.0).dials


@pytest.mark.parametrize("rate", [0.5, 1.0, 10.0, 25.0])
def test_no_more_than_the_rate_and_hardly_less(rate: float) -> None:
    pacer, waiting = Pacer(PLENTY), dials(round(rate * 8) + 20, Limits(rate, 10_000))
    now, sent = 100.0, 0
    while now < 105.0:
        admitted, wait = pacer.admit(waiting, {}, now)
        waiting = waiting[len(admitted) :]
        sent += len(admitted)
        assert wait is not None
        now += max(wait, 0.001)
    assert rate * 5 - 1 <= sent <= rate * 5 + max(1.0, rate / 10) + 1


def test_concurrent_calls_of_a_gateway_are_bounded_and_others_pass() -> None:
    pacer = Pacer(PLENTY)
    full, free = dials(5, Limits(1000.0, 3)), dials(2, PLENTY, OTHER)
    admitted, wait = pacer.admit([*full, *free], {FAST: 2}, 1.0)
    assert [dial.route.gateway for dial in admitted] == [FAST, OTHER, OTHER]
    assert wait is None, "what waits now waits for a call to end"


def test_the_node_bounds_all_gateways_together() -> None:
    both = [*dials(5, PLENTY), *dials(5, PLENTY, OTHER)]
    assert len(Pacer(Limits(1000.0, 7)).admit(both, {FAST: 1}, 1.0)[0]) == 6
    admitted, wait = Pacer(Limits(2.0, 100)).admit(both, {}, 1.0)
    assert len(admitted) == 1
    assert wait is not None
    assert 0.0 < wait <= 0.5


def test_a_changed_rate_counts_at_once_and_a_clock_that_steps_back_does_no_harm() -> None:
    pacer = Pacer(PLENTY)
    assert len(pacer.admit(dials(5, Limits(1.0, 100)), {}, 10.0)[0]) == 1
    assert len(pacer.admit(dials(5, Limits(1.0, 100)), {}, 5.0)[0]) == 0
    assert len(pacer.admit(dials(50, Limits(100.0, 100)), {}, 11.0)[0]) == 10
