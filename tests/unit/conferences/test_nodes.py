"""A node that is lost for good gives up its conferences, and only then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.conferences.errors import NoNode
from apps.conferences.models import Attempt, Conference
from apps.conferences.services.nodes import move_from_lost, on_lost_nodes
from apps.core.models import AuditEntry
from apps.switch.models import Node
from tests.factories import add_participant, make_conference, make_node, make_user

pytestmark = pytest.mark.django_db


def driven_node(**fields: Any) -> Node:
    return make_node(**{"lease_until": timezone.now() + timedelta(minutes=5), **fields})


def lost_node(**fields: Any) -> Node:
    since = timezone.now() - timedelta(seconds=61)
    return driven_node(**{"name": "lost", "connected": False, "unreachable_since": since, **fields})


def conference_on(node: Node, **fields: Any) -> Conference:
    conference = make_conference(make_user("alice"), node=node, **fields)
    for ordinal, phase in ((1, "ended"), (2, "in_room")):
        participant = add_participant(conference)
        Attempt.objects.create(
            leg=participant.pk,
            conference=conference,
            participant=participant,
            round=1,
            ordinal=ordinal,
            number_index=0,
            phase=phase,
            cause="USER_BUSY" if phase == "ended" else "",
            stored_at=timezone.now(),
        )
    return conference


def attempts(conference: Conference) -> set[tuple[str, str]]:
    return set(conference.attempts.values_list("phase", "cause"))


UNDRIVEN = {"connected": True, "unreachable_since": None, "lease_until": timezone.now() - timedelta(seconds=61)}


@pytest.mark.parametrize("fields", [{}, UNDRIVEN])
def test_its_conferences_go_to_another_one(fields: dict[str, Any]) -> None:
    conference, other = conference_on(lost_node(**fields)), driven_node(name="other")
    assert on_lost_nodes(timezone.now()) == [conference.pk]
    move_from_lost(conference.pk)
    conference.refresh_from_db()
    assert conference.node == other
    assert attempts(conference) == {("ended", "USER_BUSY"), ("ended", "NODE_LOST")}
    entry = AuditEntry.objects.get(action="move_node")
    assert (entry.actor_name, entry.detail) == ("", {"from": "lost", "to": "other"})
    assert on_lost_nodes(timezone.now()) == []


def test_one_that_has_ended_is_settled() -> None:
    node = lost_node()
    conference = conference_on(node, phase="ended")
    driven_node()
    move_from_lost(conference.pk)
    conference.refresh_from_db()
    assert conference.node == node
    assert conference.settled_at is not None
    assert attempts(conference) == {("ended", "USER_BUSY"), ("ended", "NODE_LOST")}


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"connected": True}, 60),
        ({"unreachable_since": None}, 60),
        ({}, 120),
        ({}, 0),
    ],
)
def test_a_node_that_is_not_lost_keeps_them(fields: dict[str, Any], limit: int, settings: LazySettings) -> None:
    settings.SPARKLE_NODE_LOST_SECONDS = limit
    node = lost_node(**fields)
    conference = conference_on(node)
    driven_node()
    assert on_lost_nodes(timezone.now()) == []
    if limit:
        move_from_lost(conference.pk)  # asked for a moment before the node came back
        conference.refresh_from_db()
        assert conference.node == node
        assert attempts(conference) == {("ended", "USER_BUSY"), ("in_room", "")}


@pytest.mark.parametrize("fields", [{"connected": False}, {"enabled": False}, UNDRIVEN])
def test_without_another_node_they_wait(fields: dict[str, Any]) -> None:
    node = lost_node()
    conference = conference_on(node)
    driven_node(**fields)
    assert on_lost_nodes(timezone.now()) == []
    with pytest.raises(NoNode):
        move_from_lost(conference.pk)
    assert attempts(conference) == {("ended", "USER_BUSY"), ("in_room", "")}
