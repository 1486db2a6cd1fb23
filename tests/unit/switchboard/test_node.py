"""The loop of one node against a scripted switch and a real database."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import gevent
import pytest
from django.utils import timezone

from apps.conferences.models import Announcement, Attempt, Conference, Delta, Participant, Whisper
from apps.conferences.reconcile.desired import attempt_leg
from apps.conferences.reconcile.observed import GRID
from apps.conferences.rooms import main_room
from apps.conferences.switchboard import node
from apps.switch.esl.rendering import CORE_UUID, LIST_LEGS, LIST_ROOMS
from apps.switch.models import Gateway, Node
from tests.factories import add_participant, make_conference, make_node
from tests.unit.switchboard.desk import listed, until
from tests.unit.switchboard.driven import Driven

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_switch_whose_clock_is_an_hour_behind_is_followed_all_the_same(driven: Driven) -> None:
    desk, leg = driven.desk, attempt_leg(driven.person.pk, 1, 1)

    def now(**facts: Any) -> bool:
        return Participant.objects.filter(pk=driven.person.pk, **facts).exists()

    room = main_room(driven.conference.pk)[0]
    desk.ahead = -3600.0
    desk.hang_up()
    until(lambda: driven.loop.link.clock.offset, "it measures the clock of the new connection")
    until(driven.has_loaded, "it knows the switch again")
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.in_room("add-member")
    until(lambda: now(state="connected", joined_at__gt=timezone.now() - timedelta(minutes=1)), "in, and just now")
    desk.answers[LIST_ROOMS] = listed(room, leg)
    desk.answers[LIST_LEGS] = f'{{"row_count":1,"rows":[{{"uuid":"{leg}","callstate":"ACTIVE"}}]}}'
    until(lambda: time.time() > driven.loop.observed.legs[leg].as_of + 2 * GRID, "what follows is newer")
    driven.loop.link.ask_snapshot()
    joined = driven.loop.observed.legs[leg].as_of
    until(lambda: driven.loop.observed.legs[leg].as_of > joined, "a snapshot shows it")
    driven.in_room("mute-member", speak=False)
    until(lambda: now(observed_muted=True), "what comes after the snapshot is newer than it")
    until(lambda: (Node.objects.get(pk=driven.node.pk).clock_offset or 0) < -3590, "the offset is stored")


def test_when_this_machine_s_clock_is_set_the_loop_ends_to_begin_anew(driven: Driven) -> None:
    driven.loop.boot -= 60
    driven.loop.wake.set()
    until(driven.greenlet.ready, "the loop ends")
    assert driven.greenlet.successful()


def test_what_is_asked_for_does_not_wait_while_events_gather(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    def state() -> str:
        return Participant.objects.get(pk=driven.person.pk).state

    monkeypatch.setattr(node, "GATHER", 1_000_000)
    monkeypatch.setattr(node, "GATHER_MOST", 60.0)
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.in_room("add-member")
    gevent.sleep(3 * node.FLUSH)
    assert state() == "queued"
    driven.loop.notify(driven.conference.pk)
    until(lambda: state() == "connected", "what came before is written too")


def test_calls_go_out_at_the_gateway_s_pace_while_events_gather(
    driven: Driven, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gateway.objects.update(calls_per_second=4)
    for number in ("7002", "7003", "7004"):
        add_participant(driven.conference, number=number, state="planned", present=True, observed_room="")
    monkeypatch.setattr(node, "GATHER", 1_000_000)
    monkeypatch.setattr(node, "GATHER_MOST", 60.0)
    monkeypatch.setattr(node, "SWEEP", 60.0)
    driven.loop.notify(None)
    driven.call()
    until(lambda: len(driven.originates) == 4, "all calls")


def test_an_attempt_is_committed_before_it_is_sent(driven: Driven) -> None:
    leg = attempt_leg(driven.person.pk, 1, 1)
    known: list[UUID] = []
    driven.desk.hears = lambda command: known.extend(Attempt.objects.values_list("leg", flat=True))
    driven.call()
    until(lambda: driven.originates, "the call")
    assert known == [leg]
    assert [str(leg) in command for command in driven.originates] == [True]
    until(lambda: Participant.objects.get(pk=driven.person.pk).state == "dialing", "it is shown")


def test_who_has_a_live_attempt_that_is_not_known_here_is_not_called(driven: Driven) -> None:
    other = attempt_leg(driven.person.pk, 1, 7)
    Attempt.objects.create(
        leg=other,
        conference=driven.conference,
        participant=driven.person,
        round=1,
        ordinal=7,
        number_index=0,
        phase="ringing",
        sends=1,
        stored_at=timezone.now(),
    )
    driven.call()
    until(lambda: other in driven.loop.observed.legs, "it reads the attempt")
    assert driven.originates == []
    assert Attempt.objects.count() == 1


def test_whoever_called_in_is_known_and_is_not_called(driven: Driven) -> None:
    leg = uuid4()
    Attempt.objects.create(
        leg=leg,
        conference=driven.conference,
        participant=driven.person,
        round=1,
        ordinal=1,
        number_index=0,
        inbound=True,
        phase="answered",
        stored_at=timezone.now(),
        answered_at=timezone.now(),
    )
    driven.call()
    until(lambda: Participant.objects.get(pk=driven.person.pk).leg == leg, "it is theirs")
    assert driven.loop.observed.legs[leg].core == driven.loop.observed.core
    assert driven.originates == []


def test_who_lost_the_lease_calls_nobody(driven: Driven) -> None:
    Node.objects.filter(pk=driven.node.pk).update(lease_holder="another", lease_epoch=99)
    driven.call()
    until(driven.greenlet.ready, "the loop ends")
    assert driven.greenlet.successful()
    assert driven.desk.heard == []
    assert not Attempt.objects.exists()


def test_a_lost_database_connection_is_made_anew(driven: Driven) -> None:
    ended = driven.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchboard n1'"
    ).fetchall()
    assert ended
    driven.call()
    until(lambda: driven.originates, "the call")
    assert not driven.greenlet.ready()


def test_a_gateway_that_was_deleted_a_moment_ago_stops_nothing(driven: Driven, gateway: Gateway) -> None:
    gateway.delete()
    driven.call()
    until(lambda: Participant.objects.get(pk=driven.person.pk).state == "failed", "nobody can be called")
    assert Participant.objects.get(pk=driven.person.pk).cause == "NO_ROUTE_DESTINATION"
    assert driven.originates == []
    assert not driven.greenlet.ready()


def test_conferences_of_other_nodes_are_left_to_them(driven: Driven) -> None:
    elsewhere = make_conference(driven.conference.owner, node=make_node(name="n2"))
    person = add_participant(elsewhere)
    leg = attempt_leg(person.pk, 1, 1)
    Attempt.objects.create(
        leg=leg,
        conference=elsewhere,
        participant=person,
        round=1,
        ordinal=1,
        number_index=0,
        phase="in_room",
        stored_at=timezone.now(),
    )
    driven.loop.notify(elsewhere.pk)
    driven.call()
    until(lambda: driven.originates, "it has loaded what it was told of")
    assert leg not in driven.loop.observed.legs
    assert elsewhere.pk not in driven.loop.book.entries


def test_rooms_whose_conferences_went_elsewhere_are_hung_up(driven: Driven) -> None:
    elsewhere = make_conference(driven.conference.owner, node=make_node(name="n2"))
    whisper = Whisper.objects.create(conference=elsewhere, title="aside", opened_by=elsewhere.owner)
    stray, aside = f"c-{elsewhere.pk.hex}", f"w-{whisper.pk.hex}"
    own, unknown = f"c-{driven.conference.pk.hex}", f"c-{'0' * 32}"
    rooms = [{"conference_name": name, "locked": False, "members": []} for name in (stray, aside, own, unknown, "3000")]
    driven.desk.answers[LIST_ROOMS] = json.dumps(rooms)
    driven.loop.link.ask_snapshot()
    until(lambda: len(driven.desk.heard) >= 2, "they are hung up")
    driven.call()
    until(lambda: driven.originates, "it goes on")
    hung_up = {command for command in driven.desk.heard if command.endswith("hup all")}
    assert hung_up == {f"api conference {stray} hup all", f"api conference {aside} hup all"}


@pytest.mark.parametrize("number", [{"no": "number"}, {"kind": "extension", "number": 7001}])
def test_a_conference_that_cannot_be_read_leaves_the_others_alone(driven: Driven, number: dict[str, Any]) -> None:
    broken = make_conference(driven.conference.owner, node=driven.node)
    add_participant(broken, numbers=[number])
    driven.loop.notify(broken.pk)
    driven.call()
    until(lambda: driven.originates, "the other one is served")
    assert not driven.greenlet.ready()


def test_a_conference_that_cannot_be_decided_stops_nobody_else(
    driven: Driven, caplog: pytest.LogCaptureFixture
) -> None:
    nobody: Any = {uuid4(): None}
    known = driven.loop.book.entries[driven.conference.pk].loaded
    impossible = uuid4()
    desired = replace(known.desired, id=impossible, participants=nobody)
    driven.loop.book.put(replace(known, desired=desired, written={}))
    driven.call()
    until(lambda: driven.originates, "the other one is served")
    assert not driven.greenlet.ready()
    assert [str(impossible) in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        True
    ]


def test_an_announcement_from_before_a_restart_is_not_played_but_given_up(driven: Driven) -> None:
    announcement = Announcement.objects.create(conference=driven.conference, text="x", language="en", path="/x.wav")
    Announcement.objects.filter(pk=announcement.pk).update(created_at=timezone.now() - timedelta(minutes=2))
    driven.loop.notify(driven.conference.pk)
    until(lambda: Announcement.objects.get(pk=announcement.pk).error, "it is given up")
    given_up = Announcement.objects.get(pk=announcement.pk)
    assert (given_up.error, given_up.played_at) == ("NOBODY_THERE", None)
    changes = [delta.changes["announcements"] for delta in Delta.objects.all()]
    assert changes == [{str(announcement.pk): {"played_at": None, "error": "NOBODY_THERE"}}]
    assert driven.loop.book.entries[driven.conference.pk].desired.announcements == ()


def test_an_ended_conference_is_settled_and_forgotten(driven: Driven) -> None:
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.desk.hang_up()  # its answer to the originate with it: nothing was ever seen of the leg
    Conference.objects.filter(pk=driven.conference.pk).update(phase="ended")
    driven.loop.notify(driven.conference.pk)
    until(lambda: Conference.objects.get(pk=driven.conference.pk).settled_at, "it is settled", 20)
    assert set(Attempt.objects.values_list("phase", "cause")) == {("ended", "ORIGINATOR_CANCEL")}
    until(lambda: not driven.loop.book.entries, "it is forgotten")
    book, observed = driven.loop.book, driven.loop.observed
    assert not any((book.owner, book.rooms, book.legs, book.played, book.talks))
    assert not any((observed.legs, observed.people, observed.rooms, observed.jobs, observed.plays))


def test_a_restart_waits_for_the_conferences_and_is_asked_for_once(driven: Driven) -> None:
    def asked() -> int:
        return sum("fsctl shutdown elegant restart" in command for command in driven.desk.heard)

    Node.objects.filter(pk=driven.node.pk).update(restart_wanted=True)
    driven.call()
    driven.loop.notify(None)
    until(lambda: driven.originates and driven.loop.loader.restart_wanted, "it has read all that")
    driven.desk.hang_up()
    Conference.objects.filter(pk=driven.conference.pk).update(phase="ended")
    assert asked() == 0
    driven.loop.notify(driven.conference.pk)
    until(asked, "the switch is asked", 20)
    snapshots = driven.desk.snapshots
    driven.loop.link.ask_snapshot()
    until(lambda: driven.desk.snapshots > snapshots, "some rounds go by")
    assert asked() == 1
    assert Node.objects.get(pk=driven.node.pk).restart_wanted
    driven.desk.answers[CORE_UUID] = "6de7f590-6d7d-440e-b11b-1f3586d327a3"
    driven.desk.hang_up()
    until(lambda: not Node.objects.get(pk=driven.node.pk).restart_wanted, "another run of the switch is seen")
    assert asked() == 1
