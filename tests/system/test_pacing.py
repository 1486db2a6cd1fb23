"""A gateway's pace, measured where calls arrive; and launches that are stopped while they wait for their turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.system.meeting import Feed
from tests.system.plans import launch, person, states
from tests.system.stack import Stack, until
from tests.system.watch import client, rooms

PREFIX = "+86137"
RATE = 5
MOST = 8
#: Calls that may go out together after a pause, beyond the rate (reconcile/pacing.py: a tenth of a second's worth).
BURST = 1
SLOW = {
    "id": str(uuid4()),
    "name": "slow",
    "node_id": None,
    "handles": ["mobile"],
    "prefix": PREFIX,
    "priority": 1,
    "calls_per_second": RATE,
    "max_calls": MOST,
}


def slow(index: int, behaviour: str = "9000") -> str:
    """A number that the slow gateway reaches."""
    return f"{PREFIX}{index:04d}{behaviour}"


@pytest.fixture(scope="module", autouse=True)
def _slow_gateway(stack: Stack) -> Iterator[None]:
    """RATE calls a second, MOST at once."""
    with stack.database() as database:
        database.execute(
            """
            INSERT INTO switch_gateway
            SELECT slow.* FROM switch_gateway g, jsonb_populate_record(g, %s) AS slow
             WHERE g.dial_string = 'loopback/{number}/rehearsal' LIMIT 1
            """,
            (Jsonb(SLOW),),
        )
        stack.hand_over()
        yield
        database.execute("UPDATE switch_gateway SET enabled = false WHERE name = 'slow'")


class Calls:
    """When calls to the slow gateway's numbers began on the switch, and how many there were at once."""

    def __init__(self, stack: Stack) -> None:
        self.began: dict[str, float] = {}
        self.alive: set[str] = set()
        self.most = 0
        self._connection = client(stack)
        self._connection.send("event json CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._connection.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._connection.settle(0.2)
            while self._connection.events:
                self._take(self._connection.events.pop(0).headers)

    def _take(self, event: dict[str, Any]) -> None:
        leg, number = event["Unique-ID"], event.get("Caller-Destination-Number", "")
        if not number.startswith(PREFIX) or event["Channel-Name"].endswith("-b"):
            return
        if event["Event-Name"] == "CHANNEL_CREATE":
            self.began[number] = int(event["Event-Date-Timestamp"]) / 1e6
            self.alive.add(leg)
            self.most = max(self.most, len(self.alive))
        else:
            self.alive.discard(leg)


@contextmanager
def launched(stack: Stack, people: list[dict[str, Any]], **options: Any) -> Iterator[tuple[str, Feed]]:
    api = stack.sign_in()
    conference = launch(api, people, **options)
    try:
        with Feed(stack, api, conference) as feed:
            yield conference, feed
    finally:
        api.post(f"conferences/{conference}/end/")
        until(lambda: not rooms(stack), within=30, to="leave no room behind")


def test_no_more_calls_in_any_second_than_the_gateway_takes(stack: Stack) -> None:
    """20 people who hang up after one second, so that the most concurrent calls do not hold them back."""
    numbers = [slow(index, "9001") for index in range(20)]
    with (
        Calls(stack) as calls,
        launched(stack, [person(f"人{number}", number) for number in numbers]) as (_conference, feed),
    ):
        expected = feed.until(lambda: feed.conference["expected_at"], "say when everybody will have been called")
        launched_at = datetime.fromisoformat(feed.conference["launched_at"])
        assert 1 < (datetime.fromisoformat(expected) - launched_at).total_seconds() < 10
        until(lambda: set(calls.began) == set(numbers), within=30, to="call everybody")
        feed.until(lambda: feed.conference["expected_at"] is None, "say that nobody waits any more")
        names = {each["name"] for each in feed.state["participants"].values()}
    times = sorted(calls.began.values())
    for index, start in enumerate(times):
        assert sum(start <= time < start + 1.0 for time in times[index:]) <= RATE + BURST
    assert times[-1] - times[0] < 2 * len(numbers) / RATE, "and it goes on as fast as the gateway takes them"
    assert len(names) == 20


def test_no_more_calls_at_once_than_the_gateway_takes(stack: Stack) -> None:
    people = [person(f"人{index}", slow(100 + index, "9003")) for index in range(MOST + 4)]
    api = stack.sign_in()
    with Calls(stack) as calls, launched(stack, people) as (conference, _feed):
        until(lambda: set(states(api, conference).values()) == {"left"}, within=40, to="call everybody in turn")
        assert calls.most == MOST
        assert len(calls.began) == len(people)


def test_who_is_cancelled_before_their_turn_is_never_called(stack: Stack) -> None:
    people = [person(f"人{index}", slow(200 + index)) for index in range(MOST + 4)]
    api = stack.sign_in()
    with Calls(stack) as calls, launched(stack, people) as (conference, feed):
        feed.until(
            lambda: sum(each["state"] == "connected" for each in feed.state["participants"].values()) == MOST,
            "fill the gateway",
        )
        waiting = [each["id"] for each in feed.state["participants"].values() if each["state"] == "queued"]
        assert len(waiting) == 4
        assert all(each["ok"] for each in api.act(conference, "cancel", participants=waiting)["results"])
        feed.until(
            lambda: all(feed.state["participants"][each]["state"] == "planned" for each in waiting),
            "say that they are not called",
        )
        gone = [each["id"] for each in feed.state["participants"].values() if each["state"] == "connected"][:2]
        api.act(conference, "remove", participants=gone)
        feed.until(lambda: all(feed.state["participants"][each]["state"] == "left" for each in gone), "hang up")
    assert len(calls.began) == MOST, "somebody was called after all"


def test_an_end_in_the_middle_of_a_launch_ends_it(stack: Stack) -> None:
    people = [person(f"人{index}", slow(300 + index)) for index in range(20)]
    with Calls(stack) as calls, launched(stack, people) as (conference, feed):
        until(lambda: len(calls.began) >= 3, within=20, to="begin to call")
        stack.sign_in().act(conference, "end")
        feed.until(lambda: feed.conference["phase"] == "ended", "say that it has ended")
        until(lambda: not calls.alive, within=20, to="hang up")
        settled = "SELECT 1 FROM conferences_conference WHERE id = %s AND settled_at IS NOT NULL"
        until(lambda: stack.rows(settled, conference), within=20, to="have nothing more to do")
        assert len(calls.began) < len(people)
        assert not calls.alive
