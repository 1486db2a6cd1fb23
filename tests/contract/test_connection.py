"""The Event Socket itself: signing in, lists, reconnecting, a restarted switch, and what must not get in."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from apps.switch.commands import Mute
from apps.switch.esl.rendering import CORE_UUID, SUBSCRIBE, UnsafeValue, authenticate, display_name, render
from apps.switch.events import FloorChanged, Heartbeat, LegEnded, LegRinging, MemberChanged, MemberJoined
from tests.contract.desk import Desk, action
from tests.contract.esl import Client
from tests.contract.switches import SwitchProcess
from tests.servers import wait_until


def test_a_wrong_password_is_refused_and_cut_off(switch: SwitchProcess) -> None:
    client = Client(switch.host, switch.port, None)
    assert client.send("auth wrong").text == "-ERR invalid"
    assert client.read().headers["Content-Type"] == "text/disconnect-notice"
    with pytest.raises(ConnectionError):
        client.read()


def test_the_right_password_signs_in(switch: SwitchProcess) -> None:
    client = Client(switch.host, switch.port, None)
    assert client.send(authenticate(switch.password)).text == "+OK accepted"
    assert client.send("exit").text == "+OK bye"
    assert client.read().headers["Content-Type"] == "text/disconnect-notice"


def test_what_it_does_not_know(desk: Desk) -> None:
    assert desk.client.send("nosuch thing").text == "-ERR command not found"
    assert desk.client.send("event json").text == "-ERR no keywords supplied"
    assert desk.client.api("uuid_kill nobody") == "-ERR No such channel!\n"
    assert desk.client.api("uuid_exists nobody") == "false"
    assert desk.client.api(f"uuid_setvar {uuid4()} a b") == "-ERR No such channel!\n"
    assert desk.client.api("conference") != ""


def test_an_own_job_comes_back(desk: Desk) -> None:
    job = str(uuid4())
    reply = desk.client.send(f"bgapi uuid_exists nobody\nJob-UUID: {job}")
    assert reply.headers["Reply-Text"] == f"+OK Job-UUID: {job}"
    assert reply.headers["Job-UUID"] == job
    done = desk.client.take(lambda seen: seen.headers.get("Job-UUID") == job, "the job").headers
    assert (done["Job-Command"], done["Job-Command-Arg"], done["_body"]) == ("uuid_exists", "nobody", "false")


def test_variables_of_a_leg(desk: Desk) -> None:
    leg = desk.call("9000")
    assert desk.client.api(f"uuid_setvar {leg} sparkle_test some") == "+OK\n"
    assert desk.client.api(f"uuid_getvar {leg} sparkle_test") == "some"
    assert desk.client.api(f"uuid_setvar {leg} sparkle_test") == "+OK\n"
    assert desk.client.api(f"uuid_getvar {leg} sparkle_test") == "_undef_"
    assert desk.client.api(f"uuid_getvar {leg} conference_name") == desk.room.name


def test_a_subscription_ends(desk: Desk) -> None:
    assert desk.client.send("noevents").text == "+OK no longer listening for events"
    desk.client.events.clear()
    desk.originate("9486")
    desk.client.settle(0.5)
    assert desk.client.events == []
    assert desk.client.send("noevents").text == "-ERR not listening for events"


def test_one_kind_of_event_is_nixed(desk: Desk) -> None:
    assert desk.client.send("nixevent CHANNEL_PROGRESS").text == "+OK events nixed"
    call = desk.originate("9486")
    desk.expect(LegEnded, lambda event: event.leg == call.leg)
    assert desk.seen(LegRinging) == []


def test_only_the_named_custom_events_come(desk: Desk, switch: SwitchProcess) -> None:
    other = switch.connect()
    assert other.send("event json CHANNEL_ANSWER CUSTOM sparkle::other").text == "+OK event listener enabled json"
    desk.call("9000")
    other.settle(0.3)
    assert {seen.headers["Event-Name"] for seen in other.events} == {"CHANNEL_ANSWER"}
    other.close()


def test_events_in_plain_text(desk: Desk, switch: SwitchProcess) -> None:
    plain = switch.connect()
    assert plain.send("event plain CUSTOM conference::maintenance").text == "+OK event listener enabled plain"
    desk.call("9000", callee_name="王 小明")
    while True:
        frame = plain.read()
        assert frame.headers["Content-Type"] == "text/event-plain"
        if "Action: add-member\n" in frame.body:
            break
    assert frame.body.startswith("Event-Subclass: conference%3A%3Amaintenance\nEvent-Name: CUSTOM\n")
    assert frame.body.endswith("\n\n")
    assert "Caller-Caller-ID-Name: %E7%8E%8B%C2%A0%E5%B0%8F%E6%98%8E\n" in frame.body
    plain.close()


def test_numbers_of_events_are_never_used_twice(desk: Desk) -> None:
    for _ in range(3):
        desk.call("9000")
    desk.client.settle(0.3)
    numbers = [seen.headers["Event-Sequence"] for seen in desk.client.events]
    assert len(set(numbers)) == len(numbers) > 10


def test_the_time_is_told_by_the_clock_that_stamps_events(desk: Desk) -> None:
    before = desk.clock()
    joined = desk.joined(desk.originate("9000").leg, desk.room)
    assert before <= joined.at <= desk.clock()


def test_a_snapshot_shows_rooms_members_and_legs(desk: Desk) -> None:
    silent, talks = desk.call("9000"), desk.call("9105")
    ringing = desk.originate("9408")
    desk.expect(LegRinging, lambda event: event.leg == ringing.leg)
    desk.command(Mute(desk.room, silent))

    def shown() -> bool:
        # FreeSWITCH writes its table of channels a moment later.
        legs = {leg.leg: (leg.ringing, leg.answered) for leg in desk.snapshot().legs}
        wanted = {silent: (False, True), talks: (False, True), ringing.leg: (True, False)}
        return wanted.items() <= legs.items()

    wait_until(shown, "the legs are shown as they are")
    wait_until(lambda: desk.members(desk.room)[str(talks)]["flags"]["talking"], "one is shown talking")
    snapshot = desk.snapshot()
    assert snapshot.core == desk.client.send(CORE_UUID).body
    [room] = snapshot.rooms
    members = {member.leg: member for member in room.members}
    assert (room.name, room.locked, set(members)) == (desk.room.name, False, {silent, talks})
    assert (members[silent].can_speak, members[talks].can_speak) == (False, True)


def test_an_empty_switch(desk: Desk) -> None:
    snapshot = desk.snapshot()
    assert (snapshot.rooms, snapshot.legs) == ((), ())
    assert desk.client.api("conference list") == "+OK No active conferences.\n"
    assert json.loads(desk.client.api("show channels as json")) == {"row_count": 0}


def test_a_recording_among_the_members_is_no_member(desk: Desk) -> None:
    leg = desk.call("9000")
    path = desk.record(desk.room)
    assert [member.leg for member in desk.snapshot().rooms[0].members] == [leg]
    assert str(path) in desk.client.api("conference json_list")
    desk.client.settle(0.3)
    desk.stop_recording(desk.room, path)


def test_a_second_connection_goes_on_where_the_first_broke(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.expect(FloorChanged)
    before = desk.snapshot()
    desk.reconnect()
    after = desk.snapshot()
    assert (after.core, after.rooms) == (before.core, before.rooms)
    desk.command(Mute(desk.room, leg))
    assert not desk.expect(MemberChanged, lambda event: event.leg == leg).can_speak


def test_two_clients_see_the_same(desk: Desk, switch: SwitchProcess) -> None:
    other = switch.connect()
    other.send(SUBSCRIBE)
    desk.call("9000")
    action(other, "add-member", Conference_Name=desk.room.name)
    desk.client.settle(0.3)
    other.settle(0.3)
    seen = {event.headers["Event-Sequence"]: event.body for event in desk.client.events}
    theirs = {event.headers["Event-Sequence"]: event.body for event in other.events}
    shared = seen.keys() & theirs.keys()
    assert len(shared) >= 4
    assert all(seen[number] == theirs[number] for number in shared)
    other.close()


def test_heartbeats(desk: Desk) -> None:
    beat = desk.expect(Heartbeat, seconds=30)
    assert beat.core == desk.client.send(CORE_UUID).body
    assert beat.max_sessions > 0
    assert beat.sessions_per_second > 0
    assert beat.version


@pytest.mark.parametrize(
    "name",
    [
        "x\nMember-Type: moderator",
        "x%0AMember-Type: moderator",
        "a,origination_uuid=1]{b}",
        "'quoted' \"twice\"",
        "${system(touch x)}",
        "back\\slash|pipe",
        "王 小明（市场部）",
        "&conference(other)",
    ],
)
def test_no_name_gets_out_of_its_place(desk: Desk, name: str) -> None:
    leg = desk.call("9000", callee_name=name, caller_name=name)
    listed = desk.members(desk.room)
    assert listed.keys() == {str(leg)}
    assert listed[str(leg)]["caller_id_name"] == display_name(name)
    assert listed[str(leg)]["flags"]["is_moderator"] is False
    assert len(desk.snapshot().rooms) == 1


def test_a_command_line_carries_one_command(desk: Desk) -> None:
    """The line break is refused before it is sent; were it sent, it would only be a header."""
    leg = desk.call("9000")
    with pytest.raises(UnsafeValue):
        render(Mute(type(desk.room)(f"{desk.room.name}\n\napi hupall", "sparkle"), leg))
    assert desk.client.send(f"api uuid_exists {leg}\nX: api hupall").body == "true"
    assert str(leg) in desk.members(desk.room)


def test_a_restarted_switch_is_another_one_and_empty(switch: SwitchProcess) -> None:
    desk = Desk(switch)
    desk.call("9000")
    before = desk.snapshot().core
    desk.client.close()
    switch.kill()
    switch.start()
    desk = Desk(switch)
    after = desk.snapshot()
    assert after.core != before
    assert (after.rooms, after.legs) == ((), ())
    leg = desk.call("9000")
    assert desk.seen(MemberJoined, 0) == []
    assert desk.members(desk.room).keys() == {str(leg)}
    desk.leave()
