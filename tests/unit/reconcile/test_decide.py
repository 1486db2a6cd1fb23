"""decide() and the rules, case by case: what is wanted, what is believed, and the commands between the two."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from uuid import uuid5

import pytest

from apps.conferences.reconcile.decide import FAREWELL, NOBODY_THERE, NOT_STARTED, PLAY_WITHIN, REPEAT_PLAY_AFTER, STRAY
from apps.conferences.reconcile.desired import (
    DesiredAnnouncement,
    DesiredConference,
    attempt_leg,
    feed_leg,
    send_job,
)
from apps.conferences.reconcile.in_flight import COMMAND_TIMEOUT
from apps.conferences.reconcile.observe import connect
from apps.conferences.reconcile.observed import SETTLE, LegPhase, Observed, ObservedLeg
from apps.conferences.reconcile.rules import Rules, gathered, over
from apps.switch import commands as c
from apps.switch import events as e
from tests.unit.reconcile.build import LOBBY, MAIN, SPACE, conference, person, whisper
from tests.unit.reconcile.feed import Feed, listed, member

SIDE = whisper("side")
NAMES = ("chair", "ann", "bob", "cat")
SHOWN = {c.MemberFlag.MUTE: "muted", c.MemberFlag.DEAF: "deaf", c.MemberFlag.MODERATOR: "moderator"}


def launched(*names: str, **facts: Any) -> Feed:
    """A conference whose people have all been called; those named are in, as the flags of their call have it."""
    people = (person("chair", "chair"), person("ann"), person("bob"), person("cat", "participant"))
    feed = Feed(conference(*people, whispers=(SIDE,), **facts))
    flags = {dial.participant: dial.originate.flags for dial in feed.act().dials}
    for name in names:
        given: dict[str, Any] = {SHOWN[flag]: True for flag in flags[uuid5(SPACE, name)]}
        feed.join(name, **given)
    return feed


@pytest.fixture
def feed() -> Feed:
    return launched(*NAMES)


def told(feed: Feed) -> list[c.Command]:
    return feed.act().commands


# Calling


def test_everybody_is_called_at_once_and_who_leads_first() -> None:
    people = [person("ann"), person("bob", volume_in=-2, forbidden=True), person("chair", "chair", deaf=True)]
    feed = Feed(conference(*people))
    dials = feed.act().dials
    assert [dial.originate.callee_name for dial in dials] == ["chair", "ann", "bob"]
    bob = dials[2]
    assert (bob.leg, bob.round, bob.ordinal) == (attempt_leg(people[1].id, 1, 1), 1, 1)
    assert bob.originate == c.Originate(
        leg=bob.leg,
        job=send_job(bob.leg, 1),
        participant=people[1].id,
        dial_string=people[1].numbers[0].routes[0].dial_string,
        room=MAIN,
        flags=frozenset({c.MemberFlag.MUTE}),
        timeout=45,
        caller_name="Weekly",
        callee_name="bob",
        volume_in=-2,
    )
    assert dials[0].originate.flags == {c.MemberFlag.MODERATOR, c.MemberFlag.DEAF}
    assert not feed.decide(), "who is being called is not called again"


def test_a_dial_that_is_not_admitted_comes_again() -> None:
    feed = Feed(conference(person("ann")))
    assert feed.decide().dials == feed.decide().dials
    assert feed.state("ann").state == "queued"


def test_nothing_is_decided_before_the_switch_is_known(feed: Feed) -> None:
    feed.change_person("ann", muted=True)
    feed.observed.disconnected()
    assert not feed.decide()
    connect(feed.observed, "core", feed.now)
    assert not feed.decide()
    feed.snapshot(asked_at=feed.now)
    assert feed.decide()


def test_a_call_without_a_sign_is_repeated_under_its_uuid() -> None:
    feed = Feed(conference(person("ann")))
    (first,) = feed.act().dials
    feed.wait(SETTLE)
    assert feed.decide().snapshot
    feed.snapshot()
    (again,) = feed.act().dials
    assert again.repeat
    assert (again.leg, again.ordinal) == (first.leg, first.ordinal)
    assert again.originate == replace(first.originate, job=send_job(first.leg, 2))


def test_a_missing_call_is_given_up_when_its_number_is_gone() -> None:
    feed = Feed(conference(person("ann")))
    (first,) = feed.act().dials
    feed.wait(SETTLE)
    feed.snapshot()
    feed.change_person("ann", numbers=())
    decision = feed.decide()
    assert (decision.abandoned, decision.dials) == ([first.leg], [])


def test_a_new_round_starts_afresh(feed: Feed) -> None:
    ann = feed.leg("ann")
    feed.tell(e.LegEnded, leg=ann.leg, cause="NORMAL_CLEARING", sip_code=200)
    assert feed.state("ann").state == "left"
    assert not feed.decide().dials
    feed.change_person("ann", round=2)
    assert feed.state("ann").state == "queued"
    (dial,) = feed.act().dials
    assert (dial.round, dial.ordinal, dial.leg) == (2, 1, attempt_leg(dial.participant, 2, 1))


def test_who_broke_off_is_called_back_into_their_place(feed: Feed) -> None:
    feed.change_person("ann", whisper=SIDE.id, forbidden=True)
    feed.tell(e.LegEnded, leg=feed.leg("ann").leg, cause="MEDIA_TIMEOUT", sip_code=0)
    (dial,) = feed.act().dials
    assert dial.originate.room == SIDE.room
    assert dial.originate.flags == {c.MemberFlag.MUTE}


@pytest.mark.parametrize(
    ("ringing", "cause"), [(True, "ORIGINATOR_CANCEL"), (False, "NORMAL_CLEARING")], ids=["ringing", "in"]
)
def test_who_is_not_wanted_is_hung_up(ringing: bool, cause: str) -> None:
    feed = launched(*(NAMES[:1] if ringing else NAMES))
    feed.change_person("ann", present=False)
    leg = feed.leg("ann").leg
    assert told(feed) == [c.Kill(leg, cause)]
    assert told(feed) == []
    feed.tell(e.LegEnded, leg=leg, cause=cause, sip_code=0)
    assert feed.state("ann").state == ("planned" if ringing else "left")
    assert not feed.decide()


def test_a_kill_sent_before_the_channel_existed_is_sent_again_when_it_does() -> None:
    feed = launched()
    feed.change_person("ann", present=False)
    leg = feed.leg("ann").leg
    assert told(feed) == [c.Kill(leg, "ORIGINATOR_CANCEL")]
    feed.tell(e.LegCreated, leg=leg)
    assert told(feed) == [c.Kill(leg, "ORIGINATOR_CANCEL")]


def test_of_two_legs_the_newer_that_is_not_in_goes(feed: Feed) -> None:
    bob = feed.leg("bob")
    other = uuid5(SPACE, "other")
    feed.tell(e.MemberJoined, room=MAIN.name, **member(other, bob.participant))
    assert told(feed) == [c.Kill(other, "LOSE_RACE")]
    feed.tell(e.MemberLeft, room=MAIN.name, **member(bob.leg, bob.participant))
    feed.wait(COMMAND_TIMEOUT)
    assert told(feed) == [c.Kill(bob.leg, "LOSE_RACE")]


def test_an_answered_leg_that_never_reaches_a_room_is_called_anew() -> None:
    feed = launched("chair")
    leg = feed.leg("ann").leg
    feed.tell(e.LegCreated, leg=leg)
    feed.tell(e.LegAnswered, leg=leg)
    feed.wait(STRAY)
    inside = {MAIN.name: [listed(feed.leg("chair").leg, moderator=True)]}
    assert feed.decide().snapshot
    feed.snapshot(inside, legs=(leg, feed.leg("bob").leg, feed.leg("cat").leg))
    assert told(feed) == [c.Kill(leg, "RECOVERY_ON_TIMER_EXPIRE")]


# Mute, deaf, hold, volume


@pytest.mark.parametrize(
    ("facts", "shown", "command"),
    [
        ({"muted": True}, {"muted": True}, c.Mute),
        ({"forbidden": True}, {"muted": True}, c.Mute),
        ({"deaf": True}, {"deaf": True}, c.Deaf),
        ({"held": True}, {"held": True}, c.Hold),
    ],
)
def test_a_click_becomes_one_command_until_its_effect_is_seen(
    feed: Feed, facts: dict[str, Any], shown: dict[str, Any], command: Any
) -> None:
    back = {c.Mute: c.Unmute, c.Deaf: c.Undeaf, c.Hold: c.Unhold}[command]
    ann = feed.leg("ann").leg
    feed.change_person("ann", **facts)
    assert told(feed) == [command(MAIN, ann)]
    assert told(feed) == [], "its effect may still come"
    feed.wait(COMMAND_TIMEOUT)
    assert told(feed) == [command(MAIN, ann)], "it may have been lost"
    feed.changed("ann", **shown)
    assert not feed.decide()
    feed.changed("ann")
    assert told(feed) == [command(MAIN, ann)], "somebody undid it on the switch"
    feed.changed("ann", **shown)
    feed.change_person("ann", **dict.fromkeys(facts, False))
    assert told(feed) == [back(MAIN, ann)]


def test_volume(feed: Feed) -> None:
    ann = feed.leg("ann").leg
    feed.change_person("ann", volume_in=-3)
    assert told(feed) == [c.SetVolume(MAIN, ann, -3)]
    feed.tell(e.MemberVolume, room=MAIN.name, leg=ann, volume_in=-3)
    assert not feed.decide()
    feed.change_person("ann", volume_in=0)
    assert told(feed) == [c.SetVolume(MAIN, ann, 0)]


def rules_of(**facts: Any) -> tuple[DesiredConference, Rules]:
    feed = launched(*facts.pop("inside", NAMES), **facts)
    return feed.desired, Rules(feed.desired)


CAT = uuid5(SPACE, "cat")


@pytest.mark.parametrize(
    ("facts", "muted", "deaf"),
    [
        ({}, "", ""),
        ({"floor_mode": "moderated"}, "ann bob cat", ""),
        ({"floor_mode": "roll_call"}, "ann bob cat", ""),
        ({"floor_mode": "roll_call", "called": CAT}, "ann bob", ""),
        ({"phase": "gathering"}, "ann bob cat", "ann bob cat"),
        ({"phase": "running", "quorum": 60}, "", ""),
    ],
)
def test_floor_and_waiting(facts: dict[str, Any], muted: str, deaf: str) -> None:
    desired, rules = rules_of(**facts)
    people = desired.participants.values()
    assert " ".join(each.name for each in people if rules.muted(each, MAIN)) == muted
    assert " ".join(each.name for each in people if rules.deaf(each, MAIN)) == deaf
    assert not any(rules.muted(each, SIDE.room) or rules.deaf(each, SIDE.room) for each in people)


@pytest.mark.parametrize(
    ("facts", "main", "side"),
    [
        ({"muted": True}, True, False),
        ({"forbidden": True}, True, True),
        ({"granted": True}, False, False),
        ({"granted": True, "forbidden": True}, True, True),
        ({"role": "chair"}, False, False),
        ({"role": "chair", "forbidden": True}, True, True),
        ({"role": "chair", "muted": True}, True, False),
    ],
)
def test_mute_of_one_while_the_floor_is_moderated(facts: dict[str, Any], main: bool, side: bool) -> None:
    _, rules = rules_of(floor_mode="moderated")
    somebody = replace(person("somebody"), **facts)
    assert (rules.muted(somebody, MAIN), rules.muted(somebody, SIDE.room)) == (main, side)


def test_all_but_the_chair_are_muted_by_one_command(feed: Feed) -> None:
    feed.change(floor_mode="moderated")
    assert told(feed) == [c.MuteNonModerators(MAIN)]
    assert told(feed) == []
    feed.changed("ann", muted=True)
    feed.wait(COMMAND_TIMEOUT)
    assert told(feed) == [c.Mute(MAIN, feed.leg(name).leg) for name in ("bob", "cat")], "too few for one command"


@pytest.mark.parametrize("why", ["one may speak", "a stranger", "a chair without the flag"])
def test_no_bulk_where_it_would_mute_somebody_else(why: str) -> None:
    feed = Feed(conference(*(person(name) for name in NAMES), person("extra")))
    feed.act()
    feed.join(*NAMES)
    if why == "one may speak":
        feed.join("extra")
    elif why == "a stranger":
        feed.tell(e.MemberJoined, room=MAIN.name, **member(uuid5(SPACE, "stranger"), None))
    else:
        feed.join("extra")
        feed.change_person("extra", role="chair")
    for name in NAMES:
        feed.change_person(name, muted=True)
    assert sorted(map(str, told(feed))) == sorted(str(c.Mute(MAIN, feed.leg(name).leg)) for name in NAMES)


def test_a_muted_stranger_does_not_hinder_the_bulk(feed: Feed) -> None:
    feed.tell(e.MemberJoined, room=MAIN.name, **member(uuid5(SPACE, "feed"), None, muted=True))
    for name in NAMES:
        feed.change_person(name, muted=True)
    assert told(feed) == [c.MuteNonModerators(MAIN), c.Mute(MAIN, feed.leg("chair").leg)]


# Whispers


def test_a_whisper_opens_is_fed_and_closes(feed: Feed) -> None:
    ann, bob = feed.leg("ann").leg, feed.leg("bob").leg
    feed.change_person("ann", whisper=SIDE.id, forbidden=True, volume_in=2)
    feed.change_person("bob", whisper=SIDE.id, muted=True)
    assert told(feed) == [
        c.PrepareMove(ann, frozenset({c.MemberFlag.MUTE}), 2),
        c.PrepareMove(bob, frozenset(), 0),
        c.Move(MAIN, SIDE.room, (ann, bob)),
    ]
    assert told(feed) == []
    for name, leg in (("ann", ann), ("bob", bob)):
        state = member(leg, feed.leg(name).participant, muted=name == "ann")
        feed.tell(e.MemberLeft, room=MAIN.name, **state)
        feed.tell(e.MemberJoined, room=SIDE.room.name, **state)
        feed.tell(e.MemberVolume, room=SIDE.room.name, leg=leg, volume_in=2 if name == "ann" else 0)
    soft = feed_leg(SIDE.id, 0)
    assert told(feed) == [c.OriginateFeed(soft, send_job(soft, 1), MAIN, SIDE.room)]
    assert told(feed) == []
    feed.tell(e.LegCreated, leg=soft)
    feed.tell(e.MemberJoined, room=SIDE.room.name, **member(soft, None, deaf=True))
    assert not feed.decide()
    feed.change(whispers={SIDE.id: replace(SIDE, open=False)})
    feed.change_person("ann", volume_in=0)
    assert told(feed) == [
        c.Kill(soft, "NORMAL_CLEARING"),
        c.PrepareMove(ann, frozenset({c.MemberFlag.MUTE}), 0),
        c.PrepareMove(bob, frozenset({c.MemberFlag.MUTE}), 0),
        c.Move(SIDE.room, MAIN, (ann, bob)),
    ]


def whispering() -> Feed:
    feed = launched(*NAMES)
    feed.change_person("ann", whisper=SIDE.id)
    feed.act()
    feed.join("ann", room=SIDE.room.name)
    return feed


def test_a_feed_that_is_lost_is_followed_by_another() -> None:
    feed = whispering()
    (first,) = told(feed)
    assert isinstance(first, c.OriginateFeed)
    feed.tell(e.MemberJoined, room=SIDE.room.name, **member(first.leg, None, deaf=True))
    feed.tell(e.LegEnded, leg=first.leg, cause="NORMAL_CLEARING", sip_code=0)
    (second,) = told(feed)
    assert isinstance(second, c.OriginateFeed)
    assert second.leg == feed_leg(SIDE.id, 1)
    feed.tell(e.JobDone, job=second.job, body="-ERR NORMAL_TEMPORARY_FAILURE")
    assert told(feed) == [], "one that fails is not tried without a pause"
    feed.wait(2.5)
    assert [type(command) for command in told(feed)] == [c.OriginateFeed]


def test_a_feed_from_before_a_restart_is_known_and_a_second_one_goes() -> None:
    feed = whispering()
    old, older = uuid5(SPACE, "old feed"), uuid5(SPACE, "older feed")
    feed.tell(e.MemberJoined, room=SIDE.room.name, **member(old, None, deaf=True))
    assert told(feed) == []
    feed.tell(e.MemberJoined, room=SIDE.room.name, **member(older, None, deaf=True))
    assert told(feed) == [c.Kill(older, "NORMAL_CLEARING")]


def test_soft_main_is_switched_off_and_on() -> None:
    feed = whispering()
    (soft,) = told(feed)
    assert isinstance(soft, c.OriginateFeed)
    feed.change(whispers={SIDE.id: replace(SIDE, soft_main=False)})
    assert told(feed) == [c.Kill(soft.leg, "NORMAL_CLEARING")]


# Room, announcements, end


def test_the_room_is_locked_once_it_exists() -> None:
    feed = launched(locked=True)
    assert told(feed) == []
    feed.join("ann")
    assert told(feed) == [c.Lock(MAIN)]
    assert told(feed) == []
    feed.tell(e.RoomLocked, room=MAIN.name)
    feed.change(locked=False)
    assert told(feed) == [c.Unlock(MAIN)]


def test_an_announcement_is_played_once_and_repeated_at_most_once(feed: Feed) -> None:
    ids = [uuid5(SPACE, name) for name in ("all", "one")]
    ann = feed.leg("ann")
    to_one = DesiredAnnouncement(ids[1], "/b.wav", feed.now, ann.participant)
    feed.change(announcements=(DesiredAnnouncement(ids[0], "/a.wav", feed.now), to_one))
    plays = feed.act().plays
    assert plays == [(ids[0], c.Play(MAIN, "/a.wav")), (ids[1], c.Play(MAIN, "/b.wav", ann.leg))]
    assert not feed.decide()
    changes = feed.tell(e.PlayStarted, room=MAIN.name, path="/a.wav", leg=None, error="")
    assert changes.announcements == {ids[0]: ""}
    feed.wait(REPEAT_PLAY_AFTER)
    assert feed.act().plays == plays[1:]
    assert not feed.decide()
    feed.wait(REPEAT_PLAY_AFTER)
    decision = feed.decide()
    assert (decision.plays, decision.unplayed) == ([], {ids[1]: NOT_STARTED})


def both_ways(feed: Feed) -> tuple[DesiredAnnouncement, ...]:
    """One announcement to all and one to Ann."""
    whom = (None, feed.leg("ann").participant)
    return tuple(DesiredAnnouncement(uuid5(SPACE, f"{to}"), "/a.wav", feed.now, to) for to in whom)


def test_an_announcement_waits_for_somebody_to_hear_it() -> None:
    feed = launched()
    feed.change(announcements=both_ways(feed))
    feed.wait(PLAY_WITHIN - 1)
    assert feed.act().plays == []
    feed.join("ann")
    assert len(feed.act().plays) == 2


def test_an_old_announcement_is_given_up_and_never_played() -> None:
    feed = launched()
    waiting = both_ways(feed)
    feed.change(announcements=waiting)
    feed.wait(PLAY_WITHIN)
    feed.join("ann")
    decision = feed.act()
    assert decision.plays == []
    assert decision.unplayed == {each.id: NOBODY_THERE for each in waiting}


def test_the_end_gives_up_announcements_that_did_not_start() -> None:
    feed = launched()
    waiting = both_ways(feed)
    feed.join("ann")
    feed.change(announcements=waiting)
    assert len(feed.act().plays) == 2
    feed.tell(e.PlayStarted, room=MAIN.name, path="/a.wav", leg=None, error="")
    feed.change(phase="ended")
    assert feed.act().unplayed == {waiting[1].id: NOBODY_THERE}


def test_the_end_leaves_nothing_alive() -> None:
    feed = launched("chair", "ann")
    feed.change_person("ann", whisper=SIDE.id)
    feed.join("ann", room=SIDE.room.name)
    feed.tell(e.LegCreated, leg=feed.leg("bob").leg)
    feed.change(phase="ended")
    assert told(feed) == [
        c.HangupRoom(MAIN),
        c.HangupRoom(SIDE.room),
        c.Kill(feed.leg("bob").leg, "ORIGINATOR_CANCEL"),
        c.Kill(feed.leg("cat").leg, "ORIGINATOR_CANCEL"),
    ]
    assert told(feed) == []
    assert not over(feed.desired, feed.observed)
    for name in ("chair", "ann", "bob"):
        feed.tell(e.LegEnded, leg=feed.leg(name).leg, cause="NORMAL_CLEARING", sip_code=0)
    for room in (MAIN, SIDE.room):
        feed.tell(e.RoomDestroyed, room=room.name)
    assert not over(feed.desired, feed.observed), "one originate may still be on its way"
    feed.wait(SETTLE)
    feed.snapshot()
    decision = feed.decide()
    assert decision.abandoned == [feed.leg("cat").leg]
    assert not decision.commands
    assert over(feed.desired, feed.observed)
    assert [feed.state(name).state for name in NAMES] == ["left", "left", "failed", "planned"]


# Quorum and states


@pytest.mark.parametrize(
    ("quorum", "inside", "enough"),
    [
        (None, (), False),
        (None, ("ann", "bob", "cat"), False),
        (None, ("chair",), True),
        (60, ("ann", "bob", "cat"), False),
        (60, ("chair", "ann"), False),
        (60, ("chair", "ann", "bob"), True),
    ],
)
def test_gathering_needs_the_chair_and_the_quorum(quorum: int | None, inside: tuple[str, ...], enough: bool) -> None:
    feed = launched(*inside, phase="gathering", quorum=quorum)
    assert gathered(feed.desired, feed.observed) is enough


def test_a_chair_between_two_rooms_is_still_there() -> None:
    feed = launched(*NAMES, phase="gathering")
    chair = feed.leg("chair")
    feed.tell(e.MemberLeft, room=MAIN.name, **member(chair.leg, chair.participant, moderator=True))
    assert gathered(feed.desired, feed.observed)
    feed.tell(e.LegEnded, leg=chair.leg, cause="NORMAL_CLEARING", sip_code=0)
    assert not gathered(feed.desired, feed.observed)


def test_who_is_not_wanted_does_not_count_for_the_quorum() -> None:
    feed = launched("chair", phase="gathering", quorum=50)
    for name in ("bob", "cat"):
        feed.change_person(name, present=False)
    assert gathered(feed.desired, feed.observed)


def test_states_of_those_who_cannot_be_reached() -> None:
    feed = launched("chair")
    feed.tell(e.LegEnded, leg=feed.leg("ann").leg, cause="CALL_REJECTED", sip_code=603)
    feed.tell(e.LegEnded, leg=feed.leg("bob").leg, cause="USER_BUSY", sip_code=486)
    ann, bob = feed.state("ann"), feed.state("bob")
    assert (ann.state, ann.cause, ann.sip_code, ann.next_try_at) == ("failed", "CALL_REJECTED", 603, None)
    assert (bob.state, bob.cause, bob.sip_code) == ("queued", "USER_BUSY", 486)
    assert bob.next_try_at is not None
    feed.now = bob.next_try_at - 1.0
    assert [dial.participant for dial in feed.decide().dials] == []
    feed.now = bob.next_try_at
    assert [dial.participant for dial in feed.decide().dials] == [feed.leg("bob").participant]
    feed.change_person("bob", present=False)
    assert feed.state("bob").state == "planned"


def test_a_thousand_that_are_in_take_no_time() -> None:
    """Quadratic work would take seconds; the bound is loose for a busy machine."""
    feed = Feed(conference(*(person(f"p{i}") for i in range(1000))))
    assert len(feed.act().dials) == 1000
    feed.join(*(f"p{i}" for i in range(1000)))
    assert feed.leg("p999").phase is LegPhase.IN_ROOM
    started = time.process_time()
    for _ in range(10):
        assert not feed.decide()
    assert time.process_time() - started < 1.0


def test_an_empty_conference_needs_nothing() -> None:
    assert not Feed(conference()).decide()
    assert not Observed().calls_per_gateway()


# Calling in, and waiting to be admitted


def called_in(feed: Feed, name: str, *, read: bool = True) -> ObservedLeg:
    """Somebody has called; where `read`, the row of it is known before they are in the room."""
    who = feed.person(name)
    row = ObservedLeg(uuid5(who.id, f"in {feed.now}"), who.id, "core", feed.now, ordinal=9, inbound=True)
    row.phase = LegPhase.ANSWERED
    if read:
        feed.observed.take_in(row, feed.now)
    room = Rules(feed.desired).entrance(who).name
    feed.tell(e.MemberJoined, room=room, **member(row.leg, row.leg))  # its external id is its own
    return row


@pytest.mark.parametrize("read", [True, False])
def test_who_called_in_is_that_person_and_is_not_called(read: bool) -> None:
    feed = Feed(conference(person("ann", forbidden=True)))
    row = called_in(feed, "ann", read=read)
    if not read:
        assert feed.decide().dials, "nobody knows yet who that is"
        feed.observed.take_in(row, feed.now)
    decision = feed.decide()
    assert (decision.dials, decision.commands) == ([], [c.Mute(MAIN, row.leg)])
    assert feed.state("ann").state == "connected"
    assert feed.leg("ann").leg == row.leg
    assert row.leg not in feed.observed.strangers


def test_the_leg_on_which_somebody_called_in_last_is_theirs(feed: Feed) -> None:
    first = feed.leg("ann").leg
    feed.wait(1)
    second = called_in(feed, "ann").leg
    assert told(feed) == [c.Kill(first, "LOSE_RACE")]
    feed.wait(1)
    called_in(feed, "ann")
    assert c.Kill(second, "LOSE_RACE") in told(feed)


def test_who_calls_again_keeps_their_place_until_the_second_call_is_in_it(feed: Feed) -> None:
    first = feed.leg("ann")
    who = feed.person("ann")
    row = ObservedLeg(uuid5(who.id, "in"), who.id, "core", feed.now + 1, ordinal=9, inbound=True)
    row.phase = LegPhase.ANSWERED
    feed.wait(1)
    feed.observed.take_in(row, feed.now)
    assert told(feed) == []
    feed.change_person("ann", muted=True)  # the first is still who is heard
    assert told(feed) == [c.Mute(MAIN, first.leg)]
    feed.tell(e.MemberJoined, room=MAIN.name, **member(row.leg, row.leg))
    assert c.Kill(first.leg, "LOSE_RACE") in told(feed)


def test_a_call_to_somebody_who_calls_in_is_given_up() -> None:
    feed = Feed(conference(person("ann")))
    (dial,) = feed.act().dials
    feed.tell(e.LegCreated, leg=dial.leg)
    called_in(feed, "ann")
    assert told(feed) == [c.Kill(dial.leg, "LOSE_RACE")]


@pytest.mark.parametrize(
    ("cause", "numbers", "state"),
    [
        ("NORMAL_CLEARING", 1, "left"),
        ("MEDIA_TIMEOUT", 1, "queued"),
        ("MEDIA_TIMEOUT", 0, "left"),
        ("SWITCH_RESTART", 1, "queued"),
    ],
)
def test_who_called_in_is_called_back_when_the_line_broke_and_there_is_a_number(
    cause: str, numbers: int, state: str
) -> None:
    feed = Feed(conference(person("ann")))
    feed.change_person("ann", numbers=feed.person("ann").numbers[:numbers])
    leg = called_in(feed, "ann").leg
    feed.tell(e.LegEnded, leg=leg, cause=cause, sip_code=0)
    assert feed.state("ann").state == state
    assert len(feed.decide().dials) == (state == "queued")


def test_who_is_not_admitted_waits_in_the_lobby_muted_and_then_moves() -> None:
    feed = Feed(conference(person("chair", "chair", admitted=False), person("ann", admitted=False), lobby=LOBBY))
    dials = {dial.originate.callee_name: dial.originate for dial in feed.act().dials}
    assert (dials["chair"].room, dials["ann"].room) == (MAIN, LOBBY), "nobody who leads waits"
    assert dials["ann"].flags == {c.MemberFlag.MUTE}
    feed.join("ann", room=LOBBY.name, muted=True)
    assert told(feed) == []
    feed.change_person("ann", admitted=True)
    leg = feed.leg("ann").leg
    assert told(feed) == [c.PrepareMove(leg, frozenset(), 0), c.Move(LOBBY, MAIN, (leg,))]


def test_who_is_refused_in_the_lobby_hears_why_and_is_hung_up_then() -> None:
    feed = Feed(conference(person("ann", admitted=False), lobby=LOBBY))
    feed.act()
    feed.join("ann", room=LOBBY.name, muted=True)
    ann, leg = feed.desired.participants[uuid5(SPACE, "ann")], feed.leg("ann").leg
    said = DesiredAnnouncement(uuid5(SPACE, "sorry"), "/sounds/sorry.wav", feed.now, participant=ann.id)
    feed.change(announcements=(said,))
    feed.change_person("ann", present=False)
    decision = feed.act()
    assert [play for _, play in decision.plays] == [c.Play(LOBBY, "/sounds/sorry.wav", leg)]
    assert decision.commands == []
    feed.change(announcements=())
    feed.wait(FAREWELL - 0.5)
    assert told(feed) == []
    feed.wait(1.0)
    assert told(feed) == [c.Kill(leg, "NORMAL_CLEARING")]


def test_a_conference_does_not_start_because_of_people_in_the_lobby() -> None:
    people = (person("chair", "chair"), person("ann", admitted=False), person("bob"))
    feed = Feed(conference(*people, phase="gathering", quorum=60, lobby=LOBBY))
    feed.act()
    feed.join("chair")
    feed.join("ann", room=LOBBY.name)
    assert not gathered(feed.desired, feed.observed)
    feed.change_person("ann", admitted=True)
    feed.join("ann")
    assert gathered(feed.desired, feed.observed)


def test_the_end_empties_the_lobby() -> None:
    feed = Feed(conference(person("ann", admitted=False), lobby=LOBBY))
    feed.act()
    feed.tell(e.RoomCreated, room=LOBBY.name)
    feed.join("ann", room=LOBBY.name, muted=True)
    feed.change(phase="ended")
    assert told(feed) == [c.HangupRoom(LOBBY)]
    assert not over(feed.desired, feed.observed)
