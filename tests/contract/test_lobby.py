"""The room in which people wait to be let in: what they hear, who hears them, and the way into the conference."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from apps.switch.commands import Lock, MemberFlag, Move, OriginateFeed, PrepareMove, Room
from apps.switch.events import JobDone, LegEnded, MemberJoined, MemberLeft
from tests.contract.desk import HEARD, Desk, read_wav, tone_level
from tests.servers import wait_until

MUTE = frozenset({MemberFlag.MUTE})
#: Of what the lobby plays (LOBBY_TONES of apps/switch/freeswitch/render.py), Hz: begins at once, for 0.7 s.
MUSIC = 523


def _lobby(desk: Desk) -> Room:
    return desk.new_room("lobby")


def _caller(desk: Desk, room: Room) -> UUID:
    """Somebody who called in, to the switch: the far end of a pair, with nothing set that lets it pass locks."""
    aside = desk.new_room()
    feed = OriginateFeed(uuid4(), uuid4(), room, aside)
    before = set(desk.members(room))
    desk.command(feed)
    desk.expect(JobDone, lambda event: event.job == feed.job)
    wait_until(lambda: len(desk.members(room)) > len(before), "the caller is listed")
    [leg] = set(desk.members(room)) - before
    desk.client.api(f"uuid_setvar {leg} conference_enforce_security")
    return UUID(leg)


def test_who_waits_hears_music_whoever_else_waits_and_is_not_heard(desk: Desk) -> None:
    lobby = _lobby(desk)
    desk.call("9115", lobby, flags=MUTE)
    path = desk.record(lobby)
    desk.call("9119", lobby, flags=MUTE)
    desk.client.settle(1.2)
    desk.stop_recording(lobby, path)
    samples, rate = read_wav(path)
    # The music comes again every 7.9 s; it is there from the beginning.
    assert tone_level(samples[: int(1.0 * rate)], rate, MUSIC) > HEARD
    for tone in (1500, 1900):
        assert tone_level(samples, rate, tone) < HEARD / 10


def test_the_conference_and_the_lobby_do_not_hear_each_other(desk: Desk) -> None:
    lobby = _lobby(desk)
    desk.call("9115")
    desk.call("9000")
    desk.call("9119", lobby, flags=MUTE)
    main, waiting = desk.record(desk.room), desk.record(lobby)
    desk.client.settle(0.6)
    inside, outside = desk.stop_recording(desk.room, main), desk.stop_recording(lobby, waiting)
    assert inside[1500] > HEARD > 10 * inside[1900]
    assert outside[1500] < HEARD / 10


def test_who_is_let_in_is_heard(desk: Desk) -> None:
    lobby = _lobby(desk)
    desk.call("9105")
    leg = desk.call("9108", lobby, flags=MUTE)
    desk.command(PrepareMove(leg, frozenset(), 0))
    desk.command(Move(lobby, desk.room, (leg,)))
    desk.expect(MemberLeft, lambda event: event.leg == leg and event.room == lobby.name)
    joined = desk.joined(leg, desk.room)
    assert joined.can_speak
    assert desk.listen(desk.room)[800] > HEARD


@pytest.mark.parametrize("caller", [True, False])
def test_a_locked_room_takes_in_a_caller_who_is_let_in(desk: Desk, caller: bool) -> None:
    lobby = _lobby(desk)
    desk.call("9000")
    leg = _caller(desk, lobby)
    desk.command(Lock(desk.room))
    desk.command(PrepareMove(leg, frozenset(), 0, caller=caller))
    desk.command(Move(lobby, desk.room, (leg,)))
    if caller:
        desk.expect(MemberJoined, lambda event: event.leg == leg and event.room == desk.room.name)
    else:
        desk.expect(LegEnded, lambda event: event.leg == leg)
        assert str(leg) not in desk.members(desk.room)


def test_several_are_let_in_at_once(desk: Desk) -> None:
    lobby = _lobby(desk)
    desk.call("9000")
    legs = tuple(desk.call("9000", lobby, flags=MUTE) for _ in range(3))
    for leg in legs:
        desk.command(PrepareMove(leg, frozenset(), 0))
    desk.command(Move(lobby, desk.room, legs))
    wait_until(lambda: {str(leg) for leg in legs} <= desk.members(desk.room).keys(), "all are in")
    assert all(desk.members(desk.room)[str(leg)]["flags"]["can_speak"] for leg in legs)
