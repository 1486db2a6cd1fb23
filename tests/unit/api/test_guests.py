"""Guests: the link and its PIN, coming in by them, and what a guest may reach."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.guests import COOKIE, LASTS, cookie_of
from apps.conferences.models import Conference, GuestLink, Participant
from apps.conferences.services.guests import ADDRESS_FAILURES, LINK_FAILURES, LINK_WINDOW
from apps.core.models import AuditEntry
from tests.factories import (
    CAST,
    add_participant,
    make_conference,
    make_guest_link,
    make_scene,
    make_unit,
    make_user,
)

from .callers import caller_of_account

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]
PIN = "123456"


@pytest.fixture
def conference() -> Conference:
    return make_conference(make_user("olga"), title="产品评审")


@pytest.fixture
def token(conference: Conference) -> str:
    return make_guest_link(conference, PIN)


def enter(client: APIClient, token: str, name: str = "王 工", pin: str = PIN, **extra: Any) -> Any:
    return client.post(f"/api/v1/guests/{token}/", {"name": name, "pin": pin}, **extra)


@pytest.fixture
def guest(conference: Conference, token: str) -> APIClient:
    """A browser in which a guest has come in."""
    client = APIClient(headers={"accept-language": "en"})
    assert enter(client, token).status_code == 200
    return client


def participant_of(conference: Conference) -> Participant:
    return conference.participants.get(guest=True)


# The link -----------------------------------------------------------------------------------------------------


def test_a_link_is_made_replaced_and_taken_away(as_user: AsUser) -> None:
    scene = make_scene(guests_may_join=True)
    client, address = as_user(scene.users["chair"]), f"/api/v1/conferences/{scene.conference.pk}"
    assert client.get(f"{address}/invitation/").status_code == 404

    found = []
    for _ in range(2):
        assert client.post(f"{address}/guest_link/").status_code == 200
        found.append(client.get(f"{address}/invitation/").json())
        scene.conference.refresh_from_db()
        assert scene.conference.guest_link_at is not None
    first, second = found
    assert first["path"] != second["path"]
    assert [len(each["pin"]) for each in found] == [6, 6]
    assert GuestLink.objects.count() == 1

    anybody = APIClient()
    old, new = (f"/api/v1/guests/{each['path'].removeprefix('/join/')}/" for each in found)
    assert (anybody.get(old).status_code, anybody.get(new).status_code) == (404, 200)
    assert client.post(f"{address}/guest_link_off/").status_code == 200
    assert client.get(f"{address}/invitation/").status_code == 404
    assert anybody.get(new).status_code == 404
    scene.conference.refresh_from_db()
    assert (scene.conference.guest_link_at, scene.conference.seq) == (None, 3)


@pytest.mark.parametrize("role", CAST)
def test_link_and_pin_are_shown_to_chair_and_above(as_user: AsUser, role: str) -> None:
    scene = make_scene()
    make_guest_link(scene.conference)
    status = as_user(scene.users[role]).get(f"/api/v1/conferences/{scene.conference.pk}/invitation/").status_code
    assert status == {"owner": 200, "manager": 200, "chair": 200, "outsider": 404}.get(role, 403)


def test_link_and_pin_are_in_no_answer_log_or_feed(as_user: AsUser) -> None:
    scene = make_scene(guests_may_join=True)
    client, address = as_user(scene.users["owner"]), f"/api/v1/conferences/{scene.conference.pk}"
    answer = client.post(f"{address}/guest_link/", headers={"idempotency-key": "one"})
    link = client.get(f"{address}/invitation/").json()
    told = [answer.json(), client.get(f"{address}/log/").json(), list(scene.conference.deltas.values())]
    for secret in (link["pin"], link["path"]):
        assert secret not in str(told)
    with_them = str(list(GuestLink.objects.values("token_hash", "pin")))
    assert link["path"] not in with_them


# The door -----------------------------------------------------------------------------------------------------


def test_the_door_tells_where_it_leads_and_no_more(conference: Conference, token: str) -> None:
    assert APIClient().get(f"/api/v1/guests/{token}/").json() == {
        "conference": str(conference.pk),
        "title": "产品评审",
        "inside": False,
    }


def test_a_guest_becomes_a_plain_participant(conference: Conference, token: str) -> None:
    add_participant(conference)
    Conference.objects.update(entry_muted=True)
    client = APIClient()

    answer = enter(client, token)

    assert answer.json() == {"conference": str(conference.pk), "title": "产品评审", "inside": True}
    new = participant_of(conference)
    assert (new.name, new.role, new.user, new.numbers, new.position) == ("王 工", "participant", None, [], 1)
    assert (new.present, new.state, new.muted) == (False, "planned", True)
    cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", LASTS.total_seconds())
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.actor_name) == ("guest_enter", new.pk, "王 工")
    assert client.get(f"/api/v1/guests/{token}/").json()["inside"] is True


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"phase": "ended"}, 409, "conference_ended"),
        ({"guests_may_join": False}, 403, "guests_not_allowed"),
        ({"locked": True}, 409, "conference_locked"),
        ({"max_participants": 0}, 409, "too_many_participants"),
    ],
)
def test_who_is_not_let_in(conference: Conference, token: str, change: dict[str, Any], status: int, code: str) -> None:
    Conference.objects.update(**change)
    answer = enter(APIClient(), token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not conference.participants.exists()


def test_the_organisation_may_keep_guests_out(conference: Conference, token: str) -> None:
    User.objects.filter(pk=conference.owner_id).update(unit=make_unit(guests_may_join=False))
    assert enter(APIClient(), token).json()["code"] == "guests_not_allowed"


def test_no_more_guests_come_than_the_conference_takes(conference: Conference, token: str) -> None:
    Conference.objects.update(max_participants=2)
    codes = [enter(APIClient(), token).json().get("code") for _ in range(3)]
    assert codes == [None, None, "too_many_participants"]


def test_names_are_names(conference: Conference, token: str) -> None:
    for name in ("", " ", "a\nb", "x" * 65):
        answer = enter(APIClient(), token, name=name)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")


def test_the_token_against_forgery_is_asked_for(token: str) -> None:
    assert enter(APIClient(enforce_csrf_checks=True), token).json()["code"] == "csrf_failed"


def test_somebody_who_is_signed_in_comes_in_as_themself(conference: Conference, token: str, as_user: AsUser) -> None:
    bob = make_user("bob")
    client = as_user(bob)
    for _ in range(2):
        answer = enter(client, token, name="Nobody")
        assert answer.status_code == 200
        assert COOKIE not in answer.cookies
    new = conference.participants.get()
    assert (new.name, new.user, new.role, new.guest) == ("Bob", bob, "participant", False)


def test_owner_and_manager_lose_nothing_by_the_link(conference: Conference, token: str, as_user: AsUser) -> None:
    client = as_user(conference.owner)
    assert enter(client, token).status_code == 200
    assert not conference.participants.exists()
    key = client.post(f"/api/v1/conferences/{conference.pk}/join/").json()["participant"]
    assert conference.participants.get(pk=key).role == "owner"


def test_who_is_inside_stays_the_same_guest(conference: Conference, token: str, guest: APIClient) -> None:
    assert enter(guest, token, name="Another").status_code == 200
    assert participant_of(conference).name == "王 工"
    Participant.objects.update(refused=True, present=False)
    assert guest.get(f"/api/v1/guests/{token}/").json()["inside"] is False
    assert enter(guest, token, name="Another").json()["code"] == "refused_reentry"


# Guessing -----------------------------------------------------------------------------------------------------


def test_a_wrong_pin_lets_nobody_in_and_is_on_record(conference: Conference, token: str) -> None:
    answer = enter(APIClient(), token, pin="000000")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_pin")
    assert not conference.participants.exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.conference_id, entry.address) == ("guest_pin_failed", conference.pk, "127.0.0.1")
    assert "000000" not in str(entry.detail)


def test_an_address_has_few_tries(token: str) -> None:
    for _ in range(ADDRESS_FAILURES):
        assert enter(APIClient(), token, pin="0").status_code == 403
    answer = enter(APIClient(), token)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer["Retry-After"]) > 0
    assert enter(APIClient(), token, REMOTE_ADDR="10.0.0.9").status_code == 200


def test_a_link_takes_few_wrong_pins_from_all_addresses_together(token: str) -> None:
    for n in range(LINK_FAILURES):
        assert enter(APIClient(), token, pin="0", REMOTE_ADDR=f"10.0.0.{n}").status_code == 403
    answer = enter(APIClient(), token, REMOTE_ADDR="10.0.1.1")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert 0 < int(answer["Retry-After"]) <= LINK_WINDOW.total_seconds()
    GuestLink.objects.update(failing_since=timezone.now() - LINK_WINDOW - timedelta(seconds=1))
    assert enter(APIClient(), token, REMOTE_ADDR="10.0.1.1").status_code == 200


def test_a_new_link_is_not_blocked(token: str, conference: Conference, as_user: AsUser) -> None:
    GuestLink.objects.update(failures=LINK_FAILURES, failing_since=timezone.now())
    client = as_user(conference.owner)
    client.post(f"/api/v1/conferences/{conference.pk}/guest_link/")
    link = client.get(f"/api/v1/conferences/{conference.pk}/invitation/").json()
    assert enter(APIClient(), link["path"].removeprefix("/join/"), pin=link["pin"]).status_code == 200


# What a guest may reach ---------------------------------------------------------------------------------------


def test_a_guest_joins_and_controls_themself(conference: Conference, guest: APIClient) -> None:
    own = participant_of(conference)
    other = add_participant(conference)
    address = f"/api/v1/conferences/{conference.pk}"

    answer = guest.post(f"{address}/join/").json()
    assert answer["participant"] == str(own.pk)
    assert caller_of_account(answer["sip"]["user"]) == (own.pk, conference.pk)
    assert guest.post(f"{address}/raise_hand/", {"participants": [str(own.pk)]}).status_code == 200
    assert guest.post(f"{address}/mute/", {"participants": [str(own.pk)]}).status_code == 200
    refused = guest.post(f"{address}/mute/", {"participants": [str(other.pk)]})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    entry = AuditEntry.objects.get(action="mute")
    assert (entry.actor_id, entry.actor_name) == (own.pk, "王 工")


def test_a_guest_of_one_conference_has_no_part_in_another(guest: APIClient) -> None:
    other = make_scene()
    address = f"/api/v1/conferences/{other.conference.pk}"
    for path, body in (
        ("join/", {}),
        ("raise_hand/", {"participants": [str(other.own["member"].pk)]}),
        ("mute/", {"participants": "all"}),
        ("end/", {}),
    ):
        answer = guest.post(f"{address}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path


def test_a_guest_reads_nothing_but_the_feed(conference: Conference, guest: APIClient) -> None:
    own = participant_of(conference)
    address = f"conferences/{conference.pk}/"
    for path in (
        *("plans/", "conferences/", "users/", "extensions/", address),
        *(f"{address}{part}/" for part in ("participants", f"participants/{own.pk}", "attempts", "log", "invitation")),
    ):
        assert guest.get(f"/api/v1/{path}").status_code == 401, path


def test_a_guest_needs_the_token_against_forgery(conference: Conference, guest: APIClient) -> None:
    strict = APIClient(enforce_csrf_checks=True)
    strict.cookies[COOKIE] = guest.cookies[COOKIE].value
    assert strict.post(f"/api/v1/conferences/{conference.pk}/join/").json()["code"] == "csrf_failed"


def test_a_guest_who_was_removed_for_good_is_an_outsider(conference: Conference, guest: APIClient) -> None:
    own = participant_of(conference)
    address = f"/api/v1/conferences/{conference.pk}"
    Participant.objects.filter(pk=own.pk).update(refused=True, present=False)
    assert guest.post(f"{address}/join/").status_code == 404
    assert guest.post(f"{address}/raise_hand/", {"participants": [str(own.pk)]}).status_code == 404


def test_cookies_that_are_none(conference: Conference, guest: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    own, phone = participant_of(conference), add_participant(conference)
    good = guest.cookies[COOKIE].value
    gone = cookie_of(Participant(conference=conference))
    for value in ("", "x", good[:-1], f"{own.pk}", cookie_of(phone), gone):
        client = APIClient()
        client.cookies[COOKIE] = value
        assert client.post(f"/api/v1/conferences/{conference.pk}/join/").status_code == 401, value
    monkeypatch.setattr("apps.conferences.guests.LASTS", timedelta(seconds=-1))
    assert guest.post(f"/api/v1/conferences/{conference.pk}/join/").status_code == 401


def test_a_login_counts_before_a_guests_cookie(conference: Conference, guest: APIClient) -> None:
    guest.force_login(conference.owner)
    answer = guest.post(f"/api/v1/conferences/{conference.pk}/join/").json()
    assert conference.participants.get(pk=answer["participant"]).user == conference.owner


def test_a_guest_who_was_promoted_acts_in_the_new_role(conference: Conference, guest: APIClient) -> None:
    own, other = participant_of(conference), add_participant(conference)
    Participant.objects.filter(pk=own.pk).update(role="chair")
    address = f"/api/v1/conferences/{conference.pk}"
    opened = guest.post(f"{address}/whisper_open/", {"participants": [str(other.pk)]})
    assert opened.status_code == 200, opened.json()
    # Opened by nobody with a login: that makes it theirs no more than anybody's.
    added = guest.post(f"{address}/whisper_add/", {"whisper": opened.json()["whisper"], "participants": [str(own.pk)]})
    assert added.status_code == 403
    invited = guest.post(f"{address}/invite/", {"people": [{"plan_person": str(other.pk)}]})
    assert (invited.status_code, invited.json()["code"]) == (404, "not_found")
