"""A cast of people and the things they work with. Everything goes through the database, nothing through the API."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.models import Conference, GuestLink, Participant, Plan, PlanPerson
from apps.conferences.services.guests import token_hash
from apps.switch.models import Extension, Node

_count = itertools.count(1)

#: Who plays which role. Mallory has no part in anything.
CAST = {
    "owner": "alice",
    "manager": "bob",
    "chair": "carol",
    "member": "dave",
    "participant": "erin",
    "outsider": "mallory",
}


def make_user(username: str, **fields: Any) -> User:
    return User.objects.create_user(
        username, "secret", **{"display_name": username.title(), "language": "en", **fields}
    )


def make_unit(name: str = "", parent: OrganisationUnit | None = None, **policy: Any) -> OrganisationUnit:
    """A unit; with `policy` fields it has a policy of its own."""
    unit = OrganisationUnit.objects.create(name=name or f"unit {next(_count)}", parent=parent)
    if policy:
        OrganisationPolicy.objects.create(unit=unit, **policy)
    return unit


def make_node(**fields: Any) -> Node:
    return Node.objects.create(**{"name": f"node-{next(_count)}", "esl_password": "x", "connected": True, **fields})


def make_extension(number: str = "", **fields: Any) -> Extension:
    number = number or str(7000 + next(_count))
    return Extension.objects.create(number=number, **{"display_name": f"phone {number}", **fields})


def on_extension(number: str) -> list[dict[str, str]]:
    return [{"kind": "extension", "number": number}]


def make_plan(owner: User, people: int = 0, managers: tuple[User, ...] = (), **fields: Any) -> Plan:
    """A plan with so many people, each with an extension that exists."""
    plan = Plan.objects.create(owner=owner, **{"title": "Weekly", **fields})
    plan.managers.set(managers)
    for position in range(people):
        add_person(plan, position=position)
    return plan


def add_person(plan: Plan, **fields: Any) -> PlanPerson:
    numbers = fields.pop("numbers", None) or on_extension(make_extension().number)
    fields = {"name": "Somebody", "position": plan.people.count(), **fields}
    return PlanPerson.objects.create(plan=plan, numbers=numbers, **fields)


def make_conference(owner: User, managers: tuple[User, ...] = (), **fields: Any) -> Conference:
    """A running one, without participants."""
    fields = {"title": "Today", "ends_at": timezone.now() + timedelta(hours=2), "started_at": timezone.now(), **fields}
    node = fields.pop("node", None) or Node.objects.first() or make_node()
    conference = Conference.objects.create(owner=owner, node=node, **fields)
    conference.managers.set(managers)
    return conference


def add_participant(conference: Conference, **fields: Any) -> Participant:
    """A connected one."""
    number = fields.pop("number", None) or str(70000 + next(_count))
    fields = {
        "name": "Somebody",
        "position": conference.participants.count(),
        "state": Participant.State.CONNECTED,
        "observed_room": f"c-{conference.pk.hex}",
        "numbers": on_extension(number),
        **fields,
    }
    return Participant.objects.create(conference=conference, **fields)


def make_guest_link(conference: Conference, pin: str = "123456") -> str:
    """The token of a link by which guests may join."""
    token = f"link-{next(_count)}"
    GuestLink.objects.create(conference=conference, token_hash=token_hash(token), token=token, pin=pin)
    Conference.objects.filter(pk=conference.pk).update(guest_link_at=timezone.now(), guests_may_join=True)
    return token


@dataclass(slots=True)
class Scene:
    """A running conference of Alice's, with one person in each role and a second one (`others`) of each to act on."""

    conference: Conference
    users: dict[str, User]
    own: dict[str, Participant]
    others: dict[str, Participant]


def make_scene(**fields: Any) -> Scene:
    users = {role: make_user(name) for role, name in CAST.items()}
    users["owner"].unit = make_unit()
    users["owner"].save()
    conference = make_conference(users["owner"], (users["manager"],), **fields)
    roles = [role for role in CAST if role != "outsider"]
    own = {
        role: add_participant(conference, name=users[role].display_name, role=role, user=users[role]) for role in roles
    }
    others = {role: add_participant(conference, name=f"Other {role}", role=role) for role in roles}
    return Scene(conference, users, own, others)
