"""From rows to what is desired, and from a number to the ways that lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

import pytest

from apps.conferences.models import Announcement, Attempt, Conference, Whisper
from apps.conferences.reconcile.desired import Limits, Route
from apps.conferences.reconcile.observed import LegPhase
from apps.conferences.switchboard import database
from apps.conferences.switchboard.loading import Loader, load_gateways
from apps.switch import models, srtp
from tests.factories import add_participant, make_conference, make_node, make_user
from tests.unit.reconcile.build import SPACE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


# With rows -------------------------------------------------------------------------------------------------------


@pytest.fixture
def connection(transactional_db: None) -> Iterator[database.Connection]:
    with database.connect(application_name="test", autocommit=True) as opened:
        yield opened


def loader(node: models.Node, connection: database.Connection) -> Loader:
    made = Loader(node.pk)
    made.refresh(connection)
    return made


def test_a_node_uses_its_own_gateways_and_those_of_all(connection: database.Connection) -> None:
    node, other = make_node(), make_node()
    of_nodes: dict[str, dict[str, Any]] = {
        "own": {"node": node},
        "all": {},
        "other": {"node": other},
        "off": {"node": node, "enabled": False},
    }
    for name, fields in of_nodes.items():
        models.Gateway.objects.create(name=name, handles=["mobile"], dial_string="null/{number}", **fields)
    assert {each.name for each in load_gateways(connection, node.pk)} == {"own", "all"}


def test_a_route_is_what_the_trunk_says_of_itself_and_of_the_caller(connection: database.Connection) -> None:
    node, owner = make_node(), make_user("alice")
    for number in ("8002", "8001"):
        models.Extension.objects.create(number=number, display_name="alice", user=owner)
    trunk = models.Gateway.objects.create(
        name="carrier",
        handles=["mobile"],
        host="sip.example.cn",
        caller="owner",
        caller_number="+86215555",
        caller_name_shown="fixed",
        caller_name="ACME",
        encryption="exempt",
        max_calls=7,
    )
    models.NumberRule.objects.create(gateway=trunk, prefix="+86", replacement="0")
    conference = make_conference(owner, node=node)
    person = add_participant(conference, numbers=[{"kind": "mobile", "number": "+8613800138000"}])
    made = loader(node, connection)
    made.standing = {trunk.pk: f"{trunk.switch_name}-before"}
    loaded = made.load(connection, conference.pk)
    assert loaded is not None
    assert loaded.desired.participants[person.pk].numbers[0].routes == (
        Route(
            trunk.pk,
            f"sofia/gateway/{trunk.switch_name}-before/013800138000",
            Limits(10, 7),
            "+862155558001",
            srtp.EXEMPT,
            "ACME",
        ),
    )


def test_a_conference_is_loaded_whole(connection: database.Connection) -> None:
    node = make_node()
    models.Gateway.objects.create(
        name="people", handles=["mobile"], dial_string="loopback/{number}/rehearsal", encryption="internal"
    )
    conference = make_conference(make_user("alice"), node=node, floor_mode="roll_call", quorum_percent=60)
    called = add_participant(conference, numbers=[{"kind": "mobile", "number": "+8613800138000"}], muted=True)
    refused = add_participant(conference, refused=True)
    Conference.objects.filter(pk=conference.pk).update(called=called)
    whisper = Whisper.objects.create(conference=conference, closed_at=NOW)
    waiting, *_ = (
        Announcement.objects.create(conference=conference, text="x", language="en", path="/x.wav", **fields)
        for fields in ({}, {"played_at": NOW}, {"error": "NOT_STARTED"})
    )
    loaded = loader(node, connection).load(connection, conference.pk)
    assert loaded is not None
    desired = loaded.desired
    assert (desired.floor_mode, desired.quorum, desired.called) == ("roll_call", 60, called.pk)
    assert list(desired.participants) == [called.pk, refused.pk]
    person = desired.participants[called.pk]
    assert (person.muted, person.present) == (True, True)
    assert [route.dial_string for route in person.numbers[0].routes] == ["loopback/+8613800138000/rehearsal"]
    assert not desired.participants[refused.pk].present, "who may not come back is not wanted"
    assert not desired.whispers[whisper.pk].open
    assert [each.id for each in desired.announcements] == [waiting.pk]
    assert desired.announcements[0].asked_at == waiting.created_at.timestamp()


def test_conferences_of_other_nodes_are_none_of_its_business(connection: database.Connection) -> None:
    node, other = make_node(), make_node()
    theirs = make_conference(make_user("alice"), node=other)
    settled = make_conference(theirs.owner, node=node, phase="ended", settled_at=NOW)
    ours = make_conference(theirs.owner, node=node)
    made = loader(node, connection)
    assert made.unsettled(connection) == [ours.pk]
    assert made.load(connection, theirs.pk) is None
    loaded = made.load(connection, settled.pk)
    assert loaded is not None
    assert loaded.settled


def test_attempts_come_back_as_of_the_core_that_the_node_last_ran(connection: database.Connection) -> None:
    node = make_node(core_uuid="core-1")
    conference = make_conference(make_user("alice"), node=node)
    person = add_participant(conference)
    for ordinal, phase in ((2, "in_room"), (1, "ended")):
        Attempt.objects.create(
            leg=uuid5(SPACE, phase),
            conference=conference,
            participant=person,
            round=1,
            ordinal=ordinal,
            number_index=0,
            phase=phase,
            stored_at=NOW,
            ended_at=NOW if phase == "ended" else None,
        )
    ended, live = loader(node, connection).attempts(connection, [conference.pk])
    assert (ended.phase, ended.ended_at, ended.core) == (LegPhase.ENDED, NOW.timestamp(), "core-1")
    assert (live.phase, live.ordinal, live.ended_at) == (LegPhase.IN_ROOM, 2, None)
