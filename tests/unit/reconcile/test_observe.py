"""Events and snapshots, one by one: late, twice, out of order, of another core, older than what is known."""

from __future__ import annotations

from typing import Any
from uuid import uuid5

import pytest

from apps.conferences.reconcile.desired import DesiredAnnouncement, attempt_leg, send_job
from apps.conferences.reconcile.observe import abandon, connect
from apps.conferences.reconcile.observed import LAG, MAX_SENDS, SETTLE, LegPhase, Observed, ObservedLeg
from apps.switch import events as e
from apps.switch.commands import Play
from tests.unit.reconcile.build import MAIN, SPACE, conference, person, whisper
from tests.unit.reconcile.feed import Feed, listed, member

SIDE = whisper("side")


@pytest.fixture
def feed() -> Feed:
    """A conference of three who were all called a moment ago."""
    feed = Feed(conference(person("ann", "chair"), person("bob"), person("cat"), whispers=(SIDE,)))
    feed.act()
    return feed


def test_a_call_goes_its_way_and_each_step_is_told(feed: Feed) -> None:
    leg = feed.leg("bob")
    assert (leg.phase, feed.state("bob").state) == (LegPhase.SENT, "dialing")
    for kind, phase, state in (
        (e.LegCreated, LegPhase.CREATED, "dialing"),
        (e.LegRinging, LegPhase.RINGING, "ringing"),
        (e.LegAnswered, LegPhase.ANSWERED, "ringing"),
    ):
        changes = feed.tell(kind, leg=leg.leg)
        assert (changes.legs, changes.participants) == ({leg.leg}, {leg.participant})
        assert (leg.phase, feed.state("bob").state) == (phase, state)
    changes = feed.tell(e.MemberJoined, room=MAIN.name, **member(leg.leg, leg.participant, muted=True))
    assert changes.rooms == {MAIN.name}
    assert (leg.room, leg.muted, leg.joined_at) == (MAIN.name, True, feed.now)
    assert feed.state("bob").state == "connected"
    feed.tell(e.LegEnded, leg=leg.leg, cause="NORMAL_CLEARING", sip_code=200)
    assert (leg.phase, leg.room, leg.cause) == (LegPhase.ENDED, None, "NORMAL_CLEARING")
    assert feed.state("bob").state == "left"


def test_steps_that_come_late_do_not_turn_a_leg_back(feed: Feed) -> None:
    feed.join("bob")
    for kind in (e.LegAnswered, e.LegRinging, e.LegCreated):
        assert not feed.tell(kind, leg=feed.leg("bob").leg)
    assert feed.leg("bob").phase is LegPhase.IN_ROOM


def test_an_event_that_comes_twice_changes_nothing(feed: Feed) -> None:
    play = Play(MAIN, "/a.wav", None)
    for name in ("first", "second"):
        feed.observed.played(uuid5(SPACE, name), play, feed.now)
    leg = feed.leg("bob")
    facts = member(leg.leg, leg.participant, muted=True, talking=True)
    told: list[tuple[type[e.Event], dict[str, Any]]] = [
        (e.LegCreated, {"leg": leg.leg}),
        (e.LegRinging, {"leg": leg.leg}),
        (e.LegAnswered, {"leg": leg.leg}),
        (e.LegSecured, {"leg": leg.leg, "secure_type": "srtp:sdes:AEAD_AES_256_GCM"}),
        (e.RoomCreated, {"room": MAIN.name}),
        (e.MemberJoined, {"room": MAIN.name, **facts}),
        (e.RoomLocked, {"room": MAIN.name}),
        (e.RoomUnlocked, {"room": MAIN.name}),
        (e.MemberChanged, {"room": MAIN.name, **member(leg.leg, leg.participant)}),
        (e.MemberVolume, {"room": MAIN.name, "leg": leg.leg, "volume_in": 2}),
        (e.Talking, {"room": MAIN.name, "leg": leg.leg, "talking": True}),
        (e.FloorChanged, {"room": MAIN.name, "leg": leg.leg}),
        (e.PlayStarted, {"room": MAIN.name, "path": play.path, "leg": None, "error": ""}),
        (e.Digit, {"room": MAIN.name, "leg": leg.leg, "key": "1", "data": "hand"}),
        (e.MemberLeft, {"room": MAIN.name, **member(leg.leg, leg.participant)}),
        (e.RoomDestroyed, {"room": MAIN.name}),
        (e.LegEnded, {"leg": leg.leg, "cause": "USER_BUSY", "sip_code": 486}),
    ]
    for sequence, (kind, event) in enumerate(told, 1000):
        assert feed.tell(kind, sequence=sequence, **event), kind.__name__
        assert not feed.tell(kind, sequence=sequence, **event), kind.__name__
    for sequence, (kind, event) in enumerate(told, 1000):
        assert not feed.tell(kind, sequence=sequence, **event), f"{kind.__name__}, late"


