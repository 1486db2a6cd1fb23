"""Calling people: they join, or the switch says why not."""

from __future__ import annotations

import socket
from uuid import uuid4

import pytest

from apps.switch.commands import Kill, MemberFlag, Originate
from apps.switch.esl.rendering import render
from apps.switch.events import (
    JobDone,
    LegAnswered,
    LegCreated,
    LegEnded,
    LegRinging,
    MemberJoined,
    MemberLeft,
    RoomCreated,
    RoomDestroyed,
)
from tests.contract.desk import HEARD, Desk, rehearsal
from tests.servers import wait_until


def test_somebody_answers_and_joins(desk: Desk) -> None:
    call = desk.originate("9000")
    created = desk.expect(LegCreated, lambda event: event.leg == call.leg)
    ringing = desk.expect(LegRinging, lambda event: event.leg == call.leg)
    answered = desk.expect(LegAnswered, lambda event: event.leg == call.leg)
    job = desk.expect(JobDone, lambda event: event.job == call.job)
    room = desk.expect(RoomCreated, lambda event: event.room == call.room.name)
    joined = desk.expect(MemberJoined, lambda event: event.room == call.room.name)

    assert created.at <= ringing.at <= answered.at
    assert (job.cause, job.body) == (None, f"+OK {call.leg}\n")
    assert created.core == room.core == joined.core
    assert (joined.leg, joined.participant) == (call.leg, call.participant)
    assert (joined.can_speak, joined.can_hear) == (True, True)
    assert (joined.held, joined.moderator, joined.talking) == (False, False, False)


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        ("9486", "USER_BUSY"),
        ("9603", "CALL_REJECTED"),
        ("9404", "UNALLOCATED_NUMBER"),
        ("9480", "NO_USER_RESPONSE"),
        ("9503", "NORMAL_TEMPORARY_FAILURE"),
    ],
)
def test_somebody_does_not_come(desk: Desk, number: str, cause: str) -> None:
    call = desk.originate(number)
    desk.expect(LegRinging, lambda event: event.leg == call.leg)
    ended = desk.expect(LegEnded, lambda event: event.leg == call.leg)
    job = desk.expect(JobDone, lambda event: event.job == call.job)
    assert (ended.cause, ended.sip_code) == (cause, 0)
    assert (job.cause, job.body) == (cause, f"-ERR {cause}\n")
    assert desk.members(call.room) == {}


def test_early_media_never_reaches_the_room(desk: Desk) -> None:
    desk.call("9105")
    recording = desk.record(desk.room)
    call = desk.originate("9611")
    answered = desk.expect(LegAnswered, lambda event: event.leg == call.leg)
    joined = desk.joined(call.leg, call.room)
    assert joined.at >= answered.at
    desk.client.settle(0.5)
    heard = desk.stop_recording(desk.room, recording)
    assert heard[1100] < HEARD < heard[500]


def test_early_media_would_reach_it_if_it_were_not_ignored(desk: Desk) -> None:
    """What the test above would hear: the variable is what keeps it out."""
    desk.call("9105")
    recording = desk.record(desk.room)
    [text] = render(Originate(uuid4(), uuid4(), uuid4(), rehearsal("9611"), desk.room))
    assert "ignore_early_media=true," in text
    desk.client.send(text.replace("ignore_early_media=true,", ""))
    desk.expect(MemberJoined, lambda event: event.room == desk.room.name)
    desk.client.settle(0.6)
    assert desk.stop_recording(desk.room, recording)[1100] > HEARD


def test_nobody_answers(desk: Desk) -> None:
    call = desk.originate("9408", timeout=1)
    ended = desk.expect(LegEnded, lambda event: event.leg == call.leg)
    job = desk.expect(JobDone, lambda event: event.job == call.job)
    assert ended.cause == job.cause == "NO_ANSWER"


def test_a_ringing_call_is_cancelled(desk: Desk) -> None:
    call = desk.originate("9408")
    desk.expect(LegRinging, lambda event: event.leg == call.leg)
    desk.command(Kill(call.leg, "ORIGINATOR_CANCEL"))
    ended = desk.expect(LegEnded, lambda event: event.leg == call.leg)
    job = desk.expect(JobDone, lambda event: event.job == call.job)
    assert ended.cause == job.cause == "ORIGINATOR_CANCEL"


