"""Moving people between rooms, and whispering: what is lost, what is kept, who hears whom."""

from __future__ import annotations

from functools import partial
from uuid import UUID, uuid4

import pytest

from apps.switch.commands import (
    Command,
    Deaf,
    Kill,
    Lock,
    MemberFlag,
    Move,
    Mute,
    OriginateFeed,
    PrepareMove,
    Room,
    SetVolume,
)
from apps.switch.events import JobDone, LegEnded, MemberJoined, MemberLeft, RoomDestroyed, Talking
from tests.contract.desk import HEARD, Desk, action
from tests.servers import wait_until


def _move(desk: Desk, source: Room, target: Room, *legs: UUID, flags: frozenset[MemberFlag] = frozenset()) -> None:
    desk.command(Move(source, target, legs, flags))
    for leg in legs:
        desk.joined(leg, target)


def _feed(desk: Desk, main: Room, whisper: Room, volume: int = -3) -> UUID:
    feed = OriginateFeed(leg=uuid4(), job=uuid4(), main=main, whisper=whisper, volume=volume)
    desk.command(feed)
    job = desk.expect(JobDone, lambda event: event.job == feed.job)
    assert job.body == f"+OK {feed.leg}\n"
    desk.joined(feed.leg, whisper)
    return feed.leg


def _flags(desk: Desk, room: Room, leg: UUID) -> tuple[bool, bool, int]:
    member = desk.members(room)[str(leg)]
    return member["flags"]["can_speak"], member["flags"]["can_hear"], member["volume_in"]


def test_a_move_leaves_one_room_and_joins_the_other(desk: Desk) -> None:
    stays, leg = desk.call("9000"), desk.call("9000")
    number = desk.members(desk.room)[str(leg)]["id"]
    target = desk.new_room("whisper")
    [reply] = desk.send(Move(desk.room, target, (leg,)))
    assert reply.text == f"+OK Member '{number}' sent to conference {target.name}@whisper.\n"
    left = desk.expect(MemberLeft, lambda event: event.leg == leg)
    desk.joined(leg, target)
    assert left.room == desk.room.name
    assert desk.members(target)[str(leg)]["id"] == number
    assert desk.members(desk.room).keys() == {str(stays)}


def test_several_move_at_once_and_strangers_stop_nobody(desk: Desk) -> None:
    stays, first, second = (desk.call("9000") for _ in range(3))
    target, stranger = desk.new_room("whisper"), uuid4()
    [reply] = desk.send(Move(desk.room, target, (first, stranger, second)))
    assert f"-ERR No Member uuid={stranger} in conference {desk.room.name}.\n" in reply.text
    wait_until(lambda: desk.members(target).keys() == {str(first), str(second)}, "both have moved")
    assert desk.members(desk.room).keys() == {str(stays)}