def test_an_end_that_comes_twice_does_not_end_what_came_back(feed: Feed) -> None:
    leg = feed.leg("bob")
    leg.repeated = True
    feed.wait(SETTLE + 1)
    feed.tell(e.LegEnded, sequence=1000, leg=leg.leg, cause="USER_BUSY", sip_code=486)
    feed.wait(1)
    feed.tell(e.LegCreated, leg=leg.leg)
    assert leg.phase is LegPhase.CREATED
    assert not feed.tell(e.LegEnded, sequence=1000, leg=leg.leg, cause="USER_BUSY", sip_code=486)
    assert leg.phase is LegPhase.CREATED


def test_the_last_heartbeat_is_kept(feed: Feed) -> None:
    load: dict[str, Any] = {
        "sessions": 6,
        "max_sessions": 2000,
        "sessions_per_second": 1000,
        "idle_cpu": 15.5,
        "version": "1.10.12",
    }
    feed.tell(e.Heartbeat, sequence=1000, **load)
    feed.tell(e.Heartbeat, sequence=1001, **load | {"sessions": 7})
    feed.tell(e.Heartbeat, sequence=1002, core="older", **load)
    assert feed.observed.heartbeat is not None
    assert feed.observed.heartbeat.sessions == 7


def test_events_of_another_core_and_unknown_legs_change_nothing(feed: Feed) -> None:
    assert not feed.tell(e.LegAnswered, leg=feed.leg("bob").leg, core="older")
    assert not feed.tell(e.LegAnswered, leg=uuid5(SPACE, "unknown"))
    assert not feed.tell(e.LegEnded, leg=uuid5(SPACE, "unknown"), cause="USER_BUSY", sip_code=486)


def test_an_older_mute_event_does_not_override_a_newer_one(feed: Feed) -> None:
    feed.join("bob")
    leg = feed.leg("bob")
    for sequence, muted in ((103, True), (102, False), (101, True)):
        feed.tell(e.MemberChanged, sequence=sequence, room=MAIN.name, **member(leg.leg, leg.participant, muted=muted))
    assert leg.muted


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (1,)])
def test_a_move_is_seen_in_any_order(feed: Feed, order: tuple[int, ...]) -> None:
    feed.join("bob")
    leg = feed.leg("bob")
    state = member(leg.leg, leg.participant)
    events = [(e.MemberLeft, 101, MAIN.name), (e.MemberJoined, 102, SIDE.room.name)]
    for index in order:
        kind, sequence, room = events[index]
        feed.tell(kind, sequence=sequence, room=room, **state)
        assert feed.state("bob").state == "connected"
    assert leg.room == SIDE.room.name
    assert leg.leg not in feed.observed.rooms[MAIN.name].members


@pytest.mark.parametrize("order", ["job first", "hang-up first"])
def test_failure_is_told_by_job_and_hang_up_in_either_order(feed: Feed, order: str) -> None:
    leg = feed.leg("bob")

    def job() -> None:
        feed.tell(e.JobDone, job=send_job(leg.leg, 1), body="-ERR USER_BUSY")

    feed.tell(e.LegCreated, leg=leg.leg)
    if order == "job first":
        job()
    feed.tell(e.LegEnded, leg=leg.leg, cause="USER_BUSY", sip_code=486)
    if order != "job first":
        job()
    assert (leg.phase, leg.cause, leg.sip_code) == (LegPhase.ENDED, "USER_BUSY", 486)
    state = feed.state("bob")
    assert (state.state, state.cause, state.sip_code) == ("queued", "USER_BUSY", 486)
    assert state.next_try_at is not None


