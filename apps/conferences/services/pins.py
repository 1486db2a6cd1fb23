"""Numbers and PINs for dialling in: made, looked up, renewed.

A PIN is kept sealed, to be shown, and beside it a key, to be found by: an HMAC under SECRET_KEY over the way to dial in
and the PIN. A person of a plan and the participant that a launch made of them have the same key, which is also what
ties the two together.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.conferences.access import Role
from apps.conferences.models import Conference, DialIn, Participant, PersonalPin, PlanPerson

NUMBER_LENGTH = 8
ROLE_PIN_LENGTH = 6
PERSONAL_PIN_LENGTH = 8
"""Longer than those of roles: in a large conference many are right."""

ROLES = (Role.CHAIR, Role.MEMBER, Role.PARTICIPANT)
"""Those that have a PIN."""

_SALT = "apps.conferences.pins"


def of_plan(plan_id: UUID) -> DialIn:
    """How a plan's conferences are dialled into. Made when it is first asked for, as is a PIN for each of its people
    who has none: before, nobody could know it.
    """
    dial_in = _find_or_make(plan_id=plan_id)
    _complete(dial_in, PlanPerson, "plan_id", plan_id)
    return dial_in


def of_conference(conference: Conference) -> DialIn:
    """The same of a conference: its plan's where it has one. Who came without being on the list has no PIN."""
    if conference.plan_id is not None:
        dial_in = _find_or_make(plan_id=conference.plan_id)
    else:
        dial_in = _find_or_make(conference_id=conference.pk)
    _complete(dial_in, Participant, "conference_id", conference.pk, guest=False)
    return dial_in


def personal_pins(dial_in: DialIn, keys: Iterable[str]) -> dict[str, str]:
    """PINs by their keys."""
    return dict(dial_in.personal_pins.filter(key__in=keys).values_list("key", "pin"))


def role_pins(dial_in: DialIn) -> dict[Role, str]:
    return {role: getattr(dial_in, f"{role.label}_pin") for role in ROLES}


def role_of_pin(dial_in: DialIn, pin: str) -> Role | None:
    found = [role for role, known in role_pins(dial_in).items() if constant_time_compare(known, pin)]
    return found[0] if found else None


def keys_of_pin(dial_in: DialIn, pin: str) -> list[str]:
    """What a PIN is found by; several while SECRET_KEY is being changed."""
    return [_key(dial_in, pin, secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def renew_roles(dial_in: DialIn, roles: Iterable[Role]) -> None:
    """New PINs for these roles; those of before lead nowhere any more. In a transaction."""
    dial_in = _lock(dial_in)
    fields = [f"{role.label}_pin" for role in roles]
    taken = set(role_pins(dial_in).values())
    for field in fields:
        setattr(dial_in, field, _unlike(taken, ROLE_PIN_LENGTH))
    dial_in.save(update_fields=fields)


def renew_people(dial_in: DialIn, people: Iterable[PlanPerson | Participant]) -> None:
    """New PINs for these people, in the plan and in what runs of it. In a transaction."""
    _lock(dial_in)
    for person in people:
        [key] = _make(dial_in, 1)
        of_plan = PlanPerson.objects.filter(plan=dial_in.plan_id, pin_key=person.pin_key)
        in_run = Participant.objects.filter(conference__in=_conferences(dial_in), pin_key=person.pin_key)
        of_plan.update(pin_key=key)
        in_run.update(pin_key=key)
        dial_in.personal_pins.filter(key=person.pin_key).delete()


def _find_or_make(**of: UUID) -> DialIn:
    found = DialIn.objects.filter(**of).first()
    if found is not None:
        return found
    taken: set[str] = set()
    pins = {f"{role.label}_pin": _unlike(taken, ROLE_PIN_LENGTH) for role in ROLES}
    while True:
        # Never in sequence, and never again: a number that somebody has noted leads nowhere else.
        number = f"{secrets.choice('123456789')}{secrets.randbelow(10 ** (NUMBER_LENGTH - 1)):0{NUMBER_LENGTH - 1}}"
        if not DialIn.objects.filter(number=number).exists():
            return DialIn.objects.get_or_create(**of, defaults={"number": number, **pins})[0]


def _complete(dial_in: DialIn, model: type[PlanPerson | Participant], owner: str, key: UUID, **more: bool) -> None:
    """A PIN for each person who has none."""
    without = model._default_manager.filter(**{owner: key}, pin_key="", **more).values_list("pk", flat=True)
    if not without.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(dial_in)  # two who look at the same time see the same
        people = list(without)
        cursor.execute(
            f"UPDATE {model._meta.db_table} t SET pin_key = new.key"  # noqa: S608 - a name of ours
            " FROM unnest(%s::uuid[], %s::text[]) AS new (id, key) WHERE t.id = new.id",
            [people, _make(dial_in, len(people))],
        )


def _lock(dial_in: DialIn) -> DialIn:
    return DialIn.objects.select_for_update().get(pk=dial_in.pk)


def _conferences(dial_in: DialIn) -> QuerySet[Conference]:
    """Those that can still be dialled into."""
    if dial_in.plan_id is None:
        return Conference.objects.filter(own_dial_in=dial_in)
    return Conference.objects.filter(plan=dial_in.plan_id, settled_at=None)


def _make(dial_in: DialIn, count: int) -> list[str]:
    """The keys of so many new PINs. The way in is locked."""
    taken = set(dial_in.personal_pins.values_list("key", flat=True))
    fresh: dict[str, str] = {}
    while len(fresh) < count:
        pin = f"{secrets.randbelow(10**PERSONAL_PIN_LENGTH):0{PERSONAL_PIN_LENGTH}}"
        key, *older = keys_of_pin(dial_in, pin)
        if taken.isdisjoint([key, *older]):
            taken.add(key)
            fresh[key] = pin
    PersonalPin.objects.bulk_create([PersonalPin(dial_in=dial_in, key=key, pin=pin) for key, pin in fresh.items()])
    return list(fresh)


def _unlike(taken: set[str], length: int) -> str:
    """Digits that are not among `taken`, and are then."""
    while True:
        pin = f"{secrets.randbelow(10**length):0{length}}"
        if pin not in taken:
            taken.add(pin)
            return pin


def _key(dial_in: DialIn, pin: str, secret: str | bytes) -> str:
    return salted_hmac(_SALT, f"{dial_in.pk}:{pin}", secret=secret, algorithm="sha256").hexdigest()[:32]
