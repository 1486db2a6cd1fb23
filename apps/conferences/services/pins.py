"""Numbers and PINs for dialling in: made, looked up, renewed.

A PIN is kept sealed, to be shown, and beside it a key, to be found by: an HMAC under SECRET_KEY over the way to dial in
and the PIN. A person of a plan and the participant that a launch made of them have the same of both, so that the key is
also what ties the two together.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.conferences.access import Role
from apps.conferences.models import Conference, DialIn, Participant, PlanPerson

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


def sealed(plan_id: UUID) -> dict[UUID, tuple[str, str]]:
    """The PINs of a plan's people as the database has them, with their keys: to be copied without being opened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, pin, pin_key FROM conferences_planperson WHERE plan_id = %s AND pin_key <> ''", [plan_id]
        )
        return {key: (pin, pin_key) for key, pin, pin_key in cursor.fetchall()}


def put_back(pins: Mapping[UUID, tuple[str, str]]) -> None:
    """Give people of a plan, who were stored anew, what `sealed` told of them before."""
    _write(PlanPerson, pins)


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
    taken = _keys(dial_in)
    for person in people:
        pin, key = _fresh(dial_in, taken)
        same = {"pin": pin, "pin_key": key}
        type(person)._default_manager.filter(pk=person.pk).update(**same)
        if not person.pin_key or dial_in.plan_id is None:
            continue
        PlanPerson.objects.filter(plan=dial_in.plan_id, pin_key=person.pin_key).update(**same)
        running = Conference.objects.filter(plan=dial_in.plan_id, settled_at=None).values("pk")
        Participant.objects.filter(conference__in=running, pin_key=person.pin_key).update(**same)


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
    seal = model._meta.get_field("pin").get_prep_value
    with transaction.atomic():
        _lock(dial_in)  # two who look at the same time see the same
        taken = _keys(dial_in)
        fresh = {each: _fresh(dial_in, taken) for each in without}
        _write(model, {each: (seal(pin), pin_key) for each, (pin, pin_key) in fresh.items()})


def _lock(dial_in: DialIn) -> DialIn:
    return DialIn.objects.select_for_update().get(pk=dial_in.pk)


def _write(model: type[PlanPerson | Participant], pins: Mapping[UUID, tuple[str, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} t SET pin = new.pin, pin_key = new.pin_key"  # noqa: S608 - a name of ours
            " FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS new (id, pin, pin_key) WHERE t.id = new.id",
            [list(pins), [pin for pin, _ in pins.values()], [pin_key for _, pin_key in pins.values()]],
        )


def _keys(dial_in: DialIn) -> set[str]:
    """Of all PINs that people have: those of the plan, and of what runs of it or stands alone."""
    people = PlanPerson.objects.filter(plan=dial_in.plan_id).values_list("pin_key", flat=True)
    if dial_in.conference_id is not None:
        conferences = Conference.objects.filter(pk=dial_in.conference_id)
    else:
        conferences = Conference.objects.filter(plan=dial_in.plan_id, settled_at=None)
    participants = Participant.objects.filter(conference__in=conferences.values("pk"))
    return {*people, *participants.values_list("pin_key", flat=True)}


def _fresh(dial_in: DialIn, taken: set[str]) -> tuple[str, str]:
    """A PIN and its key, which is among `taken` from now on."""
    while True:
        pin = f"{secrets.randbelow(10**PERSONAL_PIN_LENGTH):0{PERSONAL_PIN_LENGTH}}"
        keys = keys_of_pin(dial_in, pin)
        if taken.isdisjoint(keys):
            taken.add(keys[0])
            return pin, keys[0]


def _unlike(taken: set[str], length: int) -> str:
    """Digits that are not among `taken`, and are then."""
    while True:
        pin = f"{secrets.randbelow(10**length):0{length}}"
        if pin not in taken:
            taken.add(pin)
            return pin


def _key(dial_in: DialIn, pin: str, secret: str | bytes) -> str:
    return salted_hmac(_SALT, f"{dial_in.pk}:{pin}", secret=secret, algorithm="sha256").hexdigest()[:32]
