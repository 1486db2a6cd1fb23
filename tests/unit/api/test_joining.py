"""Joining from a browser: who is given an account, what it is good for, and when it is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Attempt, BrowserJoin, Conference, Participant
from apps.core.models import AuditEntry, IdempotencyRecord
from apps.switch.accounts import find_account
from apps.switch.digest import a1_hash
from apps.switch.models import BrowserAccount, Node
from tests.factories import CAST, Scene, add_participant, make_conference, make_scene, make_user

from .callers import caller_of_account

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def ask(client: APIClient, conference: Conference, **body: Any) -> Any:
    return client.post(f"/api/v1/conferences/{conference.pk}/join/", body)


def joined(client: APIClient, conference: Conference) -> dict[str, Any]:
    answer = ask(client, conference)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize("role", CAST)
def test_everybody_with_a_part_may_join_and_nobody_else(as_user: AsUser, scene: Scene, role: str) -> None:
    client = as_user(scene.users[role])
    if role == "outsider":
        assert ask(client, scene.conference).status_code == 404
    else:
        assert joined(client, scene.conference)["participant"] == str(scene.own[role].pk)


def test_the_answer_is_all_that_a_browser_needs(as_user: AsUser, scene: Scene, settings: LazySettings) -> None:
    settings.SPARKLE_SIP_REALM = "house"
    settings.SPARKLE_STUN_SERVERS = ["stun:stun.example.cn:3478"]
    Node.objects.update(domain="sip.example.cn:5061", browser_address="")
    answer = ask(as_user(scene.users["member"]), scene.conference)

    sip = answer.json()["sip"]
    password, name = sip.pop("password"), sip["user"]
    assert sip == {
        "uri": f"sip:{name}@sip.example.cn",
        "user": name,
        "realm": "house",
        "target": "sip:join@sip.example.cn",
        "ws_urls": ["wss://sip.example.cn:7443"],
        "ice_servers": [{"urls": ["stun:stun.example.cn:3478"]}],
    }
    account = find_account(name)
    assert account is not None
    assert (account.a1_hash, account.browser) == (a1_hash(name, "house", password), True)
    assert answer["Cache-Control"] == "no-store"


def test_a_node_may_have_an_address_of_its_own_for_browsers(as_user: AsUser, scene: Scene) -> None:
    Node.objects.update(browser_address="wss://conference.example.cn/sip")
    sip = joined(as_user(scene.users["member"]), scene.conference)["sip"]
    assert sip["ws_urls"] == ["wss://conference.example.cn/sip"]


def test_the_password_is_kept_nowhere(as_user: AsUser, scene: Scene) -> None:
    client = as_user(scene.users["member"])
    first, again = (
        client.post(f"/api/v1/conferences/{scene.conference.pk}/join/", headers={"idempotency-key": "one"}).json()
        for _ in range(2)
    )
    assert first["sip"]["password"] != again["sip"]["password"]
    assert not IdempotencyRecord.objects.exists()
    rows = [str(row) for model in (BrowserAccount, BrowserJoin, AuditEntry) for row in model.objects.values()]
    assert not any(again["sip"]["password"] in row for row in rows)


def test_a_repeat_makes_the_earlier_void(as_user: AsUser, scene: Scene) -> None:
    client = as_user(scene.users["member"])
    first, second = (joined(client, scene.conference)["sip"]["user"] for _ in range(2))
    other = joined(as_user(scene.users["chair"]), scene.conference)["sip"]["user"]

    assert find_account(first) is None
    assert caller_of_account(first) is None
    callers = [(scene.own[role].pk, scene.conference.pk) for role in ("member", "chair")]
    assert [caller_of_account(name) for name in (second, other)] == callers


@pytest.mark.parametrize("role", ["owner", "manager"])
def test_owner_and_managers_become_participants_in_their_role(as_user: AsUser, scene: Scene, role: str) -> None:
    scene.own[role].delete()
    Conference.objects.update(entry_muted=True)
    client = as_user(scene.users[role])

    participant = Participant.objects.get(pk=joined(client, scene.conference)["participant"])

    assert (participant.user, participant.role, participant.guest) == (scene.users[role], role, False)
    assert (participant.name, participant.numbers) == (scene.users[role].display_name, [])
    assert (participant.present, participant.muted) == (False, False), "wanted from the moment in which they call"
    assert participant.position == max(Participant.objects.values_list("position", flat=True))
    assert joined(client, scene.conference)["participant"] == str(participant.pk)
    assert list(AuditEntry.objects.order_by("id").values_list("action", "detail")) == [
        ("attend", {"participants": [participant.name]}),
        *[("join", {"participants": [participant.name]})] * 2,
    ]


@pytest.mark.parametrize(
    ("role", "conference", "participant", "code"),
    [
        ("owner", {"phase": "ended"}, {}, "conference_ended"),
        ("member", {"phase": "ended"}, {}, "conference_ended"),
        ("member", {"locked": True}, {"state": "left"}, "conference_locked"),
        ("member", {"locked": True}, {"state": "connected"}, None),
        ("member", {"locked": True}, {"state": "connected", "present": False}, "conference_locked"),
        ("chair", {"locked": True}, {"state": "left"}, None),
        ("member", {}, {"refused": True, "present": False}, "refused_reentry"),
        ("owner", {}, {"refused": True, "present": False}, "refused_reentry"),
        ("member", {"max_participants": 2}, {"present": False}, "too_many_participants"),
        ("owner", {"max_participants": 2}, {"present": False}, "too_many_participants"),
        ("member", {"max_participants": 2}, {"present": True, "state": "left"}, None),
        ("member", {}, {"present": False}, None),
        ("member", {"phase": "gathering"}, {}, None),
    ],
)
def test_what_the_state_of_things_forbids(
    as_user: AsUser,
    scene: Scene,
    role: str,
    conference: dict[str, Any],
    participant: dict[str, Any],
    code: str | None,
) -> None:
    Conference.objects.update(**conference)
    Participant.objects.filter(pk=scene.own[role].pk).update(**participant)
    answer = ask(as_user(scene.users[role]), scene.conference)
    assert (answer.status_code, answer.json().get("code")) == ((409, code) if code else (200, None))
    assert BrowserAccount.objects.exists() is (code is None)


@pytest.mark.parametrize("present", [True, False])
def test_a_broken_call_is_resumed_only_by_those_who_were_not_removed(
    as_user: AsUser, scene: Scene, present: bool
) -> None:
    Participant.objects.filter(pk=scene.own["member"].pk).update(present=present, state="left")
    answer = ask(as_user(scene.users["member"]), scene.conference, resume=True)
    assert (answer.status_code, answer.json().get("code")) == ((200, None) if present else (409, "not_wanted"))


@pytest.mark.parametrize(
    ("was_in", "round_", "code"),
    [(True, 1, None), (False, 1, "conference_locked"), (True, 0, "conference_locked")],
    ids=["was in", "was called only", "was in before the present round"],
)
def test_a_lock_keeps_nobody_out_whose_call_broke(
    as_user: AsUser, scene: Scene, was_in: bool, round_: int, code: str | None
) -> None:
    Conference.objects.update(locked=True)
    Participant.objects.update(state="left", round=1)
    Attempt.objects.create(
        leg=uuid4(),
        conference=scene.conference,
        participant=scene.own["member"],
        round=round_,
        ordinal=1,
        number_index=0,
        stored_at=timezone.now(),
        joined_at=timezone.now() if was_in else None,
    )
    client = as_user(scene.users["member"])
    assert ask(client, scene.conference).json()["code"] == "conference_locked", "who comes anew"
    answer = ask(client, scene.conference, resume=True)
    assert (answer.status_code, answer.json().get("code")) == ((409, code) if code else (200, None))


def test_an_account_lasts_no_longer_than_the_conference_or_half_a_day(as_user: AsUser) -> None:
    alice = make_user("alice")
    now = timezone.now()
    for hours, least, most in ((2, 2.2, 2.3), (20, 11.9, 12.1)):
        conference = make_conference(alice, ends_at=now + timedelta(hours=hours))
        expires = datetime.fromisoformat(joined(as_user(alice), conference)["expires_at"])
        assert least < (expires - now).total_seconds() / 3600 < most


def test_an_account_that_has_expired_is_none(as_user: AsUser, scene: Scene) -> None:
    name = joined(as_user(scene.users["member"]), scene.conference)["sip"]["user"]
    BrowserAccount.objects.update(expires_at=timezone.now())
    assert find_account(name) is None
    assert caller_of_account(name) is None


def sign_out(user: User, client: APIClient) -> None:
    assert client.delete("/api/v1/session/").status_code == 204


def change_password(user: User, client: APIClient) -> None:
    user.set_password("another")
    user.save()


def deactivate(user: User, client: APIClient) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def remove_user(user: User, client: APIClient) -> None:
    user.delete()


@pytest.mark.parametrize("end", [sign_out, change_password, deactivate, remove_user])
def test_an_account_ends_with_its_session(
    as_user: AsUser, scene: Scene, end: Callable[[User, APIClient], None]
) -> None:
    member = scene.users["member"]
    client, elsewhere = as_user(member), as_user(member)
    assert elsewhere.get("/api/v1/plans/").status_code == 200
    name = joined(client, scene.conference)["sip"]["user"]
    assert caller_of_account(name) == (scene.own["member"].pk, scene.conference.pk)
    end(member, client)
    assert caller_of_account(name) is None


def test_a_client_with_a_token_may_join_too(scene: Scene) -> None:
    member = scene.users["member"]
    client = APIClient(headers={"authorization": f"Token {Token.objects.create(user=member).key}"})
    name = joined(client, scene.conference)["sip"]["user"]
    assert caller_of_account(name) == (scene.own["member"].pk, scene.conference.pk)
    User.objects.filter(pk=member.pk).update(is_active=False)
    assert caller_of_account(name) is None


@pytest.mark.parametrize("name", ["", "8001", "b-", "b-00000000000000000000", "b-\0", "B-00000000000000000000'"])
def test_names_that_are_nobodys(name: str) -> None:
    assert find_account(name) is None
    assert caller_of_account(name) is None


def test_a_join_changes_nothing_that_viewers_see(as_user: AsUser, scene: Scene) -> None:
    joined(as_user(scene.users["member"]), scene.conference)
    scene.conference.refresh_from_db()
    assert scene.conference.seq == 0


def test_a_person_who_attends_twice_has_one_part(as_user: AsUser) -> None:
    alice = make_user("alice")
    conference = make_conference(alice)
    add_participant(conference, role="owner", user=alice)
    joined(as_user(alice), conference)
    assert conference.participants.count() == 1
