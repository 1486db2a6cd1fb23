"""Whatever dies, and whenever: in the end everybody is where they should be, and nobody was called twice at once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.system.meeting import Feed
from tests.system.plans import BUSY, launch, mobile, person, states
from tests.system.stack import Api, Stack, until
from tests.system.watch import Watch, rooms, wait_for_agreement

PARTS = ["web", "xml", "worker", "switchboard", "valkey", "postgres", "switch"]
PEOPLE = 50
#: Seconds.
OUTAGE = 30.0


def kill(stack: Stack, part: str) -> None:
    """The hard way. Of the switchboards, the one that drives the node."""
    if part == "switchboard":
        os.kill(driving(stack), signal.SIGKILL)
    else:
        stack.kill(part)


def driving(stack: Stack) -> int:
    """The pid of the switchboard that holds the lease."""
    rows = until(
        lambda: stack.rows("SELECT lease_holder FROM switch_node WHERE connected AND lease_until > now()"),
        within=20,
        to="have a switchboard drive the node",
    )
    return int(rows[0]["lease_holder"].split(":")[1])


@contextmanager
def frozen(stack: Stack, part: str) -> Iterator[None]:
    """Stop a process and its children: they take what is sent, and answer nothing. Worse than dead."""
    leader = stack.pid(part)
    stopped: list[int] = []
    try:
        found = [leader]
        while found:  # PostgreSQL's are no group: each leads its own (setsid in InitPostmasterChild)
            for each in found:
                os.kill(each, signal.SIGSTOP)
            stopped += found
            children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
            found = [int(each) for each in children if int(each) not in stopped]
        yield
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)


def connected(api: Api, conference: str) -> int:
    return sum(state == "connected" for state in states(api, conference).values())


def everybody(prefix: int) -> list[dict[str, Any]]:
    people = [person(f"参会人{index}", mobile(prefix + index)) for index in range(PEOPLE - 1)]
    return [*people, person("忙线", mobile(prefix + PEOPLE, BUSY))]


def in_place(api: Api, conference: str) -> bool:
    found = states(api, conference)
    return found.pop("忙线") == "failed" and set(found.values()) == {"connected"}


@pytest.mark.parametrize("part", PARTS)
def test_a_launch_of_fifty_survives_the_loss_of(stack: Stack, part: str) -> None:
    api = stack.sign_in()
    prefix = 1000 + 100 * PARTS.index(part)
    with Watch(stack) as watch:
        conference = launch(api, everybody(prefix), busy_retries=0, attempts_per_number=1)
        until(lambda: connected(api, conference) >= 5, within=30, to="be in the middle of the launch")
        kill(stack, part)
        if part == "switch":  # twice, for good measure
            until(lambda: connected(api, conference) == 0, within=30, to="see that the switch is gone")
            until(lambda: connected(api, conference) >= 5, within=60, to="begin anew")
            kill(stack, part)
        until(lambda: in_place(api, conference), within=90, to="bring everybody in all the same")
    assert max(watch.most.values()) == 1, "somebody was called twice at once"
    if part != "switch":
        assert max(watch.calls.values()) == 1, "somebody who was in was called again"
    wait_for_agreement(stack, conference)
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")


@pytest.mark.parametrize("part", PARTS)
def test_a_running_conference_survives_the_loss_of(stack: Stack, part: str) -> None:
    api = stack.sign_in()
    prefix = 2000 + 100 * PARTS.index(part)
    people = [person(f"参会人{index}", mobile(prefix + index)) for index in range(8)]
    conference = launch(api, people)
    until(lambda: set(states(api, conference).values()) == {"connected"}, within=60, to="bring everybody in")
    ids = {each["name"]: each["id"] for each in api.participants(conference)}
    api.act(conference, "forbid", participants=[ids["参会人0"]])
    api.act(conference, "mute", participants=[ids["参会人1"]])
    whisper = api.act(conference, "whisper_open", title="私语", participants=[ids["参会人2"], ids["参会人3"]])[
        "whisper"
    ]
    until(lambda: _whispering(api, conference) == 2, within=20, to="open the whisper")
    wait_for_agreement(stack, conference)

    answering = stack.pid("xml")
    kill(stack, part)
    if part == "xml":
        until(lambda: stack.pid("xml") != answering and stack.answers(), within=20, to="answer the switch again")
    if part in ("web", "postgres"):
        until(lambda: api.get(f"conferences/{conference}/"), within=60, to="answer again")
    # What is asked for in the meantime is done afterwards.
    api.act(conference, "mute", participants=[ids["参会人4"]])
    api.act(conference, "deafen", participants=[ids["参会人5"]])
    api.act(conference, "remove", participants=[ids["参会人6"]])

    def settled() -> bool:
        by_name = {each["name"]: each for each in api.participants(conference)}
        connected = [each for name, each in by_name.items() if name != "参会人6"]
        return (
            all(each["state"] == "connected" for each in connected)
            and by_name["参会人6"]["state"] in ("left", "planned")
            and by_name["参会人0"]["observed_muted"]
            and by_name["参会人1"]["observed_muted"]
            and by_name["参会人4"]["observed_muted"]
            and by_name["参会人5"]["observed_deaf"]
            and not by_name["参会人7"]["observed_muted"]
            and by_name["参会人2"]["room"] == by_name["参会人3"]["room"] == whisper
        )

    until(settled, within=90, to="be as desired again")
    wait_for_agreement(stack, conference)
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")


@pytest.mark.parametrize("part", ["postgres", "valkey"])
def test_a_launch_of_fifty_waits_while_nothing_is_heard_of(stack: Stack, part: str) -> None:
    api = stack.sign_in()
    prefix = 5000 if part == "postgres" else 5100
    with Watch(stack) as watch:
        conference = launch(api, everybody(prefix), busy_retries=0, attempts_per_number=1)
        with Feed(stack, api, conference) as feed:
            until(lambda: connected(api, conference) >= 5, within=30, to="be in the middle of the launch")
            with frozen(stack, part):
                over = time.monotonic() + OUTAGE
                if part == "valkey":
                    until(lambda: in_place(api, conference), within=OUTAGE, to="bring everybody in without pushes")
                    first = feed.person("参会人0")["id"]
                    api.act(conference, "mute", participants=[first])
                    feed.until(lambda: feed.person("参会人0")["observed_muted"], "tell of it without pushes")
                until(lambda: time.monotonic() > over, within=OUTAGE + 5, to="be patient")
            until(lambda: in_place(api, conference), within=60, to="bring everybody in all the same")
            wait_for_agreement(stack, conference)
            with Feed(stack, api, conference) as fresh:
                feed.until(lambda: feed.state == fresh.state, "tell what a new page is told")
    assert max(watch.calls.values()) == 1, "somebody was called again"
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")


def test_a_launch_of_fifty_survives_the_loss_of_one_switchboard_after_the_other(stack: Stack) -> None:
    api = stack.sign_in()
    chance = random.Random(5)
    with Watch(stack) as watch:
        conference = launch(api, everybody(5200), busy_retries=0, attempts_per_number=1)
        for _ in range(8):
            holder = until(
                lambda: stack.rows("SELECT lease_holder FROM switch_node WHERE lease_until > now()"),
                within=20,
                to="have a switchboard take over",
            )
            threading.Event().wait(chance.uniform(0, 0.5))
            os.kill(int(holder[0]["lease_holder"].split(":")[1]), signal.SIGKILL)
            with stack.database() as database:  # as if its time had run out
                database.execute("UPDATE switch_node SET lease_until = now()")
        until(lambda: in_place(api, conference), within=90, to="bring everybody in all the same")
    assert max(watch.calls.values()) == 1, "somebody was called again"
    wait_for_agreement(stack, conference)
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")


def test_nonsense_on_the_channel_of_changes_is_survived(stack: Stack) -> None:
    holder = driving(stack)
    with stack.database() as database:
        database.execute("SELECT pg_notify('sparkle_desired', 'nonsense')")
    api = stack.sign_in()
    conference = launch(api, [person("甲", mobile(5300))])
    until(lambda: states(api, conference) == {"甲": "connected"}, within=20, to="go on")
    assert driving(stack) == holder
    api.act(conference, "end")


def test_a_standby_takes_over_within_five_seconds(stack: Stack) -> None:
    first = driving(stack)
    os.kill(first, signal.SIGSTOP)  # not dead, only silent: worse
    try:
        rows = "SELECT 1 FROM switch_node WHERE connected AND lease_until > now() AND lease_holder NOT LIKE %s"
        until(lambda: stack.rows(rows, f"%:{first}:%"), within=5, to="have the standby drive the node")
    finally:
        os.kill(first, signal.SIGCONT)
    until(lambda: driving(stack) != first, within=10, to="leave the node to the new holder")


def _whispering(api: Api, conference: str) -> int:
    return sum(each["room"] not in ("main", None) for each in api.participants(conference))