def test_the_same_person_is_never_called_twice(desk: Desk) -> None:
    """A loopback has no guard of its own; the rehearsal context has one (rehearsal.xml)."""
    first = desk.originate("9408")
    assert first.leg in {event.leg for event in desk.seen(LegRinging, 0.5)}
    again = desk.originate("9408", leg=first.leg)
    job = desk.expect(JobDone, lambda event: event.job == again.job)
    assert job.cause == "DESTINATION_OUT_OF_ORDER"
    assert not [event for event in desk.seen(LegEnded) if event.leg == first.leg]
    assert desk.seen(LegRinging, 0) == []
    assert desk.client.api(f"uuid_exists {first.leg}") == "true"


def test_the_same_phone_is_never_called_twice(desk: Desk) -> None:
    """A SIP endpoint refuses a UUID that is alive, and no event tells of the second leg."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        phone = f"sofia/internal/sip:9408@127.0.0.1:{silent.getsockname()[1]};transport=tls"
        first = desk.originate("", dial_string=phone)
        desk.expect(LegCreated, lambda event: event.leg == first.leg)
        again = desk.originate("", dial_string=phone, leg=first.leg)
        job = desk.expect(JobDone, lambda event: event.job == again.job)
        assert job.cause == "DESTINATION_OUT_OF_ORDER"
        assert desk.seen(LegCreated) == []
        assert desk.seen(LegEnded, 0) == []
        assert desk.client.api(f"uuid_exists {first.leg}") == "true"
        desk.command(Kill(first.leg, "ORIGINATOR_CANCEL"))
        assert desk.expect(LegEnded, lambda event: event.leg == first.leg).cause == "ORIGINATOR_CANCEL"


def test_what_a_leg_joins_with(desk: Desk) -> None:
    flags = (MemberFlag.MUTE, MemberFlag.MODERATOR)
    leg = desk.call("9000", flags=flags, volume_in=-2, callee_name="王 小明", caller_name="周会", caller_number="8000")
    listed = desk.members(desk.room)[str(leg)]
    assert listed["flags"]["is_moderator"] is True
    assert listed["flags"]["can_speak"] is False
    assert listed["flags"]["can_hear"] is True
    assert listed["volume_in"] == -2
    assert listed["caller_id_name"] == "王\u00a0小明"


def test_somebody_hangs_up(desk: Desk) -> None:
    leg = desk.call("9001")
    left = desk.expect(MemberLeft, lambda event: event.leg == leg)
    ended = desk.expect(LegEnded, lambda event: event.leg == leg)
    destroyed = desk.expect(RoomDestroyed, lambda event: event.room == desk.room.name)
    assert ended.cause == "NORMAL_CLEARING"
    assert left.core == destroyed.core


def test_a_leg_is_hung_up_with_its_cause(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.command(Kill(leg))
    assert desk.expect(LegEnded, lambda event: event.leg == leg).cause == "NORMAL_CLEARING"
    [reply] = desk.send(Kill(leg))
    assert reply.text == "-ERR No such channel!\n"


def test_many_at_once(desk: Desk) -> None:
    calls = [desk.originate("9000") for _ in range(40)]
    wait_until(lambda: desk.members(desk.room).keys() == {str(call.leg) for call in calls}, "all 40 are in the room")
    jobs = {desk.expect(JobDone, lambda event, job=call.job: event.job == job).cause for call in calls}
    assert jobs == {None}


def test_an_unknown_profile_is_no_error(desk: Desk) -> None:
    leg, name = uuid4(), f"x-{uuid4().hex[:12]}"
    origin = f"originate {{origination_uuid={leg}}}loopback/9000/rehearsal &conference({name}@nosuch)"
    assert desk.client.api(origin) == f"+OK {leg}\n"
    joined = desk.expect(MemberJoined, lambda event: event.room == name)
    assert joined.leg == leg
