"""Who is told how to dial in, who sees which PIN, and who may make new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import AccessNumber, Conference, Participant
from apps.core.models import AuditEntry
from tests.factories import Scene, add_person, make_plan, make_scene

pytestmark = pytest.mark.django_db

AsUser = Callable[[User], APIClient]

#: The roles whose PINs each role sees; of people, always also their own.
SEES: dict[str, set[str]] = {
    "owner": {"chair", "member", "participant"},
    "manager": {"chair", "member", "participant"},
    "chair": {"member", "participant"},
    "member": {"participant"},
    "participant": set(),
}


@pytest.fixture
def scene() -> Scene:
    AccessNumber.objects.create(number="+861062345678", label="Beijing", language="en")
    AccessNumber.objects.create(number="6000", label="off", enabled=False)
    return make_scene(member_may_invite=True)


def address(scene: Scene) -> str:
    return f"/api/v1/conferences/{scene.conference.pk}/dial-in/"


@pytest.mark.parametrize("role", SEES)
def test_everybody_is_told_the_numbers_and_the_pins_that_they_may_see(scene: Scene, as_user: AsUser, role: str) -> None:
    answer = as_user(scene.users[role]).get(address(scene))
    told = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["access_numbers"] == [{"number": "+861062345678", "label": "Beijing", "language": "en"}]
    assert len(told["number"]) == 8
    assert {each["role"] for each in told["roles"]} == SEES[role]
    below = {"owner": 9, "manager": 7, "chair": 5, "member": 3, "participant": 1}[role]
    assert len(told["people"]) == below  # two of each role below, and oneself
    own = next(each for each in told["people"] if each["id"] == str(scene.own[role].pk))
    assert own["renewable"]
    others = [each for each in [*told["people"], *told["roles"]] if each is not own]
    assert all(each["renewable"] == (role not in ("member", "participant")) for each in others)
    assert as_user(scene.users["owner"]).get(address(scene)).json()["number"] == told["number"]


def test_outsiders_and_those_who_may_not_invite_see_none(scene: Scene, as_user: AsUser) -> None:
    assert as_user(scene.users["outsider"]).get(address(scene)).status_code == 404
    assert APIClient().get(address(scene)).status_code in (401, 403)
    Conference.objects.update(member_may_invite=False)
    told = as_user(scene.users["member"]).get(address(scene)).json()
    assert (told["roles"], [each["id"] for each in told["people"]]) == ([], [str(scene.own["member"].pk)])


def test_a_plan_and_its_conference_are_dialled_into_alike(scene: Scene, as_user: AsUser) -> None:
    plan = make_plan(scene.users["owner"])
    person = add_person(plan, name="Frank")
    client = as_user(scene.users["owner"])
    told = client.get(f"/api/v1/plans/{plan.pk}/dial-in/").json()
    assert [(each["id"], each["name"]) for each in told["people"]] == [(str(person.pk), "Frank")]
    run = client.post("/api/v1/conferences/", {"plan": str(plan.pk)}).json()
    live = client.get(f"/api/v1/conferences/{run['id']}/dial-in/").json()
    assert (live["number"], live["roles"]) == (told["number"], told["roles"])
    assert [each["pin"] for each in live["people"]] == [each["pin"] for each in told["people"]]
    renewed = client.post(f"/api/v1/plans/{plan.pk}/dial-in/", {"people": [str(person.pk)], "roles": ["chair"]}).json()
    live = client.get(f"/api/v1/conferences/{run['id']}/dial-in/").json()
    for now, before in ((live["people"][0], told["people"][0]), (live["roles"][0], told["roles"][0])):
        assert now["pin"] != before["pin"]
    assert [each["pin"] for each in renewed["people"]] == [each["pin"] for each in live["people"]]
    entry = AuditEntry.objects.get(action="renew_pins")
    assert entry.detail == {"roles": ["chair"], "participants": ["Frank"]}


@pytest.mark.parametrize(
    ("role", "of", "status"),
    [
        ("manager", "owner", 403),
        ("chair", "chair", 403),
        ("chair", "member", 200),
        ("member", "participant", 403),
        ("participant", "own", 200),
    ],
)
def test_new_pins_take_a_higher_role_or_are_ones_own(
    scene: Scene, as_user: AsUser, role: str, of: str, status: int
) -> None:
    client = as_user(scene.users[role])
    before = client.get(address(scene)).json()
    whom = scene.own[role] if of == "own" else scene.others[of]
    answer = client.post(address(scene), {"people": [str(whom.pk)]})
    assert answer.status_code == status
    assert (client.get(address(scene)).json() != before) == (status == 200)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"roles": ["owner"]}, 400, "invalid"),
        ({"people": ["x"]}, 400, "invalid"),
        ({"people": ["00000000-0000-0000-0000-000000000000"]}, 404, "not_found"),
    ],
)
def test_bad_input_is_refused(scene: Scene, as_user: AsUser, body: dict[str, Any], status: int, code: str) -> None:
    answer = as_user(scene.users["owner"]).post(address(scene), body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_who_came_with_the_pin_of_a_role_has_none_of_their_own(scene: Scene, as_user: AsUser) -> None:
    guest = Participant.objects.create(conference=scene.conference, name="138****8000", guest=True, position=99)
    client = as_user(scene.users["owner"])
    assert str(guest.pk) not in {each["id"] for each in client.get(address(scene)).json()["people"]}
    assert client.post(address(scene), {"people": [str(guest.pk)]}).status_code == 404
