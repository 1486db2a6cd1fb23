"""What is recorded of whom, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

import pytest

from apps.conferences.reconcile.decide import Decision
from apps.conferences.reconcile.desired import DesiredRecording
from apps.conferences.reconcile.observe import connect
from apps.conferences.reconcile.recorded import give_up, restore_track
from apps.conferences.reconcile.recording import BACKOFF_MAX, STOPS, TOLD_WITHIN, UNHEARD
from apps.conferences.reconcile.tracks import ObservedTrack, track_id
from apps.switch import commands as c
from apps.switch import events as e
from tests.unit.reconcile.build import LOBBY, MAIN, SPACE, conference, person, whisper
from tests.unit.reconcile.feed import Feed, listed

SIDE = whisper("side")
RECORDED = DesiredRecording(since=1000.0, spool="/spool", prompt="en/recording.wav")
STARTS = (c.StartTrack, c.StartMix)


def recorded(**facts: Any) -> Feed:
    """A conference with ann and bob in it, recorded from the start unless said otherwise."""
    facts = {"recording": RECORDED, "whispers": (SIDE,)} | facts
    feed = Feed(conference(person("ann", "chair"), person("bob"), **facts))
    feed.act()
    feed.join("ann", "bob")
    return feed


def of(decision: Decision, *kinds: type) -> list[Any]:
    return [command for command in decision.commands if isinstance(command, kinds)]


def told_started(feed: Feed, decision: Decision) -> None:
    for new in decision.tracks:
        match new.command:
            case c.StartTrack(leg=leg, path=path):
                feed.tell(e.TrackStarted, leg=leg, path=path)
            case c.StartMix(room=room, path=path):
                feed.tell(e.MixStarted, room=room.name, path=path)


def running(**facts: Any) -> Feed:
    """And the switch has begun all of it."""
    feed = recorded(**facts)
    told_started(feed, feed.act())
    feed.wait(10)
    assert not feed.act()
    return feed


def tracks(feed: Feed, name: str, kind: str = "person") -> list[ObservedTrack]:
    return [track for track in feed.observed.tracks.of(feed.leg(name).leg) if track.kind == kind]


def mixes(feed: Feed) -> list[ObservedTrack]:
    return feed.observed.tracks.of(feed.desired.id)


def test_everybody_and_the_mix_are_recorded_once() -> None:
    feed = recorded()
    decision = feed.act()
    ann, bob = feed.leg("ann").leg, feed.leg("bob").leg
    paths = {key: f"/spool/{track_id(*key, 1).hex}.raw" for key in ((ann, "person"), (bob, "person"))}
    mix = f"/spool/{track_id(feed.desired.id, 'mix', 1).hex}.raw"
    assert [new.command for new in decision.tracks] == [
        c.StartTrack(ann, paths[ann, "person"]),
        c.StartTrack(bob, paths[bob, "person"]),
        c.StartMix(MAIN, mix),
    ]
    assert [new.participant for new in decision.tracks] == [uuid5(SPACE, "ann"), uuid5(SPACE, "bob"), None]
    assert not of(decision, c.MaskTrack)
    assert not feed.act().tracks
    changes = feed.tell(e.TrackStarted, leg=ann, path=paths[ann, "person"], channels=2, at=1001.5)
    [track] = tracks(feed, "ann")
    assert (track.started_at, track.channels, changes.tracks) == (1001.5, 2, {track.id})
    assert not feed.tell(e.TrackStarted, leg=ann, path=paths[ann, "person"]).tracks, "told twice"


@pytest.mark.parametrize("facts", [{"recording": None}, {"phase": "gathering"}])
def test_nothing_is_recorded_unasked_or_before_it_begins(facts: dict[str, Any]) -> None:
    decision = recorded(**facts).act()
    assert not decision.tracks
    assert not of(decision, c.Play)


def test_what_is_not_to_be_recorded_any_more_ends_and_begins_anew_as_another_part() -> None:
    feed = running()
    feed.change(recording=None)
    decision = feed.act()
    assert of(decision, c.StopTrack) == [c.StopTrack(feed.leg(n).leg, tracks(feed, n)[0].path) for n in ("ann", "bob")]
    assert of(decision, c.StopMix) == [c.StopMix(MAIN, mixes(feed)[0].path)]
    assert not feed.act()
    feed.wait(UNHEARD)
    decision = feed.act()
    assert len(of(decision, c.StopTrack, c.StopMix)) == 3, "the switch said nothing: once more"
    assert not decision.over
    for name in ("ann", "bob"):
        feed.tell(e.TrackEnded, leg=feed.leg(name).leg, path=tracks(feed, name)[0].path, at=feed.now)
    feed.tell(e.MixEnded, room=MAIN.name, path=mixes(feed)[0].path)
    feed.wait(UNHEARD)
    assert not feed.act()
    assert [track.ended_at for track in tracks(feed, "ann")] == [feed.now - UNHEARD]
    feed.change(recording=DesiredRecording(feed.now, "/spool", RECORDED.prompt))
    assert [new.track.part for new in feed.act().tracks] == [2, 2, 2]


def test_what_the_switch_ended_without_our_hearing_of_it_is_over_and_not_gone_on_with() -> None:
    feed = running()
    feed.change(recording=None)
    for _ in range(STOPS):
        assert len(of(feed.act(), c.StopTrack, c.StopMix)) == 3
        feed.wait(UNHEARD)
    decision = feed.act()
    assert not of(decision, c.StopTrack, c.StopMix)
    known = {*tracks(feed, "ann"), *tracks(feed, "bob"), *mixes(feed)}
    assert set(decision.over) == {track.id for track in known}
    for track in decision.over:
        assert give_up(feed.observed, track, feed.now).tracks == {track}
    assert not any(track.open for track in known)
    assert not feed.act()


@pytest.mark.parametrize("ahead", [0.0, 5.0])
def test_after_a_pause_and_a_start_nothing_of_before_is_taken_for_what_is_recorded(ahead: float) -> None:
    """The stop was sent by a switchboard that was killed: whether the switch still records, nobody knows. The clock of
    who resumed may be ahead.
    """
    feed = recorded(recording=DesiredRecording(1000.0 + ahead, "/spool", RECORDED.prompt))
    old = [restored(feed, feed.leg(name).leg) for name in ("ann", "bob")]
    old.append(restored(feed, feed.desired.id, "mix"))
    for track in old:
        restore_track(feed.observed, track, feed.now)
    decision = feed.act()
    assert [new.track.part for new in decision.tracks] == [2, 2, 2]
    assert {command.path for command in of(decision, c.StopTrack, c.StopMix)} == {track.path for track in old}
    told_started(feed, decision)
    assert not feed.act().tracks, "once"


@pytest.mark.parametrize(
    ("silence", "speech"),
    [
        (lambda feed: feed.change_person("bob", muted=True), lambda feed: feed.change_person("bob", muted=False)),
        (lambda feed: feed.change_person("bob", held=True), lambda feed: feed.change_person("bob", held=False)),
        (lambda feed: feed.change_person("bob", forbidden=True), lambda f: f.change_person("bob", forbidden=False)),
        (lambda feed: feed.change(floor_mode="moderated"), lambda feed: feed.change(floor_mode="free")),
    ],
)
def test_the_track_of_who_may_not_be_heard_is_silent(
    silence: Callable[[Feed], None], speech: Callable[[Feed], None]
) -> None:
    feed = running()
    [track] = tracks(feed, "bob")
    silence(feed)
    assert of(feed.act(), c.MaskTrack) == [c.MaskTrack(feed.leg("bob").leg, track.path, True)]
    assert not of(feed.act(), c.MaskTrack)
    speech(feed)
    assert of(feed.act(), c.MaskTrack) == [c.MaskTrack(feed.leg("bob").leg, track.path, False)]


def test_who_comes_muted_is_silent_from_the_first_moment() -> None:
    feed = recorded()
    feed.change_person("bob", muted=True)
    decision = feed.act()
    start = next(new.command for new in decision.tracks if new.participant == uuid5(SPACE, "bob"))
    assert of(decision, c.MaskTrack) == [c.MaskTrack(feed.leg("bob").leg, start.path, True)]


def test_a_whisper_is_a_track_of_its_own() -> None:
    feed = running()
    leg = feed.leg("bob").leg
    [main] = tracks(feed, "bob")
    feed.change_person("bob", whisper=SIDE.id)
    assert of(feed.act(), c.MaskTrack) == [c.MaskTrack(leg, main.path, True)], "before the move is over"
    feed.join("bob", room=SIDE.room.name)
    decision = feed.act()
    [new] = decision.tracks
    assert (new.track.kind, new.track.whisper, new.track.part) == ("whisper", SIDE.id, 1)
    assert new.command == c.StartTrack(leg, new.track.path)
    told_started(feed, decision)
    feed.wait(10)
    assert not feed.act().tracks
    feed.change_person("bob", whisper=None)
    assert not of(feed.act(), c.MaskTrack, c.StopTrack), "still in the whisper"
    feed.join("bob")
    assert of(feed.act(), c.MaskTrack, c.StopTrack) == [
        c.MaskTrack(leg, main.path, False),
        c.StopTrack(leg, new.track.path),
    ]


def test_nobody_is_recorded_in_the_lobby() -> None:
    feed = recorded(lobby=LOBBY)
    feed.change_person("bob", admitted=False)
    assert {new.participant for new in feed.act().tracks} == {uuid5(SPACE, "ann"), None}


def test_a_line_that_drops_ends_its_track_and_the_next_has_its_own() -> None:
    feed = running()
    [track] = tracks(feed, "bob")
    first = feed.leg("bob").leg
    changes = feed.tell(e.LegEnded, leg=first, cause="NORMAL_CLEARING")
    assert changes.tracks == {track.id}
    assert track.ended_at == feed.now
    feed.change_person("bob", round=2)
    feed.act()
    feed.join("bob")
    [new] = feed.act().tracks
    assert new.track.subject == feed.leg("bob").leg != first


def test_a_room_that_is_gone_ends_the_mix() -> None:
    feed = running()
    [mix] = mixes(feed)
    legs = [feed.leg(name).leg for name in ("ann", "bob")]
    feed.snapshot({MAIN.name: [listed(leg) for leg in legs]})
    assert not mix.open
    assert [new.track.part for new in feed.act().tracks if new.track.kind == "mix"] == [2]


def test_a_snapshot_that_shows_the_mix_leaves_it() -> None:
    feed = running()
    [mix] = mixes(feed)
    legs = [feed.leg(name).leg for name in ("ann", "bob")]
    told = e.SnapshotRoom(
        name=MAIN.name, locked=False, members=tuple(listed(leg) for leg in legs), recordings=(mix.path,)
    )
    channels = tuple(e.SnapshotLeg(leg=leg, ringing=True, answered=True) for leg in legs)
    feed.apply(e.Snapshot(core="core", asked_at=feed.now, answered_at=feed.now, rooms=(told,), legs=channels))
    assert mix.open


def test_another_run_of_the_switch_ends_everything() -> None:
    feed = running()
    known = [*tracks(feed, "ann"), *tracks(feed, "bob"), *mixes(feed)]
    changes = connect(feed.observed, "core 2", feed.now)
    assert changes.tracks == {track.id for track in known}
    assert not any(track.open for track in known)


def test_a_mask_that_went_out_as_the_connection_broke_is_sent_again() -> None:
    feed = running()
    [track] = tracks(feed, "bob")
    feed.change_person("bob", muted=True)
    wanted = c.MaskTrack(feed.leg("bob").leg, track.path, True)
    assert wanted in feed.act().commands
    feed.observed.disconnected()
    connect(feed.observed, "core", feed.now)
    feed.snapshot({MAIN.name: [listed(feed.leg("ann").leg), listed(feed.leg("bob").leg)]})
    assert wanted in feed.act().commands


def restored(feed: Feed, subject: UUID, kind: str = "person", *, at: float = 990.0) -> ObservedTrack:
    """A track as the rows have it; at first from before the conference was recorded, as after a pause."""
    key = track_id(subject, kind, 1)  # type: ignore[arg-type] # a kind
    path = f"/spool/{key.hex}.raw"
    return ObservedTrack(key, kind, subject, 1, path, "core", at, started_at=at, masked=None)  # type: ignore[arg-type]


def test_after_a_start_what_goes_on_goes_on_and_its_mask_is_sent_again() -> None:
    feed = recorded()
    feed.change_person("bob", muted=True)
    ann, bob = (restored(feed, feed.leg(name).leg, at=RECORDED.since) for name in ("ann", "bob"))
    for track in (ann, bob, restored(feed, feed.desired.id, "mix", at=RECORDED.since)):
        assert not restore_track(feed.observed, track, feed.now).tracks
    decision = feed.act()
    assert not decision.tracks
    assert of(decision, c.MaskTrack) == [
        c.MaskTrack(ann.subject, ann.path, False),
        c.MaskTrack(bob.subject, bob.path, True),
    ]


def test_after_a_start_what_was_recorded_of_a_leg_that_is_over_is_over() -> None:
    feed = recorded()
    feed.tell(e.LegEnded, leg=feed.leg("bob").leg, cause="NORMAL_CLEARING", at=1003.0)
    over, unknown = restored(feed, feed.leg("bob").leg), restored(feed, UUID(int=7))
    assert restore_track(feed.observed, over, 2000.0).tracks == {over.id}
    assert restore_track(feed.observed, unknown, 2000.0).tracks == {unknown.id}
    assert (over.ended_at, unknown.ended_at) == (1003.0, 2000.0)


def test_what_the_switch_says_nothing_of_is_asked_for_again_by_the_same_name() -> None:
    feed = recorded()
    first = [new.command for new in feed.act().tracks]
    feed.wait(UNHEARD)
    decision = feed.act()
    assert not decision.tracks
    assert sorted(of(decision, *STARTS), key=repr) == sorted(first, key=repr)


def test_a_mix_that_cannot_be_written_is_tried_again_ever_more_seldom() -> None:
    feed = running()
    [first] = mixes(feed)
    feed.tell(e.MixEnded, room=MAIN.name, path=first.path)
    waits = []
    for _ in range(7):
        waited = 0.0
        while not (decision := feed.act()).tracks:
            feed.wait(0.5)
            waited += 0.5
        waits.append(waited)
        [new] = decision.tracks
        feed.tell(e.MixStarted, room=MAIN.name, path=new.track.path, error="File could not be opened for recording")
    assert waits == [0.0, 2.0, 4.0, 8.0, 16.0, BACKOFF_MAX, BACKOFF_MAX], "one that lasted is no failure"
    assert new.track.part == 8


def test_who_comes_later_is_told_once() -> None:
    feed = recorded()
    prompt = RECORDED.prompt
    assert of(feed.act(), c.Play) == [c.Play(MAIN, prompt, feed.leg(name).leg) for name in ("ann", "bob")]
    assert not of(feed.act(), c.Play)


def test_who_is_in_was_told_with_all_the_others() -> None:
    feed = recorded(recording=None)
    feed.act()
    feed.wait(5)
    feed.change(recording=DesiredRecording(feed.now, "/spool", RECORDED.prompt))
    assert not of(feed.act(), c.Play)


def test_after_a_start_nobody_is_told_again_who_came_long_ago() -> None:
    feed = recorded()
    feed.wait(TOLD_WITHIN)
    assert not of(feed.act(), c.Play)


def test_what_is_over_is_forgotten() -> None:
    feed = running()
    feed.observed.forget(feed.desired.id, feed.desired.participants, [MAIN.name])
    assert not feed.observed.tracks.known