def test_nothing_happens_to_a_leg_after_its_end(feed: Feed) -> None:
    feed.join("bob")
    leg = feed.leg("bob")
    feed.tell(e.LegEnded, leg=leg.leg, cause="NORMAL_CLEARING", sip_code=0)
    assert not feed.tell(e.LegAnswered, leg=leg.leg)
    assert not feed.tell(e.MemberJoined, room=MAIN.name, **member(leg.leg, leg.participant))
    # `show channels` may still list it for a moment.
    assert leg.leg not in feed.snapshot({MAIN.name: []}, legs=(leg.leg,)).legs
    assert leg.phase is LegPhase.ENDED


def test_a_talker_who_is_muted_or_held_talks_no_more(feed: Feed) -> None:
    feed.join("bob")
    leg = feed.leg("bob")
    assert feed.tell(e.Talking, room=MAIN.name, leg=leg.leg, talking=True).talking == {leg.leg}
    assert feed.changed("bob", muted=True, talking=True).talking == {leg.leg}
    assert not leg.talking


def test_a_snapshot_cannot_tell_whether_somebody_on_hold_is_muted(feed: Feed) -> None:
    feed.join("bob")
    leg = feed.leg("bob")
    feed.changed("bob", muted=True, deaf=True, held=True)
    feed.wait(5)
    feed.snapshot({MAIN.name: [listed(leg.leg, held=True)]})
    assert (leg.muted, leg.deaf, leg.held) == (True, True, True)


def test_the_floor_is_with_one(feed: Feed) -> None:
    feed.join("ann", "bob")
    feed.tell(e.FloorChanged, room=MAIN.name, leg=feed.leg("ann").leg)
    changes = feed.tell(e.FloorChanged, room=MAIN.name, leg=feed.leg("bob").leg)
    assert changes.talking == {feed.leg("ann").leg, feed.leg("bob").leg}
    assert feed.observed.rooms[MAIN.name].floor == feed.leg("bob").leg
    feed.wait(5)
    feed.snapshot({MAIN.name: [listed(feed.leg("ann").leg, floor=True), listed(feed.leg("bob").leg)]})
    assert feed.observed.rooms[MAIN.name].floor == feed.leg("ann").leg


def test_a_snapshot_corrects_what_events_did_not_tell(feed: Feed) -> None:
    feed.join("ann", "bob")
    leg = feed.leg("bob")
    feed.wait(30.0)
    told = {
        MAIN.name: [listed(feed.leg("ann").leg)],
        SIDE.room.name: [listed(leg.leg, muted=True, volume_in=-2)],
    }
    changes = feed.snapshot(told)
    assert leg.participant in changes.participants
    assert leg.leg not in changes.legs, "nothing of the attempt"
    assert (leg.room, leg.muted, leg.volume_in) == (SIDE.room.name, True, -2)
    assert not feed.snapshot(told)


def test_a_snapshot_does_not_undo_what_happened_after_its_question(feed: Feed) -> None:
    feed.join("ann", "bob")
    bob = feed.leg("bob")
    old = {MAIN.name: [listed(feed.leg(name).leg) for name in ("ann", "bob")]}
    asked = feed.now
    feed.wait(1.0)
    feed.changed("bob", muted=True)
    feed.tell(e.RoomLocked, room=MAIN.name)
    feed.snapshot(old, asked_at=asked)
    assert bob.muted
    assert feed.observed.rooms[MAIN.name].locked
    feed.tell(e.LegEnded, leg=bob.leg, cause="NORMAL_CLEARING", sip_code=0)
    feed.snapshot(old, asked_at=asked + 0.5)
    assert bob.phase is LegPhase.ENDED


def test_an_event_from_before_a_snapshot_is_no_news(feed: Feed) -> None:
    feed.join("bob")
    bob = feed.leg("bob")
    feed.wait(10.0)
    feed.snapshot({MAIN.name: [listed(bob.leg, muted=True)]})
    feed.tell(e.MemberChanged, at=feed.now - 5.0, room=MAIN.name, **member(bob.leg, bob.participant))
    assert bob.muted


