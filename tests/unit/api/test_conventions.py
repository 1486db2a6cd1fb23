"""Sign-in, idempotency, revisions, lists, query counts and the schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts import sign_in
from apps.accounts.models import User
from apps.accounts.policy import policy_of
from apps.conferences.models import Conference, Participant, Plan
from apps.conferences.services.actions import ACTIONS
from apps.core.api.idempotency import forget_old_answers
from apps.core.models import AuditEntry, IdempotencyRecord
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

AsUser = Callable[[User], APIClient]


def key(value: str) -> dict[str, str]:
    return {"idempotency-key": value}


@pytest.mark.django_db
class TestSession:
    def test_sign_in_and_out(self) -> None:
        alice = make_user("alice", unit=make_unit(may_dial_outside=False))
        client = APIClient(enforce_csrf_checks=True)
        nobody = client.get("/api/v1/session/").json()
        assert (nobody["user"], nobody["abilities"]) == (None, [])
        body = {"username": "alice", "password": "secret"}
        assert client.post("/api/v1/session/", body).json()["code"] == "csrf_failed"
        answer = client.post("/api/v1/session/", body, headers={"x-csrftoken": nobody["csrf"]})
        assert answer.status_code == 200
        assert answer.json()["user"]["display_name"] == "Alice"
        assert answer.json()["abilities"] == ["create_plan", "record"]
        assert AuditEntry.objects.get(action="sign_in").actor_id == alice.pk
        assert client.delete("/api/v1/session/", headers={"x-csrftoken": answer.json()["csrf"]}).status_code == 204
        assert client.get("/api/v1/plans/").json()["code"] == "not_signed_in"

    def test_every_failure_looks_alike(self) -> None:
        make_user("alice")
        make_user("bob", is_active=False)
        answers = [
            APIClient().post("/api/v1/session/", {"username": name, "password": password}).json()
            for name, password in (("alice", "wrong"), ("bob", "secret"), ("nobody", "secret"))
        ]
        assert [each["code"] for each in answers] == ["sign_in_failed"] * 3
        assert answers[0] == answers[1] == answers[2]

    def test_guessing_is_braked(self) -> None:
        make_user("alice")
        client = APIClient()
        for _ in range(sign_in.MOST_FAILURES["pair"]):
            assert client.post("/api/v1/session/", {"username": "alice", "password": "x"}).status_code == 401
        answer = client.post("/api/v1/session/", {"username": "ALICE", "password": "secret"})
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert int(answer["Retry-After"]) > 0
        elsewhere = client.post("/api/v1/session/", {"username": "alice", "password": "secret"}, REMOTE_ADDR="10.0.0.9")
        assert elsewhere.status_code == 200
        assert get_user(client).is_authenticated


@pytest.mark.django_db
class TestIdempotency:
    def test_a_repeat_gets_the_first_answer(self, as_user: AsUser) -> None:
        client = as_user(make_user("alice"))
        first = client.post("/api/v1/plans/", {"title": "T"}, headers=key("one"))
        again = client.post("/api/v1/plans/", {"title": "T"}, headers=key("one"))
        assert again.json() == first.json()
        assert (first.status_code, again.status_code, again["Idempotent-Replayed"]) == (201, 201, "true")
        assert Plan.objects.count() == 1

    def test_refusals_are_answers_too(self, as_user: AsUser) -> None:
        client = as_user(make_user("alice"))
        answers = [client.post("/api/v1/plans/", {}, headers=key("one")) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert answers[1]["Content-Type"] == "application/problem+json"

    def test_keys_are_per_person_and_per_request(self, as_user: AsUser) -> None:
        alice, bob = as_user(make_user("alice")), as_user(make_user("bob"))
        alice.post("/api/v1/plans/", {"title": "T"}, headers=key("one"))
        assert bob.post("/api/v1/plans/", {"title": "T"}, headers=key("one")).status_code == 201
        assert (
            alice.post("/api/v1/plans/", {"title": "U"}, headers=key("one")).json()["code"] == "idempotency_key_reused"
        )
        assert alice.post("/api/v1/plans/", {"title": "U"}, headers=key("x" * 129)).json()["code"] == "invalid"
        assert Plan.objects.count() == 2

    def test_errors_of_ours_are_not_kept(self, as_user: AsUser) -> None:
        make_extension("8001")
        client = as_user(make_user("alice"))
        body = {"title": "T", "people": [{"name": "A", "numbers": [{"number": "8001"}]}]}
        assert client.post("/api/v1/conferences/", body, headers=key("one")).status_code == 503
        make_node()
        assert client.post("/api/v1/conferences/", body, headers=key("one")).status_code == 201

    def test_old_answers_are_forgotten(self, as_user: AsUser) -> None:
        client = as_user(make_user("alice"))
        client.post("/api/v1/plans/", {"title": "T"}, headers=key("one"))
        assert forget_old_answers() == 0
        with connection.cursor() as cursor:
            cursor.execute("UPDATE core_idempotencyrecord SET created_at = now() - interval '25 hours'")
        assert forget_old_answers() == 1
        assert not IdempotencyRecord.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_time_does_it_once(as_user: AsUser) -> None:
    alice = make_user("alice")

    def post(_: int) -> tuple[int, str]:
        try:
            answer = as_user(alice).post("/api/v1/plans/", {"title": "T"}, headers=key("one"))
            return answer.status_code, answer.json().get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(post, range(8)))
    assert answers <= {(201, ""), (409, "request_in_progress")}
    assert Plan.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_plan_launched_at_the_same_time_runs_once(as_user: AsUser) -> None:
    alice = make_user("alice")
    make_node()
    plan = make_plan(alice, people=3)

    def post(_: int) -> tuple[int, str]:
        try:
            answer = as_user(alice).post("/api/v1/conferences/", {"plan": str(plan.pk)})
            return answer.status_code, answer.json().get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(post, range(4)))
    assert answers == [(201, ""), *[(409, "plan_is_running")] * 3]
    assert (Conference.objects.count(), Participant.objects.count()) == (1, 3)


#: Nobody is signed in yet; the answer must not be kept; somebody else is asked, or much is read.
WITHOUT_KEY = {
    "conferences_join",
    "conferences_renew_pins",
    "guests_enter",
    "minutes_sign",
    "minutes_summarise",
    "phones_link",
    "phones_password",
    "plans_renew_pins",
    "session_sign_in",
}


@pytest.mark.django_db
def test_every_post_takes_a_key_and_every_list_has_cursors(
    as_user: AsUser, settings: LazySettings, tmp_path: Path
) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    scene = make_scene()
    client = as_user(scene.users["owner"])
    ids = {
        "{conference_id}": scene.conference.pk,
        "{id}": make_plan(scene.users["owner"]).pk,
        "{passage_id}": uuid4(),
    }
    paths = client.get("/api/v1/schema/?format=json").json()["paths"]
    posts, lists = 0, 0
    for path, operations in paths.items():
        address = path
        for name, value in ids.items():
            address = address.replace(name, str(value))
        if "post" in operations and operations["post"]["operationId"] not in WITHOUT_KEY:
            headers = key(f"post-{posts}")
            first, again = (client.post(address, {"text": "hello"}, headers=headers) for _ in range(2))
            assert again["Idempotent-Replayed"] == "true", path
            assert (again.status_code, again.json()) == (first.status_code, first.json())
            assert any(each["name"] == "Idempotency-Key" for each in operations["post"]["parameters"])
            posts += 1
        success = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "Paginated" in json.dumps(success):
            assert client.get(address).json().keys() == {"results", "next", "previous"}
            lists += 1
    assert (posts, lists) == (4 + len(ACTIONS) + 1 + 5, 9)


@pytest.mark.django_db
class TestObjects:
    def test_a_plan_is_edited_from_its_revision(self, as_user: AsUser) -> None:
        make_extension("8001")
        client = as_user(make_user("alice"))
        people = [{"name": "张伟", "role": "chair", "numbers": [{"number": "8001"}, {"number": "138 0013 8000"}]}]
        plan = client.post("/api/v1/plans/", {"title": "T", "entry_muted": True, "people": people}).json()
        assert plan["people"][0]["numbers"] == [
            {"kind": "extension", "number": "8001"},
            {"kind": "mobile", "number": "+8613800138000"},
        ]
        address = f"/api/v1/plans/{plan['id']}/"
        edited = client.patch(address, {"revision": 1, "title": "U"}).json()
        assert (edited["title"], edited["revision"], edited["entry_muted"]) == ("U", 2, True)
        assert edited["people"] == plan["people"]
        outdated = client.patch(address, {"revision": 1, "title": "V"})
        assert (outdated.status_code, outdated.json()["code"], outdated.json()["revision"]) == (
            409,
            "revision_outdated",
            2,
        )
        assert client.patch(address, {"title": "V"}).json()["errors"][0]["field"] == "revision"

    def test_launch_with_changes_for_this_run_only(self, as_user: AsUser) -> None:
        alice = make_user("alice")
        make_node()
        plan = make_plan(alice, people=2, quorum_percent=60, entry_muted=True)
        make_extension("8001")
        body = {"plan": str(plan.pk), "title": "Once", "quorum_percent": None, "wait_for_chair": True}
        people = [{"name": "A", "role": "chair", "numbers": [{"number": "8001"}]}]
        run = as_user(alice).post("/api/v1/conferences/", {**body, "people": people}).json()
        assert (run["title"], run["quorum_percent"], run["phase"]) == ("Once", None, "gathering")
        assert (run["role"], "lock" in run["abilities"]) == ("owner", True)
        assert [(each.name, each.muted) for each in Participant.objects.all()] == [("A", False)]
        plan.refresh_from_db()
        assert (plan.title, plan.quorum_percent, plan.people.count()) == ("Weekly", 60, 2)

    def test_the_people_of_a_plan_are_called_as_they_are_stored(self, as_user: AsUser) -> None:
        alice, bob = make_user("alice"), make_user("bob")
        make_node()
        plan = make_plan(alice, entry_muted=True)
        numbers = [{"kind": "mobile", "number": f"+861380013800{digit}"} for digit in (2, 1)]
        add_person(plan, name="\\N 'a' \"b\"\t王", numbers=numbers, position=5)
        add_person(plan, name="Bob", role="chair", user=bob, position=3)
        run = as_user(alice).post("/api/v1/conferences/", {"plan": str(plan.pk)}).json()
        stored = [(each.name, each.role, each.numbers, each.user_id) for each in plan.people.order_by("position")]
        called = Participant.objects.filter(conference=run["id"]).order_by("position")
        assert [(each.name, each.role, each.numbers, each.user_id) for each in called] == stored
        assert [(each.position, each.muted, each.state) for each in called] == [
            (0, False, "queued"),
            (1, True, "queued"),
        ]

    def test_a_thousand_people(self, as_user: AsUser) -> None:
        alice = make_user("alice")
        make_node()
        plan = make_plan(alice, people=1, max_participants=1000)
        person = plan.people.get()
        model = type(person)
        model.objects.bulk_create(
            model(plan=plan, name=f"P{n}", numbers=[{"kind": "mobile", "number": f"+86138{n:08}"}], position=n)
            for n in range(1, 1000)
        )
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert as_user(alice).post("/api/v1/conferences/", {"plan": str(plan.pk)}).status_code == 201
        assert Participant.objects.count() == 1000
        assert len(queries) < 55  # the first launch of a plan also makes PINs

    def test_lists_ask_the_same_few_questions_however_long_they_are(self, as_user: AsUser) -> None:
        scene = make_scene()
        client = as_user(scene.users["owner"])
        addresses = [
            f"/api/v1/conferences/{scene.conference.pk}/participants/",
            "/api/v1/conferences/",
            "/api/v1/plans/",
            "/api/v1/extensions/",
            "/api/v1/users/",
        ]

        def questions() -> list[int]:
            counts = []
            for address in addresses:
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(address).status_code == 200
                counts.append(len(queries))
            return counts

        make_plan(scene.users["owner"], people=1)
        before = questions()
        for number in range(90):
            add_participant(scene.conference, name=f"P{number}")
        for number in range(8):
            make_plan(scene.users["owner"], people=3, managers=(scene.users["manager"],))
            make_conference(scene.users["owner"])
            make_user(f"user{number}", unit=make_unit())
        assert questions() == before
        assert max(before) < 12
        assert len(client.get(addresses[0]).json()["results"]) == 100

    def test_pages_of_participants(self, as_user: AsUser) -> None:
        scene = make_scene()
        client = as_user(scene.users["chair"])
        address: str | None = f"/api/v1/conferences/{scene.conference.pk}/participants/?page_size=4"
        found: list[dict[str, Any]] = []
        while address:
            page = client.get(address).json()
            found += page["results"]
            address = page["next"]
        assert [each["position"] for each in found] == list(range(10))
        by_name = {each["name"]: each for each in found}
        assert "mute" in by_name["Other member"]["abilities"]
        assert "mute" not in by_name["Other manager"]["abilities"]
        assert "raise_hand" in by_name["Carol"]["abilities"]
        one = client.get(f"/api/v1/conferences/{scene.conference.pk}/participants/{by_name['Carol']['id']}/").json()
        assert one == by_name["Carol"]

    def test_filters_and_searches(self, as_user: AsUser) -> None:
        alice = make_user("alice")
        client = as_user(alice)
        running, _ended = make_conference(alice), make_conference(alice, phase="ended")
        found = client.get("/api/v1/conferences/?phase=running&phase=gathering").json()["results"]
        assert [each["id"] for each in found] == [str(running.pk)]
        assert client.get("/api/v1/conferences/?phase=x").status_code == 400
        make_extension("8001", display_name="前台"), make_extension("8102", enabled=False)
        assert [each["number"] for each in client.get("/api/v1/extensions/?q=80").json()["results"]] == ["8001"]
        assert [each["number"] for each in client.get("/api/v1/extensions/?q=前").json()["results"]] == ["8001"]
        assert client.get("/api/v1/extensions/?q=%00").json()["errors"][0]["field"] == "q"
        assert [each["username"] for each in client.get("/api/v1/users/?q=ali").json()["results"]] == ["alice"]

    def test_the_log_of_a_conference(self, as_user: AsUser) -> None:
        scene = make_scene()
        client = as_user(scene.users["chair"])
        client.post(f"/api/v1/conferences/{scene.conference.pk}/lock/")
        entry = client.get(f"/api/v1/conferences/{scene.conference.pk}/log/").json()["results"][0]
        assert (entry["action"], entry["actor_name"]) == ("lock", "Carol")


@pytest.mark.django_db
def test_the_nearest_policy_upwards_decides() -> None:
    company = make_unit(may_record=False)
    division = make_unit(parent=company)
    team = make_unit(parent=division, may_export=True)
    assert not policy_of(division.pk).may_record
    assert policy_of(team.pk).may_record
    assert policy_of(team.pk).may_export
    assert policy_of(None).may_record


def test_the_schema_is_made_without_a_warning() -> None:
    out, err = StringIO(), StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out, stderr=err)
    schema = json.loads(out.getvalue())
    assert "/api/v1/conferences/{conference_id}/mute/" in schema["paths"]
    assert err.getvalue() == ""