def test_a_move_loses_mute_and_volume(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9000")
    states: tuple[Command, ...] = (Mute(desk.room, leg), Deaf(desk.room, leg), SetVolume(desk.room, leg, -2))
    for command in states:
        desk.command(command)
    target = desk.new_room("whisper")
    _move(desk, desk.room, target, leg)
    assert _flags(desk, target, leg) == (True, True, 0)


def test_a_prepared_move_keeps_them(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9000")
    both = frozenset({MemberFlag.MUTE, MemberFlag.MODERATOR})
    desk.command(PrepareMove(leg, both, -2))
    target = desk.new_room("whisper")
    _move(desk, desk.room, target, leg)
    assert _flags(desk, target, leg) == (False, True, -2)
    assert desk.members(target)[str(leg)]["flags"]["is_moderator"] is True

    desk.command(PrepareMove(leg, frozenset(), 0))
    _move(desk, target, desk.room, leg)
    assert _flags(desk, desk.room, leg) == (True, True, 0)


def test_an_empty_room_is_gone(desk: Desk) -> None:
    leg = desk.call("9000")
    target = desk.new_room("whisper")
    _move(desk, desk.room, target, leg)
    desk.expect(RoomDestroyed, lambda event: event.room == desk.room.name)
    assert desk.client.api(f"conference {desk.room.name} list") == f"-ERR Conference {desk.room.name} not found\n"


class Whisper:
    """Two talk in the main room, two whisper, each with a tone of their own; the whisperers hear the main room."""

    def __init__(self, desk: Desk, *, feed: bool = True) -> None:
        self.desk = desk
        self.main, self.room = desk.room, desk.new_room("whisper")
        self.at_main = [desk.call("9105"), desk.call("9108")]
        self.whisperers = [desk.call("9115"), desk.call("9119")]
        ends = frozenset({MemberFlag.MANDATORY_MEMBER_ENDCONF})
        _move(desk, self.main, self.room, *self.whisperers, flags=ends)
        self.feed = _feed(desk, self.main, self.room) if feed else None
        for leg in (*self.at_main, *self.whisperers):
            wait_until(partial(self._talks, leg), f"{leg} talks")

    def _talks(self, leg: UUID) -> bool:
        listed = self.desk.members(self.main) | self.desk.members(self.room)
        return bool(listed[str(leg)]["flags"]["talking"])

    def listen(self) -> tuple[dict[int, float], dict[int, float]]:
        """The tones in the main room and in the whisper, of the same time."""
        main, whisper = self.desk.record(self.main), self.desk.record(self.room)
        self.desk.client.settle(0.6)
        return self.desk.stop_recording(self.main, main), self.desk.stop_recording(self.room, whisper)


def test_a_whisper_is_heard_by_those_in_it_alone(desk: Desk) -> None:
    main, whisper = Whisper(desk).listen()
    assert min(main[500], main[800]) > HEARD
    assert max(main[1500], main[1900]) < main[500] / 1000
    assert min(whisper[1500], whisper[1900]) > HEARD
    # The main room, softly: -8 dB at a volume of -3.
    for tone in (500, 800):
        assert 0.2 < whisper[tone] / main[tone] < 0.6


def test_a_feed_gets_into_a_locked_room(desk: Desk) -> None:
    desk.call("9105")
    whisperer = desk.call("9108")
    whisper = desk.new_room("whisper")
    desk.command(Lock(desk.room))
    _move(desk, desk.room, whisper, whisperer)
    feed = _feed(desk, desk.room, whisper)
    assert desk.members(whisper).keys() == {str(whisperer), str(feed)}
    assert len(desk.members(desk.room)) == 2


def test_without_a_feed_the_main_room_is_not_heard(desk: Desk) -> None:
    main, whisper = Whisper(desk, feed=False).listen()
    assert max(whisper[500], whisper[800]) < main[500] / 1000
    assert max(main[1500], main[1900]) < main[500] / 1000


@pytest.mark.parametrize("verb", ["unmute", "undeaf"])
def test_lifting_everybodys_mute_does_not_let_the_whisper_out(desk: Desk, verb: str) -> None:
    scene = Whisper(desk)
    assert desk.client.api(f"conference {scene.main.name} {verb} all").startswith("+OK")
    main, whisper = scene.listen()
    assert main[500] > HEARD
    assert max(main[1500], main[1900]) < main[500] / 1000
    assert whisper[1500] > HEARD


def test_a_whisper_ends_with_its_last_member_and_takes_its_feed_along(desk: Desk) -> None:
    scene = Whisper(desk)
    desk.client.events.clear()
    desk.command(PrepareMove(scene.whisperers[0], frozenset(), 0))
    _move(desk, scene.room, scene.main, *scene.whisperers)
    assert scene.feed is not None
    desk.expect(LegEnded, lambda event: event.leg == scene.feed)
    desk.expect(RoomDestroyed, lambda event: event.room == scene.room.name)
    assert desk.members(scene.main).keys() == {str(leg) for leg in (*scene.at_main, *scene.whisperers)}


def test_a_feed_is_ended_by_its_leg(desk: Desk) -> None:
    scene = Whisper(desk)
    assert scene.feed is not None
    desk.command(Kill(scene.feed))
    desk.expect(LegEnded, lambda event: event.leg == scene.feed)
    wait_until(lambda: len(desk.members(scene.main)) == 2, "the main room is left by the feed")
    _, whisper = scene.listen()
    assert max(whisper[500], whisper[800]) < HEARD < whisper[1500]


def test_a_feed_is_a_ghost_and_no_guest(desk: Desk) -> None:
    scene = Whisper(desk)
    listed = desk.client.api(f"conference {scene.room.name} xml_list")
    assert listed.count("<is_ghost>true</is_ghost>") == 1
    assert desk.client.api(f"conference {scene.room.name} get count") == "2"
    assert desk.client.api(f"conference {scene.room.name} get count_ghosts") == "1"
    assert desk.client.api(f"conference {scene.main.name} get count_ghosts") == "1"


def test_a_second_feed_of_one_leg_is_not_refused(desk: Desk) -> None:
    """A loopback gives it another UUID (switch_core_session.c:639): a feed must not be asked for twice."""
    scene = Whisper(desk)
    assert scene.feed is not None
    again = OriginateFeed(leg=scene.feed, job=uuid4(), main=scene.main, whisper=scene.room)
    desk.command(again)
    job = desk.expect(JobDone, lambda event: event.job == again.job)
    assert job.body.startswith("+OK ")
    assert job.body != f"+OK {scene.feed}\n"


def test_whoever_comes_back_is_heard_again(desk: Desk) -> None:
    scene = Whisper(desk)
    back = scene.whisperers[0]
    desk.seen(Talking, 0)
    _move(desk, scene.room, scene.main, back)
    desk.expect(Talking, lambda event: event.leg == back and event.room == scene.main.name and event.talking)
    main, whisper = scene.listen()
    assert main[1500] > HEARD
    assert main[1900] < HEARD < whisper[1900]


def test_a_transfer_is_told(desk: Desk) -> None:
    desk.call("9000")
    leg = desk.call("9000")
    target = desk.new_room("whisper")
    desk.command(Move(desk.room, target, (leg,)))
    told = action(desk.client, "transfer", Unique_ID=str(leg))
    assert told["Old-Conference-Name"] == desk.room.name
    assert told["New-Conference-Name"].startswith(target.name)
    desk.expect(MemberJoined, lambda event: event.room == target.name)