def test_a_leg_that_was_seen_and_is_gone_is_lost(feed: Feed) -> None:
    feed.join("bob")
    bob = feed.leg("bob")
    feed.wait(LAG / 2)
    feed.snapshot()
    assert bob.live, "the list of channels may trail the events"
    feed.wait(LAG)
    feed.snapshot()
    assert (bob.phase, bob.cause) == (LegPhase.ENDED, "LOST")


def test_a_leg_without_a_sign_is_missing_only_when_it_must_have_arrived(feed: Feed) -> None:
    bob = feed.leg("bob")
    feed.wait(SETTLE - 0.1)
    feed.snapshot()
    assert bob.live
    feed.wait(0.2)
    feed.snapshot()
    assert bob.phase is LegPhase.MISSING
    assert feed.state("bob").state == "dialing"


def test_after_three_originates_without_a_sign_a_leg_is_lost(feed: Feed) -> None:
    first = feed.leg("bob")
    for _ in range(MAX_SENDS):
        assert first.live
        feed.wait(SETTLE)
        feed.snapshot()
        feed.act()
    assert (first.phase, first.cause) == (LegPhase.ENDED, "LOST")
    assert feed.leg("bob") is not first, "called again at once"


def test_a_refused_repetition_proves_nothing(feed: Feed) -> None:
    """The first originate arrived, every sign of it was lost, and the second is refused: the leg lives."""
    bob = feed.leg("bob")
    feed.wait(SETTLE)
    feed.snapshot()
    feed.act()
    assert bob.sends == 2
    feed.tell(e.JobDone, job=send_job(bob.leg, 2), body="-ERR DESTINATION_OUT_OF_ORDER")
    assert bob.live
    assert not feed.decide().snapshot
    feed.wait(SETTLE)
    assert feed.decide().snapshot, "only a snapshot can tell"
    feed.snapshot(legs=(bob.leg,))
    assert bob.live
    assert not bob.unsettled
    feed.tell(e.JobDone, job=send_job(bob.leg, 1), body="-ERR DESTINATION_OUT_OF_ORDER")
    assert bob.live, "it is known to live"


def test_the_end_of_a_call_made_twice_is_believed_when_the_second_must_have_arrived(feed: Feed) -> None:
    bob = feed.leg("bob")
    feed.wait(SETTLE)
    feed.snapshot()
    feed.act()
    feed.tell(e.LegEnded, leg=bob.leg, cause="USER_BUSY", sip_code=486)
    assert bob.live, "the second originate may be on its way and will then find the UUID free"
    assert not feed.decide().dials
    feed.wait(SETTLE)
    feed.snapshot()
    assert (bob.phase, bob.cause, bob.sip_code) == (LegPhase.ENDED, "USER_BUSY", 486)


def test_a_first_refusal_is_congestion(feed: Feed) -> None:
    bob = feed.leg("bob")
    feed.tell(e.JobDone, job=send_job(bob.leg, 1), body="-ERR DESTINATION_OUT_OF_ORDER")
    assert (bob.phase, bob.cause) == (LegPhase.ENDED, "DESTINATION_OUT_OF_ORDER")
    assert feed.state("bob").next_try_at is not None


def test_a_leg_given_up_that_shows_up_again_lives(feed: Feed) -> None:
    feed.join("bob")
    bob = feed.leg("bob")
    feed.wait(30.0)
    feed.snapshot()
    assert bob.cause == "LOST"
    feed.wait(1.0)
    feed.snapshot({MAIN.name: [listed(bob.leg)]})
    assert bob.phase is LegPhase.IN_ROOM
    assert feed.observed.people[bob.participant or SPACE].live == [bob]


def test_another_core_ends_every_leg(feed: Feed) -> None:
    feed.join("ann", "bob")
    changes = connect(feed.observed, "core 2", feed.now)
    assert {leg.cause for leg in feed.observed.legs.values()} == {"SWITCH_RESTART"}
    assert len(changes.legs) == 3
    assert not feed.decide(), "nothing before a snapshot of the new core"
    feed.snapshot(core="core 2", asked_at=feed.now - 1.0)
    assert not feed.observed.ready, "asked before the new core ran"
    feed.snapshot(core="core")
    assert not feed.observed.ready, "of the old core"
    feed.snapshot(core="core 2")
    assert len(feed.decide().dials) == 3, "called again at once"


