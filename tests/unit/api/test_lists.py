"""Lists, which PostgreSQL writes: what they say of each object is what the serializers say of it alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Participant, Plan
from tests.factories import add_participant, add_person, make_conference, make_plan, make_unit, make_user

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]

#: Signs that JSON and SQL have uses of their own for.
TITLE = "例会 \"%s\" {0} \\ 'x'"


def listed_and_alone(client: APIClient, kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    found = client.get(f"/api/v1/{kind}/").json()["results"]
    return [(each, client.get(f"/api/v1/{kind}/{each['id']}/").json()) for each in found]


def test_plans(as_user: AsUser) -> None:
    unit = make_unit(member_may_copy_plan=False)
    alice, bob, carol = make_user("alice", unit=unit), make_user("bob"), make_user("carol")
    strict = make_plan(alice, people=2, managers=(carol, bob), title=TITLE, agenda="1\n2", quorum_percent=50)
    add_person(strict, user=carol, role="member")
    make_conference(alice, plan=strict)
    make_conference(alice, plan=make_plan(bob, managers=(alice,)), phase="ended")
    lax = make_plan(bob, member_may_copy_plan=True)
    for user in (alice, carol):
        add_person(lax, user=user, role="member")
    Plan.objects.filter(pk=lax.pk).update(created_at=datetime(2026, 1, 2, tzinfo=UTC))
    make_plan(make_user("stranger"))

    for user, count in ((alice, 3), (bob, 3), (carol, 2)):
        pairs = listed_and_alone(as_user(user), "plans")
        assert len(pairs) == count
        for listed, alone in pairs:
            del alone["people"]
            assert listed == alone


def test_conferences(as_user: AsUser) -> None:
    alice, bob = make_user("alice", unit=make_unit()), make_user("bob")
    run = make_conference(alice, plan=make_plan(alice), title=TITLE, expected_at=None)
    run.called = add_participant(run, user=bob, role="member")
    run.save()
    make_conference(bob, managers=(alice,), phase="ended", member_may_invite=True)
    make_conference(make_user("stranger"))

    for user in (alice, bob):
        pairs = listed_and_alone(as_user(user), "conferences")
        assert len(pairs) == 2
        for listed, alone in pairs:
            assert listed == alone


def walked(client: APIClient, address: str | None, way: str) -> list[str]:
    """The ids on this page and on those that follow it one way, "next" or "previous"; from the first one on."""
    found: list[str] = []
    while address:
        page = client.get(address).json()
        ids = [each["id"] for each in page["results"]]
        found = [*found, *ids] if way == "next" else [*ids, *found]
        address = page[way]
    return found


def test_pages_there_and_back(as_user: AsUser) -> None:
    """Many plans changed at the same moment, which cursors must bear."""
    alice = make_user("alice")
    client = as_user(alice)
    plans = Plan.objects.bulk_create(Plan(owner=alice, title=f"{number}") for number in range(120))
    for number, plan in enumerate(plans):
        Plan.objects.filter(pk=plan.pk).update(updated_at=datetime(2026, 1, 1 + number // 3 % 9, tzinfo=UTC))
    run = make_conference(alice)
    Participant.objects.bulk_create(Participant(conference=run, name="P", position=n // 2) for n in range(25))

    for address, objects, order in (
        ("/api/v1/plans/", Plan.objects.all(), ("-updated_at", "-id")),
        (f"/api/v1/conferences/{run.pk}/participants/?page_size=7", run.participants.all(), ("position", "id")),
    ):
        expected = [str(key) for key in objects.order_by(*order).values_list("pk", flat=True)]
        assert walked(client, address, "next") == expected
        last = address
        while following := client.get(last).json()["next"]:
            last = following
        assert walked(client, last, "previous") == expected


def test_what_is_looked_for_in_titles_is_text(as_user: AsUser) -> None:
    alice = make_user("alice")
    for title in (TITLE, "Élan", "nothing"):
        make_plan(alice, title=title)
    make_plan(make_user("bob"), title="Élan")
    for text, found in (("%s", TITLE), ("élAN", "Élan"), ("_", None), ("%", TITLE), ("\\", TITLE)):
        titles = [each["title"] for each in as_user(alice).get("/api/v1/plans/", {"q": text}).json()["results"]]
        assert titles == ([found] if found else []), text


def test_conferences_of_a_plan_and_phase(as_user: AsUser) -> None:
    alice = make_user("alice")
    plan = make_plan(alice)
    ended = make_conference(alice, plan=plan, phase="ended")
    running = make_conference(alice, plan=plan)
    make_conference(alice, phase="gathering")
    make_conference(make_user("bob"), plan=plan, phase="ended")
    for query, expected in (
        (f"plan={plan.pk}", {ended.pk, running.pk}),
        (f"plan={plan.pk}&phase=ended", {ended.pk}),
        (f"plan={plan.pk}&phase=ended&phase=running", {ended.pk, running.pk}),
        (f"plan={alice.pk}", set()),
    ):
        found = as_user(alice).get(f"/api/v1/conferences/?{query}").json()["results"]
        assert {each["id"] for each in found} == {str(key) for key in expected}, query
