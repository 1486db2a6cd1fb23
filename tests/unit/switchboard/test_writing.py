"""What is written is written once, whoever asks again, and nobody gets a second live attempt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from apps.conferences.models import Attempt, Participant
from apps.conferences.reconcile.desired import Limits, Route, Target, attempt_leg, send_job
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.observe import apply, connect
from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg
from apps.conferences.switchboard import database
from apps.conferences.switchboard.writing import LegRow, store_attempts, write_legs
from apps.switch.commands import Originate, Room
from apps.switch.events import Leg, MemberJoined
from apps.switch.models import Gateway
from tests.factories import add_participant, make_conference, make_user
from tests.unit.reconcile.feed import member

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 13, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[database.Connection]:
    with database.connect(application_name="test", autocommit=True) as opened:
        yield opened


@pytest.fixture
def gateway() -> UUID:
    return Gateway.objects.create(name="people", handles=["extension"], dial_string="loopback/{number}").pk


@pytest.fixture
def people() -> list[Participant]:
    conference = make_conference(make_user("alice"))
    return [add_participant(conference) for _ in range(3)]


def dial(person: Participant, gateway: UUID, ordinal: int = 1) -> tuple[UUID, Dial, str]:
    leg = attempt_leg(person.pk, 1, ordinal)
    route = Route(gateway, "loopback/7001", Limits(10, 10))
    originate = Originate(leg, send_job(leg, 1), person.pk, route.dial_string, Room("c-1", "sparkle"))
    target = Target("extension", "7001", (route,))
    return person.conference_id, Dial(person.pk, leg, 1, ordinal, 0, target, route, originate), "people"


def leg_of(person: Participant, ordinal: int = 1, **facts: Any) -> LegRow:
    leg = ObservedLeg(attempt_leg(person.pk, 1, ordinal), person.pk, "core", NOW.timestamp(), ordinal=ordinal, **facts)
    return LegRow(person.conference_id, leg, "extension", "7001")


def test_each_attempt_is_one_row_that_says_who_is_called_and_how(
    connection: database.Connection, people: list[Participant], gateway: UUID
) -> None:
    dials = [dial(person, gateway) for person in people]
    assert store_attempts(connection, dials, NOW) == {each.leg for _, each, _ in dials}
    row = Attempt.objects.get(participant=people[0])
    assert (row.number, row.gateway_id, row.gateway_name, row.phase, row.sends, row.stored_at) == (
        "7001",
        gateway,
        "people",
        "stored",
        0,
        NOW,
    )


def test_a_commit_that_was_never_answered_is_asked_again(
    connection: database.Connection, people: list[Participant], gateway: UUID
) -> None:
    dials = [dial(person, gateway) for person in people]
    first = store_attempts(connection, dials, NOW)
    assert store_attempts(connection, dials, LATER) == first
    assert {row.stored_at for row in Attempt.objects.all()} == {LATER}
    assert Attempt.objects.count() == 3


@pytest.mark.parametrize("phase", ["sent", "ringing", "in_room", "ended"])
def test_a_leg_that_was_sent_is_not_given_out_again(
    connection: database.Connection, people: list[Participant], gateway: UUID, phase: str
) -> None:
    dials = [dial(person, gateway) for person in people]
    store_attempts(connection, dials, NOW)
    Attempt.objects.filter(participant=people[1]).update(phase=phase)
    assert store_attempts(connection, dials, LATER) == {dials[0][1].leg, dials[2][1].leg}
    row = Attempt.objects.get(participant=people[1])
    assert (row.phase, row.stored_at) == (phase, NOW)


def test_a_live_attempt_refuses_another_one(
    connection: database.Connection, people: list[Participant], gateway: UUID
) -> None:
    store_attempts(connection, [dial(people[0], gateway)], NOW)
    both = [dial(people[0], gateway, 2), dial(people[1], gateway)]
    assert store_attempts(connection, both, LATER) == {both[1][1].leg}
    write_legs(connection, [leg_of(people[0], phase=LegPhase.ENDED, cause="USER_BUSY", ended_at=NOW.timestamp())])
    assert store_attempts(connection, both[:1], LATER) == {both[0][1].leg}


def test_how_far_a_leg_is_can_be_written_again(
    connection: database.Connection, people: list[Participant], gateway: UUID
) -> None:
    store_attempts(connection, [dial(people[0], gateway)], NOW)
    row = leg_of(people[0], phase=LegPhase.IN_ROOM, sends=1, joined_at=LATER.timestamp())
    for _ in range(2):
        write_legs(connection, [row])
    written = Attempt.objects.get()
    assert (written.phase, written.sends, written.joined_at, written.gateway_id) == ("in_room", 1, LATER, gateway)


def test_a_leg_that_has_no_row_gets_one(connection: database.Connection, people: list[Participant]) -> None:
    write_legs(connection, [leg_of(people[0], 4, phase=LegPhase.ANSWERED), leg_of(people[1], phase=LegPhase.MISSING)])
    assert set(Attempt.objects.values_list("ordinal", "phase")) == {(4, "answered"), (1, "sent")}


def test_a_leg_that_an_event_brought_is_written_among_others(
    connection: database.Connection, people: list[Participant]
) -> None:
    observed, person = Observed(), people[0].pk
    connect(observed, "core", NOW.timestamp())
    facts = member(Leg(int=7), person)
    apply(observed, MemberJoined(core="core", microseconds=0, sequence=1, room="c-1", **facts))
    brought = LegRow(people[0].conference_id, observed.people[person].legs[0])
    write_legs(connection, [brought, leg_of(people[1])])
    assert Attempt.objects.get(participant=person).leg == UUID(int=7)


def test_nothing_is_written_for_somebody_who_is_gone(
    connection: database.Connection, people: list[Participant], gateway: UUID
) -> None:
    conference, gone, name = dial(people[0], gateway)
    people[0].delete()
    with pytest.raises(psycopg.IntegrityError):
        store_attempts(connection, [(conference, gone, name), dial(people[1], gateway)], NOW)
    assert not Attempt.objects.exists()
