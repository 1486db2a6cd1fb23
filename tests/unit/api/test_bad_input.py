"""What is wrong is refused with a code and the field that is wrong, and nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Participant, Plan
from apps.conferences.services.actions import ACTIONS
from apps.core.models import AuditEntry
from tests.factories import (
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

from . import matrix
from .matrix import MODES, ON_PERSON

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]


@pytest.fixture
def alice(as_user: AsUser) -> APIClient:
    make_extension("8001")
    make_extension("8002")
    make_node()
    return as_user(make_user("alice"))


def person(**changes: Any) -> dict[str, Any]:
    return {"name": "张伟", "numbers": [{"number": "8001"}], **changes}


def wrong(client: APIClient, **body: Any) -> dict[str, str]:
    """Launch this, which must be refused and leave nothing; the errors by field."""
    # json.dumps escapes what UTF-8 cannot hold.
    text = json.dumps({"title": "T", **body})
    answer = client.post("/api/v1/conferences/", text, content_type="application/json").json()
    assert answer["status"] == 400, answer
    assert answer["code"] == "invalid"
    assert not Conference.objects.exists()
    assert not Participant.objects.exists()
    assert not AuditEntry.objects.filter(action="launch").exists()
    return {error["field"]: error["code"] for error in answer["errors"]}


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "blank"),
        ("abc", "number_characters"),
        ("8001\nbgapi shutdown", "number_characters"),
        ("8001'}{[$", "number_characters"),
        ("12345678901234567890", "number_not_a_number"),
        ("1380013800", "number_not_a_number"),
        ("9999", "unknown_extension"),
    ],
)
def test_a_number_that_cannot_be_dialled(alice: APIClient, number: str, code: str) -> None:
    errors = wrong(alice, people=[person(), person(numbers=[{"number": "8002"}, {"number": number}])])

    assert errors in ({"people.1.numbers.1": code}, {"people.1.numbers.1.number": code})


@pytest.mark.parametrize("text", ["a\nb", "a\x00b", "a\x1bb", "a\u202eb", "a\x7f", "\ud83d", "a\u2028b"])
@pytest.mark.parametrize("field", ["title", "name"])
def test_control_characters_and_half_surrogates(alice: APIClient, field: str, text: str) -> None:
    body: dict[str, Any] = {"people": [person(name=text)]} if field == "name" else {"title": text, "people": [person()]}

    assert wrong(alice, **body) == {"people.0.name" if field == "name" else "title": "control_characters"}


@pytest.mark.parametrize("name", ["O'Brien", 'a"b', "${x}", "a,b|c(d)", "[a]{b}\\", "李 雷"])
def test_quotes_and_brackets_are_only_text(alice: APIClient, name: str) -> None:
    answer = alice.post("/api/v1/conferences/", {"title": name, "people": [person(name=name)]})

    assert answer.status_code == 201, answer.json()
    assert Participant.objects.get().name == Conference.objects.get().title == name


def test_nobody(alice: APIClient) -> None:
    assert wrong(alice, people=[]) == {"people": "no_people"}
    assert wrong(alice) == {"people": "no_people"}


def test_five_thousand(alice: APIClient) -> None:
    assert wrong(alice, people=[person()] * 5000) == {"people": "max_length"}


def test_more_than_the_plan_takes(alice: APIClient) -> None:
    assert wrong(alice, max_participants=2, people=[person()] * 3) == {"people": "too_many_people"}


def test_more_than_the_organisation_takes(as_user: AsUser) -> None:
    make_node()
    user = make_user("bob", unit=make_unit(parent=make_unit(max_participants=2)))
    for number in ("1", "2", "3"):
        make_extension(f"800{number}")
    people = [person(numbers=[{"number": f"800{number}"}]) for number in (1, 2, 3)]

    assert wrong(as_user(user), people=people) == {"people": "too_many_people"}


def test_the_same_number_or_user_twice_but_names_may_repeat(alice: APIClient) -> None:
    user = str(make_user("dave").pk)
    assert wrong(alice, people=[person(), person()]) == {"people.1.numbers.0": "duplicate"}
    assert wrong(alice, people=[person(numbers=[{"number": "8001"}, {"number": "8001"}])]) == {
        "people.0.numbers.0": "duplicate",
        "people.0.numbers.1": "duplicate",
    }
    twice = [person(user=user), person(user=user, numbers=[{"number": "8002"}])]
    assert wrong(alice, people=twice) == {"people.1.user": "duplicate"}

    answer = alice.post(
        "/api/v1/conferences/", {"title": "T", "people": [person(), person(numbers=[{"number": "8002"}])]}
    )
    assert answer.status_code == 201


def test_outside_numbers_without_the_right(as_user: AsUser) -> None:
    make_node()
    user = make_user("bob", unit=make_unit(may_dial_outside=False))
    people = [person(numbers=[{"number": "13800138000"}, {"number": "+86 10 6234 5678"}])]

    assert wrong(as_user(user), people=people) == {
        "people.0.numbers.0": "outside_not_allowed",
        "people.0.numbers.1": "outside_not_allowed",
    }


def test_a_plan_whose_extension_was_switched_off_since(alice: APIClient) -> None:
    plan = make_plan(User.objects.get(username="alice"))
    add_person(plan, numbers=[{"kind": "extension", "number": "8765"}])

    assert wrong(alice, plan=str(plan.pk)) == {"people.0.numbers.0": "unknown_extension"}


def test_five_numbers_and_unknown_values(alice: APIClient) -> None:
    five = [{"number": f"138001380{n:02}"} for n in range(5)]
    assert wrong(alice, people=[person(numbers=five)]) == {"people.0.numbers": "max_length"}
    assert wrong(alice, people=[person(numbers=[])]) == {"people.0.numbers": "min_length"}
    assert wrong(alice, people=[person(role="king")]) == {"people.0.role": "invalid_choice"}
    assert wrong(alice, people=[person()], floor_mode="chaos") == {"floor_mode": "invalid_choice"}
    assert wrong(alice, people=[person()], quorum_percent=101) == {"quorum_percent": "max_value"}
    assert wrong(alice, people=[person(user=str(uuid4()))]) == {"people.0.user": "unknown_user"}


def test_nobody_makes_another_owner(alice: APIClient) -> None:
    assert wrong(alice, people=[person(role="owner")]) == {"people.0.role": "equal_or_higher_role"}


def test_launching_twice(alice: APIClient) -> None:
    plan = make_plan(User.objects.get(username="alice"), people=2)
    first = alice.post("/api/v1/conferences/", {"plan": str(plan.pk)})
    again = alice.post("/api/v1/conferences/", {"plan": str(plan.pk)})

    assert first.status_code == 201
    assert (again.status_code, again.json()["code"]) == (409, "plan_is_running")
    assert again.json()["conference"] == first.json()["id"]
    assert Conference.objects.count() == 1


def test_deleting_a_plan_that_runs(alice: APIClient) -> None:
    plan = make_plan(User.objects.get(username="alice"), people=1)
    running = alice.post("/api/v1/conferences/", {"plan": str(plan.pk)}).json()["id"]

    refused = alice.delete(f"/api/v1/plans/{plan.pk}/")
    assert (refused.status_code, refused.json()["code"], refused.json()["conference"]) == (
        409,
        "plan_is_running",
        running,
    )

    assert alice.post(f"/api/v1/conferences/{running}/end/").status_code == 200
    assert alice.delete(f"/api/v1/plans/{plan.pk}/").status_code == 204
    assert not Plan.objects.exists()


def test_no_switch(as_user: AsUser) -> None:
    make_extension("8001")
    make_node(enabled=False)
    answer = as_user(make_user("alice")).post("/api/v1/conferences/", {"title": "T", "people": [person()]})

    assert (answer.status_code, answer.json()["code"]) == (503, "no_node")
    assert not Conference.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_no_action_on_an_ended_conference(as_user: AsUser, settings: LazySettings, tmp_path: Path, action: str) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    scene = make_scene()
    given = matrix.body(scene, "owner", action, "member" if action in ON_PERSON else "")
    Conference.objects.update(phase="ended")
    before = [Participant.objects.values().get(pk=each.pk) for each in scene.others.values()]

    answer = as_user(scene.users["owner"]).post(f"/api/v1/conferences/{scene.conference.pk}/{action}/", given)

    assert (answer.status_code, answer.json()["code"]) == (409, "conference_ended")
    assert [Participant.objects.values().get(pk=each.pk) for each in scene.others.values()] == before
    assert not AuditEntry.objects.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("action", [*ON_PERSON, "whisper_soft", "whisper_close"])
def test_what_belongs_to_another_conference(as_user: AsUser, action: str) -> None:
    """The owner of one conference names people and whispers of another, where they have every right too."""
    scene = make_scene()
    owner = scene.users["owner"]
    given = matrix.body(scene, "owner", action, "member" if action in ON_PERSON else "")
    elsewhere = make_conference(owner, floor_mode=MODES.get(action, "free"))

    answer = as_user(owner).post(f"/api/v1/conferences/{elsewhere.pk}/{action.split()[0]}/", given)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.json()
    assert not AuditEntry.objects.exists()


def test_people_and_whispers_of_another_conference(alice: APIClient) -> None:
    user = User.objects.get(username="alice")
    here, there = make_conference(user), make_conference(user)
    stranger = add_participant(there)
    for action, body in [
        ("mute", {"participants": [str(stranger.pk)]}),
        ("rename", {"participant": str(stranger.pk), "name": "X"}),
        ("announce", {"participant": str(stranger.pk), "text": "hello"}),
        ("whisper_open", {"participants": [str(stranger.pk)]}),
        ("whisper_close", {"whisper": str(uuid4())}),
    ]:
        answer = alice.post(f"/api/v1/conferences/{here.pk}/{action}/", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), action
    assert here.whispers.count() == 0


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("mute", {}, "participants"),
        ("mute", {"participants": "everybody"}, "participants"),
        ("mute", {"participants": []}, "participants"),
        ("mute", {"participants": [7]}, "participants"),
        ("volume", {"participants": "all", "level": 5}, "level"),
        ("extend", {"minutes": 0}, "minutes"),
        ("floor", {"mode": "chaos"}, "mode"),
        ("announce", {"text": "a\nb"}, "text"),
        ("announce", {"text": "x" * 501}, "text"),
        ("announce", {"text": "hi", "language": "fr"}, "language"),
        ("whisper_open", {"participants": "all", "title": "a\x07"}, "title"),
        ("rename", {"participant": str(uuid4()), "name": "a\x00"}, "name"),
        ("invite", {"people": [{"numbers": [{"number": "8001"}]}]}, "people.0.name"),
        ("role", {"participants": "all", "role": "owner"}, "role"),
    ],
)
def test_a_body_that_an_action_does_not_take(alice: APIClient, action: str, body: dict[str, Any], field: str) -> None:
    conference = make_conference(User.objects.get(username="alice"))
    answer = alice.post(f"/api/v1/conferences/{conference.pk}/{action}/", body).json()

    assert (answer["status"], answer["code"]) == (400, "invalid"), answer
    assert [error["field"] for error in answer["errors"]] == [field]


def test_what_is_no_json(alice: APIClient) -> None:
    for data, kind, code in [
        ("{", "application/json", "malformed"),
        ("[1]", "application/json", "invalid"),
        ("a=b", "text/plain", "unsupported_media_type"),
    ]:
        answer = alice.post("/api/v1/plans/", data, content_type=kind)
        assert answer.json()["code"] == code
        assert answer["Content-Type"] == "application/problem+json"


def test_an_address_that_nothing_answers(alice: APIClient) -> None:
    answer = alice.get("/api/v1/nothing/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_problems_speak_the_readers_language(alice: APIClient, settings: LazySettings) -> None:
    chinese = alice.get("/api/v1/plans/" + str(uuid4()) + "/", headers={"accept-language": "zh-hans"}).json()
    english = alice.get("/api/v1/plans/" + str(uuid4()) + "/", headers={"accept-language": "en"}).json()

    assert chinese["code"] == english["code"] == "not_found"
    assert english["title"] == "There is no such thing"
    assert chinese["title"] != english["title"]
