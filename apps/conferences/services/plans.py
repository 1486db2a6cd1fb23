"""Plans: create, edit, copy, transfer, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.conferences.access import Action, Role
from apps.conferences.actors import Actor, actor_in_plan
from apps.conferences.errors import MayNotCreate, PlanIsRunning, RevisionOutdated
from apps.conferences.models import Conference, Plan, PlanPerson
from apps.conferences.models.options import OPTION_FIELDS
from apps.core import audit
from apps.core.errors import FieldError, Invalid, NotFound

from .people import Limits, Person, read_people

_TITLE_LENGTH = 120
_NO_SUCH_USER = gettext_lazy("There is no such user, or it is the owner.")


def require_may_create(user: User) -> OrganisationPolicy:
    """The policy of the person's unit. Raises MayNotCreate."""
    policy = policy_of(user.unit_id)
    if not policy.may_create_plans:
        raise MayNotCreate
    return policy


def create_plan(*, by: audit.By, user: User, values: Mapping[str, Any]) -> Plan:
    """Store a plan of `user`'s own. `values` as PlanSerializer leaves them. Raises Invalid and MayNotCreate."""
    policy = require_may_create(user)
    managers = _managers(values.get("managers", []), user)
    with transaction.atomic():
        plan = Plan(owner=user, title=values["title"], agenda=values.get("agenda", ""), **_options(values))
        people = read_people(values.get("people", []), _limits(plan, managers, policy, Role.OWNER))
        plan.save(force_insert=True)
        plan.managers.set(User.objects.filter(pk__in=managers))
        _store_people(plan, people)
        audit.record(by=by, action="create_plan", on=plan)
    return plan


def edit_plan(*, by: audit.By, user: User, plan_id: UUID, revision: int, values: Mapping[str, Any]) -> Plan:
    """Change what `values` names; `people`, if given, replaces all of them. Raises RevisionOutdated, NotAllowed and
    Invalid.
    """
    with transaction.atomic():
        plan, actor = _locked(user, plan_id)
        actor.require(Action.EDIT_PLAN)
        if plan.revision != revision:
            raise RevisionOutdated(revision=plan.revision)
        before = frozenset(plan.managers.values_list("pk", flat=True))
        managers = before
        if "managers" in values:
            managers = frozenset(_managers(values["managers"], plan.owner))
            if managers != before and actor.role is not Role.OWNER:
                raise Invalid(errors=[FieldError("managers", "owner_only", _("Only the owner chooses the managers."))])
            plan.managers.set(User.objects.filter(pk__in=managers))
        for name in ("title", "agenda"):
            setattr(plan, name, values.get(name, getattr(plan, name)))
        for name, value in _options(values).items():
            setattr(plan, name, value)
        stored = list(plan.people.all())
        if "people" in values:
            limits = _limits(plan, managers, policy_of(plan.owner.unit_id), actor.role)
            people = read_people(values["people"], limits, kept={each.pk: each.role for each in stored})
            _leave_superiors(stored, people, actor)
            _store_people(plan, people)
        elif managers != before:
            _follow_managers(stored, before, managers)
        plan.revision += 1
        plan.save()
        audit.record(by=by, action="edit_plan", on=plan, detail={"fields": sorted(values), "revision": plan.revision})
    return plan


def copy_plan(*, by: audit.By, user: User, plan_id: UUID) -> Plan:
    """The caller's own copy, with the same people; nobody but the caller has rights from being owner or manager in
    it.
    """
    require_may_create(user)
    with transaction.atomic():
        plan, actor = _locked(user, plan_id)
        actor.require(Action.COPY_PLAN)
        suffix = _(" (copy)")
        copy = Plan(
            owner=user,
            title=plan.title[: _TITLE_LENGTH - len(suffix)] + suffix,
            agenda=plan.agenda,
            **{name: getattr(plan, name) for name in OPTION_FIELDS},
        )
        copy.save(force_insert=True)
        people = [
            PlanPerson(
                plan=copy,
                name=each.name,
                role=_role_in_copy(each, user),
                # A member may copy, but sees no numbers but their own.
                numbers=each.numbers if actor.may(Action.VIEW_NUMBERS) or each.user_id == user.pk else [],
                user_id=each.user_id,
                position=each.position,
            )
            for each in plan.people.all()
        ]
        PlanPerson.objects.bulk_create([each for each in people if each.numbers])
        audit.record(by=by, action="copy_plan", on=copy, detail={"from": str(plan.pk)})
    return copy


