"""What to tell those who are to dial in: the numbers to call, the conference's own, and PINs; and new PINs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.conferences.access import Decision, Role, may_renew_pin, may_see_pin
from apps.conferences.actors import Actor
from apps.conferences.errors import require
from apps.conferences.models import AccessNumber, Conference, DialIn, Participant, Plan, PlanPerson
from apps.core import audit
from apps.core.errors import NotFound

from . import pins

Dialled = Plan | Conference
"""What is dialled into."""


@dataclass(frozen=True, slots=True)
class PinOf:
    """A PIN that the actor may see: of a role, or of a person (`id`, `name`)."""

    role: str
    pin: str
    renewable: bool
    id: UUID | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    number: str
    access_numbers: Sequence[AccessNumber]
    roles: list[PinOf]
    people: list[PinOf]


def sheet(actor: Actor, on: Dialled) -> Sheet:
    """As far as this person may see it: the numbers are for everybody who has a part in it."""
    dial_in = _dial_in(on)
    people = [person for person in _people(on) if _may_see(actor, person)]
    told = pins.personal_pins(dial_in, [person.pin_key for person in people])
    return Sheet(
        number=dial_in.number,
        access_numbers=list(AccessNumber.objects.filter(enabled=True)),
        roles=[
            PinOf(role.label, pin, bool(may_renew_pin(actor.role, actor.switches, of=role)))
            for role, pin in pins.role_pins(dial_in).items()
            if may_see_pin(actor.role, actor.switches, of=role)
        ],
        people=[
            PinOf(person.role, told[person.pin_key], bool(_may_renew(actor, person)), person.pk, person.name)
            for person in people
            if person.pin_key in told
        ],
    )


def renew(*, by: audit.By, actor: Actor, on: Dialled, roles: Iterable[str], people: Sequence[UUID]) -> None:
    """New PINs for these roles and people, all or none; those of before lead nowhere any more.

    Raises NotFound for somebody who is not of it or has no PIN, and what says that the actor may not.
    """
    dial_in = _dial_in(on)
    wanted = [Role.of(role) for role in roles]
    with transaction.atomic():
        found = [person for person in _people(on) if person.pk in set(people) and person.pin_key]
        if len(found) != len(set(people)):
            raise NotFound
        for role in wanted:
            require(may_renew_pin(actor.role, actor.switches, of=role))
        for person in found:
            require(_may_renew(actor, person))
        pins.renew_roles(dial_in, wanted)
        pins.renew_people(dial_in, found)
        audit.record(
            by=by,
            action="renew_pins",
            on=on,
            conference_id=on.pk if isinstance(on, Conference) else None,
            detail={"roles": [role.label for role in wanted], "participants": [person.name for person in found]},
        )


def _dial_in(on: Dialled) -> DialIn:
    return pins.of_plan(on.pk) if isinstance(on, Plan) else pins.of_conference(on)


def _people(on: Dialled) -> Iterable[PlanPerson | Participant]:
    return on.people.all() if isinstance(on, Plan) else on.participants.all()


def _may_see(actor: Actor, person: PlanPerson | Participant) -> Decision:
    return may_see_pin(actor.role, actor.switches, of=Role.of(person.role), is_self=_is_self(actor, person))


def _may_renew(actor: Actor, person: PlanPerson | Participant) -> Decision:
    return may_renew_pin(actor.role, actor.switches, of=Role.of(person.role), is_self=_is_self(actor, person))


def _is_self(actor: Actor, person: PlanPerson | Participant) -> bool:
    return person.user_id is not None and person.user_id == actor.user.pk
