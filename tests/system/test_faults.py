"""Whatever dies, and whenever: in the end everybody is where they should be, and nobody was called twice at once."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.system.plans import BUSY, launch, mobile, person, states
from tests.system.stack import Api, Stack, until
from tests.system.watch import Watch, rooms, wait_for_agreement

PARTS = ["web", "worker", "switchboard", "valkey", "postgres", "switch"]
PEOPLE = 50


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
        until(
            lambda: sum(state == "connected" for state in states(api, conference).values()) >= 5,
            within=30,
            to="be in the middle of the launch",
        )
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

    kill(stack, part)
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
