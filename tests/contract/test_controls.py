"""What is done to people in a room, and the event that tells of it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from apps.switch.commands import (
    Command,
    Deaf,
    HangupRoom,
    Hold,
    Lock,
    MemberFlag,
    Move,
    Mute,
    MuteNonModerators,
    Room,
    SetHearing,
    SetVolume,
    Undeaf,
    Unhold,
    Unlock,
    Unmute,
)
from apps.switch.events import (
    Digit,
    FloorChanged,
    LegEnded,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberVolume,
    RoomDestroyed,
    RoomLocked,
    RoomUnlocked,
    Talking,
)
from tests.contract.desk import HEARD, Desk, action
from tests.servers import wait_until


@pytest.mark.parametrize(
    ("does", "undoes", "fact", "done"),
    [(Mute, Unmute, "can_speak", False), (Deaf, Undeaf, "can_hear", False), (Hold, Unhold, "held", True)],
)
def test_a_state_is_set_and_lifted(
    desk: Desk, does: Callable[[Room, UUID], Command], undoes: Callable[[Room, UUID], Command], fact: str, done: bool
) -> None:
    leg = desk.call("9000")
    other = desk.call("9000")
    for command, value in ((does, done), (undoes, not done)):
        desk.command(command(desk.room, leg))
        event = desk.expect(MemberChanged, lambda changed: changed.room == desk.room.name)
        assert event.leg == leg
        assert getattr(event, fact) is value
        states = {member.leg: getattr(member, fact) for member in desk.snapshot().rooms[0].members}
        assert states == {leg: value, other: not done}


def test_muting_twice_tells_twice(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.command(Mute(desk.room, leg))
    desk.command(Mute(desk.room, leg))
    assert [event.can_speak for event in desk.seen(MemberChanged)] == [False, False]


def test_a_held_member_may_be_unheld_and_is_still_muted(desk: Desk) -> None:
    leg = desk.call("9000")
    for command in (Mute(desk.room, leg), Hold(desk.room, leg), Unhold(desk.room, leg)):
        desk.command(command)
    events = desk.seen(MemberChanged)
    assert [(event.can_speak, event.held) for event in events] == [(False, False), (False, True), (False, False)]


def test_all_but_moderators_are_muted(desk: Desk) -> None:
    chair = desk.call("9000", flags=[MemberFlag.MODERATOR])
    others = {desk.call("9000"), desk.call("9000")}
    [reply] = desk.send(MuteNonModerators(desk.room))
    number = desk.members(desk.room)[str(chair)]["id"]
    assert f"Skipping moderator (member id {number}).\n" in reply.text
    assert {event.leg for event in desk.seen(MemberChanged)} == others
    speaks = {UUID(uuid): member["flags"]["can_speak"] for uuid, member in desk.members(desk.room).items()}
    assert speaks == {chair: True} | dict.fromkeys(others, False)


def test_volume(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.command(SetVolume(desk.room, leg, -3))
    event = desk.expect(MemberVolume, lambda event: event.leg == leg)
    assert event.volume_in == -3
    assert desk.members(desk.room)[str(leg)]["volume_in"] == -3


def test_how_loud_one_hears_is_kept_in_the_next_room(desk: Desk) -> None:
    leg = desk.call("9000")
    desk.command(SetHearing(desk.room, leg, 3))
    assert desk.members(desk.room)[str(leg)]["volume_out"] == 3
    [member] = desk.snapshot().rooms[0].members
    assert (member.volume_in, member.volume_out) == (0, 3)
    target = desk.new_room("whisper")
    desk.command(Move(desk.room, target, (leg,)))
    desk.joined(leg, target)
    assert desk.members(target)[str(leg)]["volume_out"] == 3


def test_lock(desk: Desk) -> None:
    desk.call("9000")
    for command, kind in ((Lock(desk.room), RoomLocked), (Unlock(desk.room), RoomUnlocked)):
        desk.command(command)
        desk.expect(kind, lambda event: event.room == desk.room.name)
        assert desk.snapshot().rooms[0].locked is (kind is RoomLocked)


def test_a_lock_does_not_keep_out_whom_we_call(desk: Desk) -> None:
    desk.call("9000")
    desk.command(Lock(desk.room))
    desk.call("9000")


def test_whoever_is_not_there_is_an_error(desk: Desk) -> None:
    desk.call("9000")
    nobody = uuid4()
    [reply] = desk.send(Mute(desk.room, nobody))
    assert reply.text == "-ERR Non-Existant member\n"
    assert desk.client.api(f"conference {desk.room.name} mute 999999") == "-ERR Non-Existant ID 999999\n"
    missing = Desk.new_room()
    [reply] = desk.send(Mute(missing, nobody))
    assert reply.text == f"-ERR Conference {missing.name} not found\n"


def test_commands_that_are_none(desk: Desk) -> None:
    desk.call("9000")
    name = desk.room.name
    assert desk.client.api(f"conference {name} nosuch 1") == "-ERR Conference command 'nosuch' not found.\n"
    assert desk.client.api("nosuch 1") == "-ERR nosuch Command not found!\n"
    assert desk.client.api(f"conference {name}").startswith("Conference command, not specified.")


def test_kick_ends_the_leg(desk: Desk) -> None:
    leg, stays = desk.call("9000"), desk.call("9000")
    number = desk.members(desk.room)[str(leg)]["id"]
    assert desk.client.api(f"conference {desk.room.name} kick {number}") == f"+OK kicked {number}\n"
    action(desk.client, "kick-member", Unique_ID=str(leg))
    desk.expect(MemberLeft, lambda event: event.leg == leg)
    assert desk.expect(LegEnded, lambda event: event.leg == leg).cause == "NORMAL_CLEARING"
    assert desk.members(desk.room).keys() == {str(stays)}


def test_everybody_is_hung_up(desk: Desk) -> None:
    legs = {desk.call("9000") for _ in range(3)}
    desk.command(HangupRoom(desk.room))
    for leg in legs:
        desk.expect(MemberLeft, lambda event, leg=leg: event.leg == leg)
        assert desk.expect(LegEnded, lambda event, leg=leg: event.leg == leg).cause == "NORMAL_CLEARING"
    desk.expect(RoomDestroyed, lambda event: event.room == desk.room.name)


def test_talking_is_told_and_stops_when_muted_without_a_word(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9105")
    assert desk.expect(Talking, lambda event: event.leg == leg).talking is True
    desk.command(Mute(desk.room, leg))
    assert desk.expect(MemberChanged, lambda event: event.leg == leg).talking is False
    assert desk.seen(Talking, 1.2) == []
    desk.command(Unmute(desk.room, leg))
    assert desk.expect(Talking, lambda event: event.leg == leg).talking is True


def test_speech_is_heard_as_talking(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9200")
    assert desk.expect(Talking, lambda event: event.leg == leg).talking is True


def test_a_muted_tone_is_not_in_the_mix(desk: Desk) -> None:
    desk.call("9108")
    leg = desk.call("9105")
    desk.expect(Talking, lambda event: event.leg == leg)
    before = desk.listen(desk.room)
    desk.command(Mute(desk.room, leg))
    desk.listen(desk.room, 0.3)  # what the switch had taken from them before
    after = desk.listen(desk.room)
    assert before[500] > HEARD
    assert before[800] > HEARD
    assert after[500] < before[500] / 100
    assert after[800] > HEARD


@pytest.mark.parametrize("command", [Hold, Mute])
def test_whoever_joins_later_hears_no_muted_one(desk: Desk, command: Callable[[Room, UUID], Command]) -> None:
    desk.call("9108")
    leg = desk.call("9105", flags=[MemberFlag.MUTE] if command is Mute else [])
    if command is Hold:
        desk.command(Hold(desk.room, leg))
    heard = desk.listen(desk.room)
    assert heard[500] < HEARD < heard[800]


def test_volume_changes_the_mix(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9105")
    desk.expect(Talking, lambda event: event.leg == leg)
    loud = desk.listen(desk.room)[500]
    desk.command(SetVolume(desk.room, leg, -4))
    soft = desk.listen(desk.room)[500]
    assert 0.1 < soft / loud < 0.3


def test_the_floor_goes_to_the_first_and_then_to_who_talks(desk: Desk) -> None:
    quiet = desk.call("9000")
    first = desk.expect(FloorChanged, lambda event: event.room == desk.room.name)
    assert first.leg == quiet
    talker = desk.call("9105")
    assert desk.expect(FloorChanged, lambda event: event.room == desk.room.name).leg == talker
    wait_until(lambda: desk.members(desk.room)[str(talker)]["flags"]["has_floor"], "the talker has the floor")


def test_a_hand_is_raised_by_key(desk: Desk) -> None:
    call = desk.originate("9301")
    desk.expect(MemberJoined, lambda event: event.leg == call.leg)
    digit = desk.expect(Digit, lambda event: event.leg == call.leg)
    assert (digit.room, digit.key, digit.data) == (desk.room.name, "*9", "")
