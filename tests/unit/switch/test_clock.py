"""The offset of a switch's clock, measured by asking, and events dated by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch.clock import DRIFT, LAG, ClockReading, SwitchClock
from apps.switch.events import Event, RoomCreated

NOON = 1_764_000_000.0
STEP = 0.02


def reading(at: float, ahead: float, out: float = 0.001, back: float = 0.001) -> ClockReading:
    """Asked at `at`; the question and the answer take their times, and the clock has gone on in its steps."""
    shown = at + out + ahead
    return ClockReading(asked_at=at, told=shown - shown % STEP, answered_at=at + out + back)


def created(at: float) -> RoomCreated:
    return RoomCreated(core="core", microseconds=round(at * 1e6), sequence=1, room="c-1")


def clock(*readings: ClockReading) -> SwitchClock:
    clock = SwitchClock()
    for each in readings:
        clock.take(each)
    return clock


@given(
    ahead=st.floats(-1e5, 1e5),
    delays=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=1, max_size=20),
    pause=st.floats(0, 60),
)
def test_every_reading_narrows_the_offset_down(ahead: float, delays: list[tuple[float, float]], pause: float) -> None:
    """However the delays are shared out between question and answer."""
    measured, readings = SwitchClock(), [reading(NOON, ahead, *delays[0])]
    for out, back in delays[1:]:
        readings.append(reading(readings[-1].answered_at + pause, ahead, out, back))
    for each in readings:
        measured.take(each)
    end = readings[-1].answered_at
    low = max(each.told - each.answered_at - DRIFT * (end - each.answered_at) for each in readings)
    high = min(each.told + LAG - each.asked_at + DRIFT * (end - each.answered_at) for each in readings)
    assert low - 1e-4 <= ahead <= high + 1e-4
    assert measured.offset == (pytest.approx(low, abs=1e-4) if measured.offset else 0.0)
    if not measured.offset:
        assert -LAG - 1e-4 <= low <= 1e-4 <= high + 2e-4


def test_clocks_that_agree_are_left_alone() -> None:
    assert clock(*(reading(NOON + 30.007 * turn, 0.0) for turn in range(40))).offset == 0


def test_a_slow_answer_says_less_than_a_quick_one_from_before() -> None:
    assert clock(reading(NOON, 5.0), reading(NOON + 30, 5.0, out=0.0, back=2.0)).offset == pytest.approx(5, abs=0.03)
    assert clock(reading(NOON, 5.0, back=0.2), reading(NOON + 30, 5.0)).offset == pytest.approx(5, abs=0.03)


def test_clocks_that_drift_apart_are_followed() -> None:
    measured = SwitchClock()
    for turn in range(1000):
        drifted = 30 * turn * 5e-5
        measured.take(reading(NOON + 30 * turn, drifted))
        assert measured.offset == pytest.approx(drifted, abs=0.06)


@pytest.mark.parametrize("step", [0.2, 3.0, -3.0, 86_400.0])
def test_a_clock_that_was_set_is_believed_at_once(step: float) -> None:
    before, after = reading(NOON, 1.0), reading(NOON + 30, 1.0 + step, back=0.05)
    assert clock(before, after).offset == pytest.approx(1.0 + step, abs=0.06)


def test_this_machine_s_own_clock_may_be_set_back() -> None:
    assert clock(reading(NOON, 0.0), reading(NOON - 3600, 3600.0, back=0.2)).offset == pytest.approx(3600, abs=0.3)


def test_events_are_dated_by_the_switchboards_clock() -> None:
    measured = clock(reading(NOON, 10.0))
    (event,) = measured.dated([created(NOON + 70.0)], NOON + 61.0)
    assert event.at == pytest.approx(NOON + 60.0, abs=0.03)
    assert isinstance(event, RoomCreated)
    assert event.room == "c-1"


def test_nothing_happened_later_than_now() -> None:
    ahead, behind = created(NOON + 3600.0), created(NOON - 1.0)
    assert [event.at for event in SwitchClock().dated([ahead, behind], NOON)] == [NOON, NOON - 1.0]


def test_events_of_a_clock_that_agrees_are_handed_on_as_they_are() -> None:
    events: list[Event] = [created(NOON), created(NOON - 1.0)]
    assert SwitchClock().dated(events, NOON) is events
    assert SwitchClock().dated([], NOON) == []
