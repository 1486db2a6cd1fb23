"""Who is to be called: reading and checking people, for plans, launches and invitations alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.conferences.access import Role, may_assign
from apps.conferences.models import Conference
from apps.core.errors import FieldError, Invalid, Text
from apps.switch.models import Extension
from apps.switch.numbers import InvalidNumber, NumberKind, parse_number

MOST_NUMBERS = 4

NUMBER_ERRORS: Mapping[str, Text] = {
    "empty": _("Give a number."),
    "characters": _("A number has digits, +, brackets, hyphens and spaces only."),
    "extension": _("An extension has 2 to 10 digits."),
    "not_a_number": _(
        "This is no valid telephone number. Write it like 13800138000, 010-62345678, +86 138 0013 8000 or 8001."
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be called, checked. `numbers` as the models store them."""

    name: str
    role: str
    numbers: list[dict[str, str]]
    user: UUID | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the people of one plan or conference must keep to. `owner` and `managers` attend with at least that role."""

    owner: UUID
    managers: frozenset[UUID]
    most: int
    may_dial_outside: bool
    assigner: Role


def enters_muted(conference: Conference, role: str) -> bool:
    """Whether somebody of this role enters muted: the option is for those below chair."""
    return conference.entry_muted and Role.of(role) < Role.CHAIR


def read_people(
    given: Sequence[Mapping[str, Any]], limits: Limits, *, kept: Mapping[UUID, str] | None = None, path: str = "people"
) -> list[Person]:
    """People as the API's serializer leaves them, checked together.

    `kept` are the roles of people (by id) who are there already: an assigner may leave a role above their own as it
    is. Raises Invalid with errors at `path`…: what cannot be dialled, is not allowed, or comes twice. Names may repeat.
    """
    if len(given) > limits.most:
        raise Invalid(errors=[_too_many(limits.most)])
    errors: list[FieldError] = []
    people = [_read(f"{path}.{index}", each, limits, kept or {}, errors) for index, each in enumerate(given)]
    errors += _unknown(people, path) + _twice(people, path)
    if errors:
        raise Invalid(errors=errors)
    return people


def check_stored(people: Sequence[Person], limits: Limits) -> None:
    """What may have become wrong since people were stored: extensions, rights, size. Raises Invalid."""
    if not people:
        raise Invalid(errors=[FieldError("people", "no_people", _("Add at least one person."))])
    if len(people) > limits.most:
        raise Invalid(errors=[_too_many(limits.most)])
    errors = [
        _outside(f"people.{index}.numbers.{place}")
        for index, person in enumerate(people if not limits.may_dial_outside else ())
        for place, number in enumerate(person.numbers)
        if number["kind"] != NumberKind.EXTENSION
    ]
    errors += _unknown(people, "people") + _twice(people, "people")
    if errors:
        raise Invalid(errors=errors)


def _read(
    path: str, given: Mapping[str, Any], limits: Limits, kept: Mapping[UUID, str], errors: list[FieldError]
) -> Person:
    numbers = []
    for place, each in enumerate(given["numbers"]):
        where = f"{path}.numbers.{place}"
        try:
            kind = each.get("kind")
            number = parse_number(each["number"], NumberKind(kind) if kind else None)
        except InvalidNumber as error:
            errors.append(FieldError(where, f"number_{error.code}", NUMBER_ERRORS[error.code]))
            continue
        if kind and number.kind != kind:
            errors.append(FieldError(where, "number_kind", _("This number is of another kind; leave the kind out.")))
        if number.kind is not NumberKind.EXTENSION and not limits.may_dial_outside:
            errors.append(_outside(where))
        numbers.append({"kind": number.kind.value, "number": number.value})
    user: UUID | None = given.get("user")
    role = _role(path, given, user, limits, kept, errors)
    return Person(name=given["name"], role=role, numbers=numbers, user=user, id=given.get("id"))


def _role(
    path: str,
    given: Mapping[str, Any],
    user: UUID | None,
    limits: Limits,
    kept: Mapping[UUID, str],
    errors: list[FieldError],
) -> str:
    """Owner and managers are that in person too, whatever was written; other roles must be below the assigner's."""
    if user is not None and user == limits.owner:
        return Role.OWNER.label
    if user is not None and user in limits.managers:
        return Role.MANAGER.label
    role: str = given.get("role", Role.PARTICIPANT.label)
    if role != kept.get(given.get("id") or UUID(int=0)) and not may_assign(limits.assigner, Role.of(role)):
        errors.append(FieldError(f"{path}.role", "equal_or_higher_role", _("Choose a role below your own.")))
    return role


def _too_many(most: int) -> FieldError:
    return FieldError("people", "too_many_people", _("There may be at most %(most)d people.") % {"most": most})


def _outside(field: str) -> FieldError:
    return FieldError(
        field, "outside_not_allowed", _("Your organisation allows extensions only; give an internal number.")
    )


def _unknown(people: Sequence[Person], path: str) -> list[FieldError]:
    """Extensions and users that do not exist."""
    extensions = {each["number"] for person in people for each in person.numbers if each["kind"] == "extension"}
    users = {person.user for person in people if person.user}
    known = set(Extension.objects.filter(number__in=extensions, enabled=True).values_list("number", flat=True))
    alive = set(User.objects.filter(pk__in=users, is_active=True).values_list("pk", flat=True)) if users else set()
    errors = [
        FieldError(f"{path}.{index}.numbers.{place}", "unknown_extension", _("There is no such extension."))
        for index, person in enumerate(people)
        for place, each in enumerate(person.numbers)
        if each["kind"] == "extension" and each["number"] not in known
    ]
    errors += [
        FieldError(f"{path}.{index}.user", "unknown_user", _("There is no such user."))
        for index, person in enumerate(people)
        if person.user and person.user not in alive
    ]
    return errors


def _twice(people: Sequence[Person], path: str) -> list[FieldError]:
    """The same number or the same user twice; an error names the later of the two."""
    numbers = [each["number"] for person in people for each in person.numbers]
    users = [person.user for person in people if person.user]
    if len({*numbers}) == len(numbers) and len({*users}) == len(users):
        return []
    errors: list[FieldError] = []
    seen: dict[object, int] = {}
    for index, person in enumerate(people):
        marks: list[tuple[str, object]] = [
            (f"{path}.{index}.numbers.{place}", each["number"]) for place, each in enumerate(person.numbers)
        ]
        if person.user:
            marks.append((f"{path}.{index}.user", person.user))
        for field, mark in marks:
            first = seen.setdefault(mark, index)
            if first != index or sum(1 for _, other in marks if other == mark) > 1:
                errors.append(
                    FieldError(
                        field,
                        "duplicate",
                        _("The same as that of person %(position)d; everybody is called once.")
                        % {"position": first + 1},
                    )
                )
    return errors
