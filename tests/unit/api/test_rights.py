"""Who may do what, cell by cell, through REST: the matrix is written out in matrix.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import transaction
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.access import MATRIX, Action, Role, Switch, may, may_assign
from apps.conferences.models import Participant, Plan, Whisper
from apps.core.models import AuditEntry
from tests.factories import (
    CAST,
    add_participant,
    add_person,
    make_conference,
    make_extension,
    make_node,
    make_plan,
    make_scene,
    make_unit,
    make_user,
)

from .matrix import ROLES, SWITCHES, mismatches

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def _sounds(settings: LazySettings, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path


@pytest.mark.parametrize("switched_on", [True, False])
@pytest.mark.parametrize("role", CAST)
def test_live_actions(as_user: AsUser, role: str, switched_on: bool) -> None:
    make_extension("8001")
    scene = make_scene(**dict.fromkeys(SWITCHES, switched_on))
    client = APIClient()
    client.force_authenticate(scene.users[role])

    def act(action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with transaction.atomic():
            answer = client.post(f"/api/v1/conferences/{scene.conference.pk}/{action}/", body)
            transaction.set_rollback(True)
        return answer.status_code, answer.json()

    assert mismatches(scene, role, switched_on, act) == []


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_organisations_switch_counts_as_well(as_user: AsUser, switch: str) -> None:
    scene = make_scene(**dict.fromkeys(SWITCHES, True))
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, **{switch: False})
    role = {
        "participant_may_unmute_self": "participant",
        "participant_may_replay": "participant",
        "guests_may_join": "owner",
    }.get(switch, "member")
    own, low = str(scene.own[role].pk), str(scene.others["participant"].pk)
    action, body = {
        "member_may_unmute_self": ("unmute", {"participants": [own]}),
        "participant_may_unmute_self": ("unmute", {"participants": [own]}),
        "member_may_invite": ("redial", {"participants": [low]}),
        "member_may_whisper": ("whisper_open", {"participants": [low]}),
        "member_may_replay": ("say_again", {}),
        "participant_may_replay": ("say_again", {}),
        "guests_may_join": ("guest_link", {}),
    }[switch]

    answer = as_user(scene.users[role]).post(f"/api/v1/conferences/{scene.conference.pk}/{action}/", body)

    assert (answer.status_code, answer.json()["code"]) == (403, "switched_off")


#: On a plan, in the order of ROLES; S as in matrix.py.
PLAN = {"view": "YYYYY", "edit": "YY---", "copy": "YYYS-", "launch": "YYY--", "delete": "Y----", "transfer": "Y----"}


@pytest.mark.parametrize("switched_on", [True, False])
@pytest.mark.parametrize("role", CAST)
def test_plans(as_user: AsUser, role: str, switched_on: bool) -> None:
    users = {each: make_user(name) for each, name in CAST.items()}
    make_node()
    plan = make_plan(users["owner"], managers=(users["manager"],), member_may_copy_plan=switched_on)
    for each in ("chair", "member", "participant"):
        add_person(plan, role=each, user=users[each])
    client, address = as_user(users[role]), f"/api/v1/plans/{plan.pk}/"
    calls: dict[str, Callable[[], Any]] = {
        "view": lambda: client.get(address),
        "edit": lambda: client.patch(address, {"revision": 1, "title": "New"}),
        "copy": lambda: client.post(f"{address}copy/"),
        "launch": lambda: client.post("/api/v1/conferences/", {"plan": str(plan.pk)}),
        "delete": lambda: client.delete(address),
        "transfer": lambda: client.post(f"{address}transfer/", {"user": str(users["outsider"].pk)}),
    }
    for action, row in PLAN.items():
        with transaction.atomic():
            status = calls[action]().status_code
            transaction.set_rollback(True)
        if role == "outsider":
            assert status == 404, action
            continue
        cell = row[ROLES.index(role)]
        allowed = cell == "Y" or (cell == "S" and switched_on)
        assert (status < 300) if allowed else (status == 403), (role, action, status)


#: What was recorded, in the order of ROLES; S as in matrix.py. tests/unit/recordings/test_replay_rights.py says more.
RECORDING = {"replay": "YYYSS", "export": "YS---"}


@pytest.mark.parametrize("switched_on", [True, False])
@pytest.mark.parametrize("role", CAST)
def test_recordings(as_user: AsUser, role: str, switched_on: bool) -> None:
    scene = make_scene(member_may_replay=switched_on, participant_may_replay=switched_on)
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, may_export=switched_on)
    client, address = as_user(scene.users[role]), f"/api/v1/conferences/{scene.conference.pk}/recording/"
    # There is nothing to export: 400 is the answer to who may.
    calls = {"replay": [(address, 200), (f"{address}utterances/", 200)], "export": [(f"{address}export/", 400)]}
    for action, row in RECORDING.items():
        for call, good in calls[action]:
            answer = client.get(call)
            if role == "outsider":
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), call
                continue
            cell = row[ROLES.index(role)]
            allowed = cell == "Y" or (cell == "S" and switched_on)
            assert answer.status_code == (good if allowed else 403), (role, call)
            assert allowed or answer.json()["code"] == ("switched_off" if cell == "S" else "not_allowed")


@pytest.mark.parametrize("role", ["member", "participant"])
def test_the_organisations_switch_for_replay_counts_as_well(as_user: AsUser, role: str) -> None:
    scene = make_scene(member_may_replay=True, participant_may_replay=True)
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, **{f"{role}_may_replay": False})
    answer = as_user(scene.users[role]).get(f"/api/v1/conferences/{scene.conference.pk}/recording/")
    assert (answer.status_code, answer.json()["code"]) == (403, "switched_off")


#: What has no endpoint yet: decided all the same. In the order of ROLES.
LATER = {
    Action.RECORD: "YYY--",
    Action.READ_MINUTES: "YYYSS",
    Action.CORRECT_MINUTES: "YYY--",
    Action.SIGN_MINUTES: "YYY--",
    Action.ERASE: "YS---",
}


@pytest.mark.parametrize("action", LATER)
def test_what_later_parts_will_ask(action: Action) -> None:
    for role, cell in zip(ROLES, LATER[action], strict=True):
        assert bool(may(Role.of(role), action, frozenset(Switch))) is (cell != "-"), role
        assert bool(may(Role.of(role), action, frozenset())) is (cell == "Y"), role
    assert may(Role.OUTSIDER, action, frozenset(Switch)).code == "not_found"


def test_no_action_is_left_out() -> None:
    from .matrix import ON_PERSON, WHOLE

    written = {
        *WHOLE,
        *ON_PERSON,
        *LATER,
        *RECORDING,
        "view",
        "view_numbers",
        "copy_plan",
        "edit_plan",
        "delete_plan",
        "transfer_plan",
        "launch",
        "join",  # test_joining.py
    }
    assert {action.value for action in MATRIX} <= written


def test_own_words_may_be_corrected_by_a_member_only_if_switched_on() -> None:
    assert may(Role.MEMBER, Action.CORRECT_MINUTES, frozenset(Switch), is_self=True)
    assert not may(Role.MEMBER, Action.CORRECT_MINUTES, frozenset(), is_self=True)
    assert not may(Role.PARTICIPANT, Action.CORRECT_MINUTES, frozenset(Switch), is_self=True)


def test_a_role_is_given_only_from_above() -> None:
    for giver in Role:
        for given in Role:
            assert bool(may_assign(giver, given)) is (Role.OUTSIDER < given < giver)


def test_platform_administrators_see_no_content(as_user: AsUser) -> None:
    scene = make_scene()
    root = as_user(make_user("root", is_staff=True, is_superuser=True))

    assert root.get(f"/api/v1/conferences/{scene.conference.pk}/").status_code == 404
    assert root.get(f"/api/v1/conferences/{scene.conference.pk}/participants/").status_code == 404
    assert root.get("/api/v1/conferences/").json()["results"] == []


def test_numbers_attempts_and_log_are_for_chair_and_above(as_user: AsUser) -> None:
    scene = make_scene()
    address = f"/api/v1/conferences/{scene.conference.pk}"
    for role in ROLES:
        client = as_user(scene.users[role])
        sees = role in ("owner", "manager", "chair")
        everybody = client.get(f"{address}/participants/").json()["results"]
        assert [("numbers" in each, "cause" in each) for each in everybody] == [(sees, sees)] * len(everybody)
        for part in ("attempts", "log"):
            assert client.get(f"{address}/{part}/").status_code == (200 if sees else 403)
    outsider = as_user(scene.users["outsider"])
    for part in ("", "/participants", "/attempts", "/log", "/whispers", f"/participants/{scene.own['chair'].pk}"):
        assert outsider.get(f"{address}{part}/").status_code == 404


def test_a_whisper_says_what_the_caller_may_do_to_it(as_user: AsUser) -> None:
    scene = make_scene(member_may_whisper=True)
    theirs = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["manager"])
    within = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["manager"])
    Participant.objects.filter(pk=scene.own["member"].pk).update(whisper=within)
    everything = ["whisper_add", "whisper_close", "whisper_remove", "whisper_soft"]
    for role, outside in (("chair", everything[1:]), ("member", []), ("participant", [])):
        found = as_user(scene.users[role]).get(f"/api/v1/conferences/{scene.conference.pk}/whispers/").json()["results"]
        may = {each["id"]: each["abilities"] for each in found}
        assert may == {str(theirs.pk): outside, str(within.pk): everything if role == "member" else outside}, role


def test_of_access_and_live_role_the_higher_counts(as_user: AsUser) -> None:
    bob = make_user("bob")
    conference = make_conference(make_user("alice"), (bob,))
    add_participant(conference, user=bob, role="participant")

    assert as_user(bob).get(f"/api/v1/conferences/{conference.pk}/").json()["role"] == "manager"


def test_who_is_not_signed_in_or_not_active(as_user: AsUser) -> None:
    scene = make_scene()
    assert APIClient().get("/api/v1/conferences/").status_code == 401
    client = as_user(scene.users["owner"])
    User.objects.filter(username="alice").update(is_active=False)
    assert client.get(f"/api/v1/conferences/{scene.conference.pk}/").status_code == 401


def test_a_manager_leaves_superiors_as_they_are(as_user: AsUser) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    plan = make_plan(alice, managers=(bob,))
    boss = add_person(plan, name="Alice", user=alice, role="owner")
    client, address = as_user(bob), f"/api/v1/plans/{plan.pk}/"
    stored = client.get(address).json()["people"]

    for people in ([], [{**stored[0], "name": "Nobody"}], [{**stored[0], "user": None}]):
        answer = client.patch(address, {"revision": 1, "people": people})
        assert answer.json()["errors"][0]["code"] == "equal_or_higher_role", answer.json()
    answer = client.patch(address, {"revision": 1, "managers": []})
    assert answer.json()["errors"][0]["code"] == "owner_only"

    answer = client.patch(
        address, {"revision": 1, "people": [*stored, {"name": "N", "numbers": [{"number": "13800138000"}]}]}
    )
    assert answer.status_code == 200, answer.json()
    assert plan.people.get(pk=boss.pk).name == "Alice"


def test_managers_taken_away_lose_their_rights(as_user: AsUser) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    plan = make_plan(alice)
    add_person(plan, name="Bob", user=bob)
    address = f"/api/v1/plans/{plan.pk}/"

    as_user(alice).patch(address, {"revision": 1, "managers": [str(bob.pk)]})
    assert as_user(bob).get(address).json()["role"] == "manager"
    as_user(alice).patch(address, {"revision": 2, "managers": []})
    assert as_user(bob).get(address).json()["role"] == "member"


def test_a_plan_is_given_to_another_owner(as_user: AsUser) -> None:
    alice, bob = make_user("alice"), make_user("bob")
    plan = make_plan(alice, managers=(bob,))
    for role, user in (("owner", alice), ("manager", bob)):
        add_person(plan, name=user.display_name, role=role, user=user)
    address = f"/api/v1/plans/{plan.pk}/"

    given = as_user(alice).post(f"{address}transfer/", {"user": str(bob.pk)})

    assert given.status_code == 200, given.json()
    assert (given.json()["role"], given.json()["owner"]["id"], given.json()["revision"]) == ("manager", str(bob.pk), 2)
    assert [each["id"] for each in given.json()["managers"]] == [str(alice.pk)]
    assert {each["name"]: each["role"] for each in given.json()["people"]} == {"Alice": "manager", "Bob": "owner"}
    assert as_user(bob).get(address).json()["role"] == "owner"
    assert as_user(alice).delete(address).status_code == 403
    entry = AuditEntry.objects.get(action="transfer_plan")
    assert (entry.actor_id, entry.object_id, entry.detail) == (alice.pk, str(plan.pk), {"to": "Bob"})


def test_a_plan_goes_only_to_somebody_who_may_own_it(as_user: AsUser) -> None:
    alice = make_user("alice")
    plan = make_plan(alice)
    gone = make_user("gone", is_active=False)
    guest = make_user("guest", unit=make_unit(may_create_plans=False))
    for user, code in (
        (uuid4(), "unknown_user"),
        (alice.pk, "unknown_user"),
        (gone.pk, "unknown_user"),
        (guest.pk, "may_not_create"),
    ):
        answer = as_user(alice).post(f"/api/v1/plans/{plan.pk}/transfer/", {"user": str(user)}).json()
        assert [(each["field"], each["code"]) for each in answer["errors"]] == [("user", code)]
    plan.refresh_from_db()
    assert (plan.owner_id, plan.revision) == (alice.pk, 1)


def test_a_copy_gives_nobody_rights_from_the_original(as_user: AsUser) -> None:
    alice, bob, carol = make_user("alice"), make_user("bob"), make_user("carol")
    plan = make_plan(alice, managers=(bob,))
    for role, user in (("owner", alice), ("manager", bob), ("chair", carol)):
        add_person(plan, name=user.display_name, role=role, user=user)

    copy = as_user(carol).post(f"/api/v1/plans/{plan.pk}/copy/").json()

    assert copy["role"] == "owner"
    assert {each["name"]: each["role"] for each in copy["people"]} == {
        "Alice": "chair",
        "Bob": "chair",
        "Carol": "owner",
    }
    assert copy["managers"] == []


def test_a_members_copy_holds_no_numbers_of_others(as_user: AsUser) -> None:
    alice, dave = make_user("alice"), make_user("dave")
    plan = make_plan(alice, people=2, member_may_copy_plan=True)
    add_person(plan, name="Dave", role="member", user=dave)

    copy = as_user(dave).post(f"/api/v1/plans/{plan.pk}/copy/").json()

    assert [each["name"] for each in copy["people"]] == ["Dave"]


def test_who_may_create(as_user: AsUser) -> None:
    client = as_user(make_user("bob", unit=make_unit(may_create_plans=False)))
    for address, body in (("plans", {"title": "T"}), ("conferences", {"title": "T", "people": []})):
        answer = client.post(f"/api/v1/{address}/", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "may_not_create")
    assert not Plan.objects.exists()


def test_nobody_invites_from_a_plan_whose_numbers_they_may_not_see(as_user: AsUser) -> None:
    mallory = make_user("mallory")
    plan = make_plan(make_user("alice"))
    victim = add_person(plan)
    add_person(plan, user=mallory, role="member")
    conference = make_conference(mallory)

    for person in (victim.pk, uuid4()):
        answer = as_user(mallory).post(
            f"/api/v1/conferences/{conference.pk}/invite/", {"people": [{"plan_person": str(person)}]}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not Participant.objects.exists()
