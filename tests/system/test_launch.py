"""One POST calls everybody in parallel; each person's ladder is climbed; every view tells the truth."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.sync.client import connect

from tests.system.meeting import Feed, Meeting
from tests.system.plans import BUSY, DECLINES, NO_ANSWER, launch, mobile, person, states
from tests.system.stack import Api, Stack, until
from tests.system.watch import Watch, members, wait_for_agreement

PATIENT: dict[str, Any] = {"ring_seconds": 5, "attempts_per_number": 1, "busy_retries": 0}


def test_twelve_people_are_called_at_once_and_each_ends_where_they_should(stack: Stack) -> None:
    api = stack.sign_in()
    people = [person(f"在线{index}", mobile(index)) for index in range(9)]
    people += [person("忙", mobile(20, BUSY)), person("拒", mobile(21, DECLINES)), person("无", mobile(22, NO_ANSWER))]
    with Watch(stack) as watch:
        conference = launch(api, people, **PATIENT)
        expected = {f"在线{index}": "connected" for index in range(9)} | {
            "忙": "failed",
            "拒": "failed",
            "无": "failed",
        }
        until(lambda: states(api, conference) == expected, within=40, to="reach all of them")
    by_name = {each["name"]: each for each in api.participants(conference)}
    assert [by_name[name]["cause"] for name in "忙拒无"] == ["USER_BUSY", "CALL_REJECTED", "NO_ANSWER"]
    assert max(watch.most.values()) == 1
    assert len(watch.calls) == 12
    wait_for_agreement(stack, conference)
    api.act(conference, "end")
    until(lambda: set(states(api, conference).values()) <= {"left", "failed"}, within=20, to="end for all")


def test_a_ladder_goes_on_to_the_next_number(stack: Stack) -> None:
    api = stack.sign_in()
    numbers = [{"number": mobile(30, BUSY)}, {"number": mobile(31, NO_ANSWER)}, {"number": mobile(32)}]
    conference = launch(api, [{"name": "张三", "role": "chair", "numbers": numbers}], **PATIENT)
    until(lambda: states(api, conference) == {"张三": "connected"}, within=40, to="reach the third number")
    attempts = api.all(f"conferences/{conference}/attempts/")
    assert [each["cause"] for each in sorted(attempts, key=lambda each: each["ordinal"])][:2] == [
        "USER_BUSY",
        "NO_ANSWER",
    ]
    assert [each["number"] for each in sorted(attempts, key=lambda each: each["ordinal"])] == [
        each["number"] for each in numbers
    ]
    api.act(conference, "end")


def test_redial_of_everyone_absent_is_one_action(stack: Stack) -> None:
    api = stack.sign_in()
    conference = launch(api, [person("甲", mobile(40), "chair"), person("乙", mobile(41, BUSY))], **PATIENT)
    until(lambda: states(api, conference) == {"甲": "connected", "乙": "failed"}, within=30, to="end the first round")
    answer = api.act(conference, "redial", participants="absent")
    assert [each["ok"] for each in answer["results"]] == [True]
    attempts = f"conferences/{conference}/attempts/"
    until(lambda: {each["round"] for each in api.all(attempts)} == {1, 2}, within=20, to="call again")
    api.act(conference, "end")


def test_a_call_can_be_cancelled_while_it_rings(stack: Stack) -> None:
    api = stack.sign_in()
    conference = launch(api, [person("甲", mobile(50), "chair"), person("乙", mobile(51, NO_ANSWER))])
    until(lambda: states(api, conference)["乙"] == "ringing", within=20, to="ring")
    absent = next(each["id"] for each in api.participants(conference) if each["name"] == "乙")
    api.act(conference, "cancel", participants=[absent])
    until(lambda: states(api, conference)["乙"] == "planned", within=20, to="stop ringing")
    api.act(conference, "end")


def test_viewers_are_told_everything_without_asking(stack: Stack) -> None:
    api = stack.sign_in()
    conference = launch(api, [person(f"人{index}", mobile(60 + index)) for index in range(5)], entry_muted=True)
    with connect(**_socket(stack, api, conference)) as socket:
        view = json.loads(socket.recv(timeout=10))
        assert view["type"] == "snapshot"
        people = {each["id"]: each for each in view["participants"]}
        seq = view["seq"]
        until_told = 60
        while not all(each["state"] == "connected" and each["observed_muted"] for each in people.values()):
            message = json.loads(socket.recv(timeout=20))
            if message["type"] == "delta":
                assert message["from"] == seq
                seq = message["seq"]
                for key, fields in message["changes"].get("participants", {}).items():
                    people[key].update(fields)
            until_told -= 1
            assert until_told, "told too often"
        socket.send(json.dumps({"type": "action", "id": "a1", "action": "unmute", "body": {"participants": "all"}}))
        while any(each["muted"] or each["observed_muted"] for each in people.values()):
            message = json.loads(socket.recv(timeout=20))
            if message["type"] == "delta":
                for key, fields in message["changes"].get("participants", {}).items():
                    people[key].update(fields)
    room = f"c-{conference.replace('-', '')}"
    assert all(member["flags"]["can_speak"] for member in members(stack, room).values())
    api.act(conference, "end")


def _socket(stack: Stack, api: Api, conference: str) -> dict[str, Any]:
    cookies = "; ".join(f"{name}={value}" for name, value in api.session.cookies.items())
    return {
        "uri": f"{stack.base.replace('http', 'ws')}/ws/conferences/{conference}/",
        "additional_headers": {"Cookie": cookies},
        "origin": stack.base,
    }


def test_it_gathers_until_its_chair_and_its_quorum_are_in(stack: Stack) -> None:
    """Two of five are in at once; the chair, who lets it ring for two seconds, makes it three: 60 %."""
    people = [
        person("主席", mobile(70, "9802"), "chair"),
        person("甲", mobile(71)),
        person("乙", mobile(72)),
        person("忙", mobile(73, BUSY)),
        person("拒", mobile(74, DECLINES)),
    ]
    options = {**PATIENT, "wait_for_chair": True, "quorum_percent": 60, "lock_after_start": True}
    api = stack.sign_in()
    conference = launch(api, people, **options)
    with Feed(stack, api, conference) as feed:
        assert feed.conference["phase"] == "gathering"
        meeting = Meeting(stack, api, conference, feed)
        # Until then they neither speak nor hear.
        meeting.is_so("甲", "乙", told={"state": "connected", "observed_muted": True, "observed_deaf": True})
        assert feed.conference["phase"] == "gathering"
        feed.until(lambda: feed.conference["phase"] == "running", "start")
        meeting.is_so("主席", told={"state": "connected"}, switch={"speaks": True, "hears": True})
        meeting.is_so("甲", "乙", told={"observed_muted": False}, switch={"speaks": True, "hears": True})
        feed.until(lambda: feed.conference["observed_locked"], "lock after the start")
        assert feed.conference["started_at"]
    api.act(conference, "end")


def test_a_plan_launched_ten_times_at_once_runs_once(stack: Stack) -> None:
    apis = [stack.sign_in() for _ in range(10)]
    plan = apis[0].post("plans/", {"title": "抢着开会", "people": [person("甲", mobile(80)), person("乙", mobile(81))]})
    with Watch(stack) as watch, ThreadPoolExecutor(len(apis)) as pool:
        answers = list(pool.map(lambda api: api.post("conferences/", {"plan": plan.json()["id"]}), apis))
        [won] = [each for each in answers if each.status_code == 201]
        conference = won.json()["id"]
        for lost in answers:
            if lost is not won:
                assert (lost.status_code, lost.json()["code"]) == (409, "plan_is_running")
                assert lost.json()["conference"] == conference
        until(lambda: set(states(apis[0], conference).values()) == {"connected"}, within=30, to="call everybody")
    assert watch.calls == {mobile(80): 1, mobile(81): 1}
    apis[0].act(conference, "end")


def test_changes_for_one_run_leave_the_plan_as_it_is(stack: Stack) -> None:
    api = stack.sign_in()
    people = [person("甲", mobile(90)), person("乙", mobile(91))]
    plan = api.post("plans/", {"title": "例会", "people": people}).json()
    changes = {"title": "例会（加一人）", "entry_muted": True, "people": [*people, person("丙", mobile(92))]}
    conference = api.post("conferences/", {"plan": plan["id"], **changes}).json()["id"]
    with Feed(stack, api, conference) as feed:
        meeting = Meeting(stack, api, conference, feed)
        meeting.is_so("甲", "乙", "丙", told={"state": "connected", "muted": True, "observed_muted": True})
        assert feed.conference["title"] == "例会（加一人）"
    refused = api.session.delete(
        f"{api.base}/api/v1/plans/{plan['id']}/",
        headers={"X-CSRFToken": api.session.cookies.get("csrftoken") or "", "Referer": api.base},
        timeout=10,
    )
    assert (refused.status_code, refused.json()["code"], refused.json()["conference"]) == (
        409,
        "plan_is_running",
        conference,
    )
    api.act(conference, "end")
    now = api.get(f"plans/{plan['id']}/")
    assert (now["title"], now["entry_muted"], len(now["people"]), now["revision"]) == ("例会", False, 2, 1)
