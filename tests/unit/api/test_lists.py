"""Lists, which PostgreSQL writes, say of each object what the serializers say of it alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Plan
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
