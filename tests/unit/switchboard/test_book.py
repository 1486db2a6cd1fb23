"""What has to be written, and when a conference is decided about again; all in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest

from apps.conferences.reconcile.desired import DesiredAnnouncement, DesiredConference
from apps.conferences.reconcile.observe import Changes, apply, apply_snapshot, connect
from apps.conferences.reconcile.observed import Observed
from apps.conferences.switchboard.book import REST_SECONDS, Book, Entry
from apps.conferences.switchboard.loading import PARTICIPANT_COLUMNS, Facts, Loaded
from apps.conferences.switchboard.writing import ConferenceUpdate
from apps.switch import events as e
from apps.switch.commands import Room
from tests.unit.reconcile.build import MAIN, SPACE, conference, person, whisper
from tests.unit.reconcile.feed import POLICY, member

NOW = 1000.0
SIDE = whisper("side")
QUEUED: Facts = ("queued", "", 0, None, None, "", False, False, False, 0, "", "", None, None, None, None)


def loaded(desired: DesiredConference) -> Loaded:
    moment = datetime.fromtimestamp(NOW, UTC)
    return Loaded(
        desired=desired,
        policy=POLICY,
        launched_at=moment,
        ends_at=moment,
        observed_locked=False,
        expected_at=None,
        settled=False,
        written=dict.fromkeys(desired.participants, QUEUED),
        feeds=dict.fromkeys(desired.whispers, False),
    )


class Desk:
    """A book with one conference, and the switch that it hears of."""

    def __init__(self, desired: DesiredConference) -> None:
        self.observed = Observed()
        self.book = Book(self.observed)
        self.book.put(loaded(desired))
        self.sequence = 0
        connect(self.observed, "core", NOW)
        nothing = e.Snapshot(core="core", asked_at=NOW, answered_at=NOW, rooms=(), legs=())
        self.book.note(apply_snapshot(self.observed, nothing))

    @property
    def entry(self) -> Entry:
        (entry,) = self.book.entries.values()
        return entry

    def tell(self, event: type[e.Event], **facts: Any) -> None:
        self.sequence += 1
        microseconds = round((NOW + self.sequence) * 1e6)
        told = event(core="core", sequence=self.sequence, microseconds=microseconds, **facts)
        self.book.note(apply(self.observed, told))

    def call(self, now: float = NOW) -> None:
        """Decide, and note the calls as stored and sent."""
        for _, decision in self.book.decide(now):
            for dial in decision.dials:
                self.observed.store(dial, now)
                self.observed.sent(dial.originate, now)
                self.book.note(Changes(legs={dial.leg}, participants={dial.participant}))

    def join(self, name: str) -> None:
        leg = self.observed.people[uuid5(SPACE, name)].legs[-1]
        self.tell(e.LegCreated, leg=leg.leg)
        self.tell(e.MemberJoined, room=MAIN.name, **member(leg.leg, leg.participant))

    def write(self, now: float = NOW) -> list[ConferenceUpdate]:
        updates = self.book.updates(now, {})
        self.book.written(updates)
        return updates


@pytest.fixture
def desk() -> Desk:
    return Desk(conference(person("ann"), person("bob"), whispers=(SIDE,)))


def test_only_what_differs_is_written_and_told(desk: Desk) -> None:
    desk.call()
    desk.write()
    ann = uuid5(SPACE, "ann")
    desk.join("ann")
    (update,) = desk.write()
    assert list(update.participants) == [ann]
    row = dict(zip(PARTICIPANT_COLUMNS, update.participants[ann], strict=True))
    assert (row["state"], row["observed_room"]) == ("connected", MAIN.name)
    assert update.told[ann].keys() == {"state", "observed_room", "encryption", "joined_at"}
    assert row["encryption"] == "internal"
    assert desk.write() == []


def test_how_much_of_a_sound_is_lost_is_told_with_the_next_sweep(desk: Desk) -> None:
    desk.call()
    desk.join("ann")
    ann = uuid5(SPACE, "ann")
    leg = desk.observed.people[ann].live[0].leg
    desk.tell(e.LegAnswered, leg=leg, codec="opus", rate=48000)
    desk.write()
    desk.book.leg_rows()
    desk.tell(e.LegReport, leg=leg, fraction=13, jitter=960)
    assert desk.write() == []
    desk.book.touch_all()
    (update,) = desk.write()
    assert update.told[ann] == {"loss": 5, "jitter": 20}
    assert desk.book.leg_rows() == [], "nothing of it is kept with the attempt"
    desk.tell(e.LegReport, leg=leg, fraction=14, jitter=1000)
    desk.book.touch_all()
    assert desk.write() == [], "so little more is no news"


def test_what_was_not_committed_is_said_again(desk: Desk) -> None:
    desk.call()
    desk.join("ann")
    first = desk.book.updates(NOW, {})
    legs = {row.leg.leg for row in desk.book.leg_rows()}
    again = desk.book.updates(NOW, {})
    assert [each.participants for each in again] == [each.participants for each in first]
    assert {row.leg.leg for row in desk.book.leg_rows()} == legs
    desk.book.written(again)
    assert desk.book.leg_rows() == []


def test_a_conference_is_decided_about_when_something_of_it_changed(desk: Desk) -> None:
    desk.call()
    assert desk.book.decide(NOW) != []
    assert desk.book.decide(NOW) == []
    desk.tell(e.RoomCreated, room="of somebody else")
    assert desk.book.decide(NOW) == []
    desk.join("ann")
    assert [entry for entry, _ in desk.book.decide(NOW)] == [desk.entry]
    desk.book.touch_all()
    assert [entry for entry, _ in desk.book.decide(NOW)] == [desk.entry]


def test_an_announcement_is_taken_away_once_it_is_written() -> None:
    first, second = (DesiredAnnouncement(uuid5(SPACE, name), f"/{name}.wav", NOW) for name in ("first", "second"))
    desk = Desk(conference(person("ann"), announcements=(first, second)))
    desk.call()
    desk.join("ann")
    desk.write()
    for _, decision in desk.book.decide(NOW):
        for key, play in decision.plays:
            desk.observed.played(key, play, NOW)
    desk.tell(e.PlayStarted, room=MAIN.name, path="/first.wav", leg=None, error="")
    desk.tell(e.PlayStarted, room=MAIN.name, path="/second.wav", leg=None, error="File not found")
    desk.book.updates(NOW, {})  # not committed: said again
    (update,) = desk.write()
    assert update.played == {first.id: (datetime.fromtimestamp(NOW, UTC), ""), second.id: (None, "File not found")}
    assert desk.entry.desired.announcements == ()
    assert desk.book.played == {}
    assert desk.write() == []


def test_what_is_loaded_while_something_waits_to_be_written_loses_nothing() -> None:
    announcement = DesiredAnnouncement(uuid5(SPACE, "one"), "/one.wav", NOW)
    desired = conference(person("ann"), announcements=(announcement,))
    desk = Desk(desired)
    desk.call()
    desk.join("ann")
    desk.book.note_announcement(desk.entry, announcement.id, "NOT_STARTED")
    desk.book.put(loaded(replace(desired, locked=True)))
    (update,) = desk.write()
    assert update.participants.keys() == {uuid5(SPACE, "ann")}
    assert update.played == {announcement.id: (None, "NOT_STARTED")}


def test_an_ended_conference_is_settled_after_its_last_facts_and_then_forgotten(desk: Desk) -> None:
    desk.call()
    desk.join("ann")
    desk.write()
    desk.book.put(loaded(replace(desk.entry.desired, phase="ended")))
    assert "settled_at" not in desk.write()[0].columns, "two legs live"
    for leg in list(desk.observed.legs):
        desk.tell(e.LegEnded, leg=leg, cause="NORMAL_CLEARING", sip_code=0)
    desk.tell(e.RoomDestroyed, room=MAIN.name)
    last = desk.write()[0]
    assert len(last.participants) == 2
    assert "settled_at" not in last.columns, "first what became of them"
    assert "settled_at" in desk.write()[0].columns
    book = desk.book
    assert not any((book.entries, book.owner, book.rooms, book.legs, book.played))
    assert not any((desk.observed.legs, desk.observed.people))


def test_nothing_stays_of_a_conference_that_was_dropped(desk: Desk) -> None:
    desk.call()
    desk.join("ann")
    desk.book.note_announcement(desk.entry, SIDE.id, "")
    desk.book.drop(desk.entry.desired.id)
    assert desk.write() == []
    book = desk.book
    assert not any((book.entries, book.owner, book.rooms, book.legs, book.played))


def test_a_conference_is_empty_when_nobody_is_in_and_nobody_is_called(desk: Desk) -> None:
    desk.write()
    assert desk.book.empty() == set(), "somebody is to be called"
    desk.call()
    desk.write()
    assert desk.book.empty() == set()
    for leg in list(desk.observed.legs):
        desk.tell(e.LegEnded, leg=leg, cause="CALL_REJECTED", sip_code=603)
    assert desk.book.empty() == set(), "not yet written"
    desk.write()
    assert desk.book.empty() == {desk.entry.desired.id}
    desk.observed.disconnected()
    assert desk.book.empty() == set(), "nobody knows"


def test_who_speaks_is_told_when_it_changed(desk: Desk) -> None:
    desk.call()
    desk.join("ann")
    desk.book.talking()
    ann = desk.observed.people[uuid5(SPACE, "ann")].legs[-1]
    desk.tell(e.Talking, room=MAIN.name, leg=ann.leg, talking=True)
    assert desk.book.talking() == [(desk.entry.desired.id, [ann.participant])]
    assert desk.book.talking() == []


def beside(desk: Desk, **facts: Any) -> Loaded:
    """A second conference in the same book."""
    other = loaded(replace(conference(person("cid")), id=uuid5(SPACE, "other"), room=Room("c-2", "sparkle"), **facts))
    desk.book.put(other)
    return other


NOBODY: Any = {uuid5(SPACE, "secret name"): None}


def test_a_conference_that_cannot_be_decided_leaves_the_others_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = desk.entry, beside(desk, participants=NOBODY)
    assert [entry for entry, _ in desk.book.decide(NOW)] == [mine]
    (record,) = caplog.records
    assert str(other.desired.id) in record.getMessage()
    assert "AttributeError" in record.getMessage()
    assert "decide.py" in record.getMessage()
    desk.book.touch_all()
    assert [entry for entry, _ in desk.book.decide(NOW + REST_SECONDS / 2)] == [mine]
    assert len(caplog.records) == 1, "it rests"
    desk.book.decide(NOW + REST_SECONDS)
    assert len(caplog.records) == 2, "it is tried again"
    mended = beside(desk)
    assert mended in [entry.loaded for entry, _ in desk.book.decide(NOW + REST_SECONDS)], "something else is desired"


def test_a_conference_that_cannot_be_written_leaves_the_others_alone(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    mine, other = desk.entry, beside(desk)
    desk.call()
    other.written[uuid5(SPACE, "cid")] = ("a row with one secret column",)
    assert [update.loaded for update in desk.write()] == [mine.loaded]
    (record,) = caplog.records
    assert str(other.desired.id) in record.getMessage()
    assert "secret" not in record.getMessage()
    assert desk.write() == []
    assert len(caplog.records) == 1
    other.written[uuid5(SPACE, "cid")] = QUEUED
    (update,) = desk.write(NOW + REST_SECONDS)
    assert update.participants.keys() == {uuid5(SPACE, "cid")}, "nothing is lost"


def test_a_conference_of_which_nobody_knows_whether_it_has_gathered_does_not_start(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    beside(desk, participants=NOBODY, phase="gathering")
    assert desk.book.to_start(NOW) == desk.book.to_start(NOW) == []
    assert len(caplog.records) == 1