def transfer_plan(*, by: audit.By, user: User, plan_id: UUID, to: UUID) -> Plan:
    """Make somebody else the owner; who was it until now stays as a manager. A run of the plan keeps its own owner.

    Raises Invalid for somebody who cannot own it: unknown, not active, the owner already, or without the right to
    create plans.
    """
    with transaction.atomic():
        plan, actor = _locked(user, plan_id)
        actor.require(Action.TRANSFER_PLAN)
        heir = User.objects.filter(pk=to, is_active=True).exclude(pk=plan.owner_id).first()
        if heir is None:
            raise Invalid(errors=[FieldError("user", "unknown_user", _NO_SUCH_USER)])
        if not policy_of(heir.unit_id).may_create_plans:
            raise Invalid(errors=[FieldError("user", "may_not_create", _("This person may not own plans."))])
        plan.managers.remove(heir)
        plan.managers.add(plan.owner)
        plan.people.filter(user=plan.owner_id).update(role=Role.MANAGER.label)
        plan.people.filter(user=heir).update(role=Role.OWNER.label)
        plan.owner = heir
        plan.revision += 1
        plan.save()
        audit.record(by=by, action="transfer_plan", on=plan, detail={"to": heir.display_name})
    return plan


def delete_plan(*, by: audit.By, user: User, plan_id: UUID) -> None:
    """Remove a plan for good. Raises PlanIsRunning while a conference of it has not ended."""
    with transaction.atomic():
        plan, actor = _locked(user, plan_id)
        actor.require(Action.DELETE_PLAN)
        require_not_running(plan)
        audit.record(by=by, action="delete_plan", on=plan)
        plan.delete()


def require_not_running(plan: Plan) -> None:
    """Raises PlanIsRunning, which names the conference. The plan's row must be locked."""
    running = (
        Conference.objects.filter(plan=plan).exclude(phase=Conference.Phase.ENDED).values_list("pk", flat=True).first()
    )
    if running is not None:
        raise PlanIsRunning(conference=str(running))


def _locked(user: User, plan_id: UUID) -> tuple[Plan, Actor]:
    plan = Plan.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=plan_id).first()
    if plan is None:
        raise NotFound
    return plan, actor_in_plan(user, plan)


def _options(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in OPTION_FIELDS if name in values}


def _managers(given: Sequence[UUID], owner: User) -> list[UUID]:
    known = set(User.objects.filter(pk__in=given, is_active=True).values_list("pk", flat=True)) - {owner.pk}
    errors = [
        FieldError(f"managers.{index}", "unknown_user", _NO_SUCH_USER)
        for index, each in enumerate(given)
        if each not in known
    ]
    if errors:
        raise Invalid(errors=errors)
    return sorted(known)


def _limits(
    plan: Plan, managers: Sequence[UUID] | frozenset[UUID], policy: OrganisationPolicy, assigner: Role
) -> Limits:
    return Limits(
        owner=plan.owner_id,
        managers=frozenset(managers),
        most=min(plan.max_participants, policy.max_participants),
        may_dial_outside=policy.may_dial_outside,
        assigner=assigner,
    )


def _leave_superiors(stored: Sequence[PlanPerson], people: Sequence[Person], actor: Actor) -> None:
    """Nobody removes or alters a person of an equal or higher role except themself."""
    after = {each.id: each for each in people}
    for before in stored:
        if Role.of(before.role) < actor.role or before.user_id == actor.user.pk:
            continue
        now = after.get(before.pk)
        kept = now and (now.name, now.role, now.user, now.numbers) == (
            before.name,
            before.role,
            before.user_id,
            before.numbers,
        )
        if not kept:
            detail = _("%(name)s has a role equal to yours or higher; leave this person as they are.")
            raise Invalid(errors=[FieldError("people", "equal_or_higher_role", detail % {"name": before.name})])


def _store_people(plan: Plan, people: Sequence[Person]) -> None:
    """Replace the people of a plan; those sent with their id keep it, and their PIN."""
    known = dict(plan.people.values_list("pk", "pin_key"))
    plan.people.all().delete()
    PlanPerson.objects.bulk_create(
        [
            PlanPerson(
                **({"id": each.id, "pin_key": known[each.id]} if each.id in known else {}),
                plan=plan,
                name=each.name,
                role=each.role,
                numbers=each.numbers,
                user_id=each.user,
                position=position,
            )
            for position, each in enumerate(people)
        ]
    )


def _follow_managers(stored: Sequence[PlanPerson], before: frozenset[UUID], now: frozenset[UUID]) -> None:
    """A new manager attends as one; who is no longer manager attends as a member."""
    for person in stored:
        if person.user_id in now - before:
            person.role = Role.MANAGER.label
        elif person.user_id in before - now:
            person.role = Role.MEMBER.label
        else:
            continue
        person.save(update_fields=["role"])


def _role_in_copy(person: PlanPerson, owner: User) -> str:
    if person.user_id == owner.pk:
        return Role.OWNER.label
    return min(Role.of(person.role), Role.CHAIR).label
