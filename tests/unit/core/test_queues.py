"""A job that goes on, round after round, and gives way (with a broker and a worker: recordings/test_tasks.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from celery.signals import worker_shutting_down

from apps.core import queues
from apps.core.queues import Then, take_turn

NOTHING, LOOK_AGAIN, GO_ON = Then.NOTHING, Then.LOOK_AGAIN, Then.GO_ON


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(queues, "time", clock)
    monkeypatch.setattr(queues, "job_waits", lambda _: False)
    yield clock
    queues._ending[0] = 0


def rounds(clock: Clock, *said: Then | Exception) -> tuple[Callable[[], Then], list[float]]:
    """Rounds that say this, and when each was."""
    at: list[float] = []

    def a_round() -> Then:
        at.append(clock.now)
        what = said[min(len(at), len(said)) - 1]
        if isinstance(what, Exception):
            raise what
        return what

    return a_round, at


def test_it_goes_on_as_long_as_there_is_something_to_do(clock: Clock) -> None:
    a_round, at = rounds(clock, GO_ON, GO_ON, LOOK_AGAIN, GO_ON, NOTHING)
    take_turn("queue", a_round, waits="work waits")
    assert at == [0, 0, 0, 0.25, 0.25]


def test_it_gives_way_after_its_turn_if_somebody_waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "job_waits", lambda queue: queue == "queue" and clock.now >= 30)
    a_round, at = rounds(clock, LOOK_AGAIN)
    take_turn("queue", a_round, waits="work waits")
    assert at[-1] == 30
    clock.now = 100
    take_turn("queue", a_round, waits="work waits")
    assert at[-1] == 100 + queues.TURN


@pytest.mark.django_db(transaction=True)  # it looks after its connection
def test_what_fails_is_told_once_and_tried_again(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    full, away = OSError("disk full"), ConnectionError("away")
    a_round, at = rounds(clock, full, full, away, LOOK_AGAIN, full, NOTHING)
    take_turn("queue", a_round, waits="work waits", said=lambda error: f"<{error}>")
    assert at == [0, 1, 2, 3, 3.25, 4.25]
    told = [f"work waits: <{each}>" for each in ("disk full", "away", "disk full")]
    assert [record.getMessage() for record in caplog.records] == told


def test_a_mistake_is_not_tried_again(clock: Clock) -> None:
    a_round, at = rounds(clock, ValueError("a mistake"))
    with pytest.raises(ValueError, match="a mistake"):
        take_turn("queue", a_round, waits="work waits")
    assert at == [0]


def test_it_ends_with_the_worker(clock: Clock) -> None:
    def a_round() -> Then:
        at.append(clock.now)
        if len(at) == 3:
            worker_shutting_down.send(None, sig="TERM", how="Warm", exitcode=0)
        return GO_ON

    at: list[float] = []
    take_turn("queue", a_round, waits="work waits")
    assert len(at) == 3
