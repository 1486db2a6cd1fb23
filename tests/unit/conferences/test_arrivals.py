"""Browsers that call: whose call is let in, where it goes, and what is known of it before the switch is told."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest
import redis
from django.conf import LazySettings
from django.utils import timezone

from apps.conferences.live.changes import channel
from apps.conferences.models import Attempt, Conference, Participant
from apps.conferences.rooms import main_room
from apps.conferences.services.joining import join
from apps.core import audit
from apps.switch.models import BrowserAccount, Node
from tests.factories import Scene, make_node, make_scene
from tests.unit.switch.asking import ask, basic, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def account(scene: Scene, role: str = "member") -> str:
    user = scene.users[role]
    return join(by=audit.By(user), user=user, conference_id=scene.conference.pk).account.name


def call(node: Node, name: str, leg: UUID | None = None, number: str = "join") -> list[tuple[str, str]]:
    """What the switch is told to do with a call: applications with their data."""
    found = ET.fromstring(ask(node, "dialplan", **joining(name, leg, number)).content).iter("action")
    return [(each.attrib["application"], each.attrib["data"]) for each in found]


def joining(name: str, leg: UUID | None = None, number: str = "join") -> dict[str, str]:
    return {
        "Hunt-Context": "public",
        "Hunt-Destination-Number": number,
        "Unique-ID": str(leg or uuid4()),
        "variable_user_name": name,
    }


REFUSED = [("hangup", "CALL_REJECTED")]


def let_in(scene: Scene, flags: str = "") -> list[tuple[str, str]]:
    room, profile = main_room(scene.conference.pk)
    return [
        ("unset", "execute_on_answer"),
        ("set", "conference_enforce_security=false"),
        ("answer", ""),
        ("conference", f"{room}@{profile}{flags}"),
    ]


def test_a_browser_goes_to_its_place_and_its_leg_is_known_first(scene: Scene) -> None:
    participant, leg = scene.own["member"], uuid4()
    Participant.objects.filter(pk=participant.pk).update(present=False, round=3)
    assert call(scene.conference.node, account(scene), leg) == let_in(scene)
    participant.refresh_from_db()
    assert participant.present
    attempt = Attempt.objects.get(leg=leg)
    assert (attempt.participant, attempt.inbound, attempt.phase) == (participant, True, "answered")
    assert (attempt.round, attempt.ordinal, attempt.kind) == (3, 1, "browser")


@pytest.mark.django_db(transaction=True)
def test_viewers_are_told_when_the_caller_has_their_answer(scene: Scene, settings: LazySettings) -> None:
    participant, node = scene.own["member"], scene.conference.node
    question = joining(account(scene))
    Participant.objects.filter(pk=participant.pk).update(present=False)
    with redis.Redis.from_url(settings.REDIS_URL).pubsub() as news:  # type: ignore[no-untyped-call]
        news.subscribe(channel(scene.conference.pk))
        assert news.get_message(timeout=5)["type"] == "subscribe"
        early: list[Any] = []
        headers = basic(node.name, node.xml_password)
        post("dialplan", question, headers, answered=lambda: early.append(news.get_message(timeout=0.2)))
        assert early == [None]
        told = json.loads(news.get_message(timeout=5)["data"])
    assert told["changes"]["participants"][str(participant.pk)]["present"] is True


def test_asked_again_for_the_same_call_it_is_the_same_attempt(scene: Scene) -> None:
    name, leg = account(scene), uuid4()
    assert call(scene.conference.node, name, leg) == call(scene.conference.node, name, leg) == let_in(scene)
    assert Attempt.objects.count() == 1
    call(scene.conference.node, name)
    assert set(Attempt.objects.values_list("ordinal", flat=True)) == {1, 2}


@pytest.mark.parametrize(
    ("role", "facts", "conference", "flags"),
    [
        ("chair", {}, {}, "+flags{moderator}"),
        ("member", {"muted": True}, {}, "+flags{mute}"),
        ("member", {"forbidden": True}, {}, "+flags{mute}"),
        ("member", {}, {"floor_mode": "moderated"}, "+flags{mute}"),
        ("member", {"granted": True}, {"floor_mode": "moderated"}, ""),
        ("member", {"deaf": True}, {}, "+flags{deaf}"),
        ("member", {}, {"phase": "gathering"}, "+flags{deaf|mute}"),
    ],
)
def test_it_begins_as_the_rules_have_it(
    scene: Scene, role: str, facts: dict[str, Any], conference: dict[str, Any], flags: str
) -> None:
    Participant.objects.filter(pk=scene.own[role].pk).update(**facts)
    Conference.objects.update(**conference)
    assert call(scene.conference.node, account(scene, role)) == let_in(scene, flags)


def test_who_comes_back_comes_in_though_the_conference_was_locked(scene: Scene) -> None:
    node, name = scene.conference.node, account(scene)
    call(node, name)
    Attempt.objects.update(joined_at=timezone.now())
    Participant.objects.filter(pk=scene.own["member"].pk).update(state="left")
    Conference.objects.update(locked=True)
    assert call(node, name) == let_in(scene)
    Participant.objects.update(present=False)
    assert call(node, name) == REFUSED, "who was removed"


@pytest.mark.parametrize(
    ("facts", "conference"),
    [
        ({"refused": True}, {}),
        ({"present": False}, {"locked": True}),
        ({"present": False}, {"max_participants": 2}),
        ({}, {"phase": "ended"}),
    ],
)
def test_who_may_not_come_in_is_refused_and_leaves_no_trace(
    scene: Scene, facts: dict[str, Any], conference: dict[str, Any]
) -> None:
    name = account(scene)
    Participant.objects.filter(pk=scene.own["member"].pk).update(**facts)
    Conference.objects.update(**conference)
    assert call(scene.conference.node, name) == REFUSED
    assert not Attempt.objects.exists()


def test_other_accounts_numbers_and_nodes_are_refused(scene: Scene) -> None:
    node, name = scene.conference.node, account(scene)
    assert call(node, name, number="8001") == REFUSED
    assert call(node, "8001") == REFUSED
    assert call(node, "") == REFUSED
    assert call(make_node(xml_password="another"), name) == REFUSED
    BrowserAccount.objects.update(revoked_at="2020-01-01T00:00Z")
    assert call(node, name) == REFUSED
    assert not Attempt.objects.exists()