def test_rooms_come_and_go_and_late_events_do_not_bring_them_back(feed: Feed) -> None:
    feed.join("bob")
    room = feed.observed.rooms[MAIN.name]
    feed.tell(e.RoomDestroyed, room=MAIN.name)
    assert not room.exists
    assert not room.members
    assert not feed.tell(e.RoomCreated, sequence=1, room=MAIN.name)
    feed.tell(e.RoomLocked, sequence=feed.sequence - 1, room=MAIN.name)
    assert not room.exists
    feed.tell(e.RoomCreated, room=MAIN.name)
    assert room.exists


def test_a_member_of_ours_that_nobody_knows_is_taken_in(feed: Feed) -> None:
    bob = feed.leg("bob")
    feed.tell(e.LegEnded, leg=bob.leg, cause="USER_BUSY", sip_code=486)
    other = uuid5(SPACE, "another leg")
    changes = feed.tell(e.MemberJoined, room=MAIN.name, **member(other, bob.participant))
    assert changes.participants == {bob.participant}
    assert feed.state("bob").state == "connected"
    assert (feed.leg("bob").leg, feed.leg("bob").round, feed.leg("bob").ordinal) == (other, 1, 2)


def test_strangers_are_remembered_only_while_they_are_there(feed: Feed) -> None:
    stranger = uuid5(SPACE, "stranger")
    feed.wait(1.0)
    feed.snapshot({MAIN.name: [listed(stranger)]})
    assert stranger in feed.observed.legs
    feed.wait(10.0)
    feed.snapshot()
    feed.wait(200.0)
    feed.snapshot()
    assert stranger not in feed.observed.legs


@pytest.mark.parametrize("phase", [LegPhase.STORED, LegPhase.SENT])
def test_a_restored_attempt_without_a_sign_may_be_on_its_way(feed: Feed, phase: LegPhase) -> None:
    ann = uuid5(SPACE, "ann")
    leg = ObservedLeg(attempt_leg(ann, 1, 1), ann, "core", stored_at=feed.now, phase=phase, ordinal=1)
    feed.observed = Observed()
    feed.wait(60.0)
    feed.observed.restore(leg, feed.now)
    connect(feed.observed, "core", feed.now)
    feed.snapshot()
    assert leg.live
    assert leg.participant not in {dial.participant for dial in feed.decide().dials}
    feed.tell(e.JobDone, job=send_job(leg.leg, 1), body="-ERR DESTINATION_OUT_OF_ORDER")
    assert leg.live
    feed.wait(SETTLE)
    feed.snapshot()
    assert (leg.phase, leg.cause) == (LegPhase.ENDED, "DESTINATION_OUT_OF_ORDER")


def test_a_restored_leg_of_a_core_that_is_gone_is_over(feed: Feed) -> None:
    ann = uuid5(SPACE, "ann")
    leg = ObservedLeg(attempt_leg(ann, 1, 1), ann, "older", stored_at=1.0, phase=LegPhase.IN_ROOM, ordinal=1)
    observed = Observed()
    observed.restore(leg, feed.now)
    connect(observed, "core", feed.now)
    assert (leg.phase, leg.cause) == (LegPhase.ENDED, "SWITCH_RESTART")


def test_a_missing_leg_that_nobody_wants_can_be_given_up(feed: Feed) -> None:
    feed.change_person("bob", present=False)
    feed.wait(SETTLE)
    feed.snapshot()
    bob = feed.leg("bob")
    assert feed.decide().abandoned == [bob.leg]
    assert abandon(feed.observed, bob.leg, feed.now).legs == {bob.leg}
    assert (bob.phase, bob.cause) == (LegPhase.ENDED, "ORIGINATOR_CANCEL")
    assert not abandon(feed.observed, bob.leg, feed.now)


def test_a_conference_that_is_over_can_be_forgotten(feed: Feed) -> None:
    feed.join("ann", "bob", "cat")
    feed.change(announcements=(DesiredAnnouncement(uuid5(SPACE, "announcement"), "/a.wav", feed.now),))
    assert feed.act().plays
    feed.observed.forget(feed.desired.id, feed.desired.participants, [MAIN.name, SIDE.room.name])
    observed = feed.observed
    assert not any((observed.legs, observed.people, observed.rooms, observed.feeds, observed.jobs, observed.plays))
