"""Launch: one transaction that writes a conference and its people, and one wake-up for the switchboard, which dials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from apps.accounts.models import Lobby, OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.conferences.access import Action, Role
from apps.conferences.actors import actor_in_plan
from apps.conferences.live.changes import notify
from apps.conferences.models import Conference, Participant, Plan, RecordingPolicy
from apps.conferences.models.options import OPTION_FIELDS
from apps.core import audit
from apps.core.errors import NotFound
from apps.core.ids import new_id

from . import pins
from .nodes import choose_node
from .people import Limits, Person, check_stored, enters_muted, read_people
from .plans import require_may_create, require_not_running


def launch(*, by: audit.By, user: User, values: Mapping[str, Any]) -> Conference:
    """Launch what LaunchSerializer leaves: `plan` as it is or with changes for this run, or people without a plan.

    Raises Invalid, NotFound, NotAllowed, MayNotCreate, PlanIsRunning (naming the conference) and NoNode.
    """
    plan_id: UUID | None = values.get("plan")
    with transaction.atomic():
        conference = _of_plan(user, plan_id, values) if plan_id else _ad_hoc(user, values)
        audit.record(by=by, action="launch", on=conference, conference_id=conference.pk)
        notify(conference.pk)
    return conference


def _of_plan(user: User, plan_id: UUID, values: Mapping[str, Any]) -> Conference:
    # The plan's lock lets one launch through at a time; the constraint conference_plan_runs_once stands behind it.
    plan = Plan.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=plan_id).first()
    if plan is None:
        raise NotFound
    actor = actor_in_plan(user, plan)
    actor.require(Action.LAUNCH)
    require_not_running(plan)
    managers = list(plan.managers.values_list("pk", flat=True))
    conference = Conference(
        plan=plan,
        owner=plan.owner,
        title=values.get("title", plan.title),
        agenda=values.get("agenda", plan.agenda),
        **{name: values.get(name, getattr(plan, name)) for name in OPTION_FIELDS},
    )
    policy = policy_of(plan.owner.unit_id)
    conference.lobby = Lobby.stricter(conference.lobby, policy.lobby)
    limits = _limits(conference, managers, policy, actor.role)
    if "people" in values:
        # Roles that the plan gives may stay, whoever launches.
        kept = dict(plan.people.values_list("pk", "role"))
        people = read_people(values["people"], limits, kept=kept)
    else:
        people = _stored_people(plan)
    # Whoever dials in has the same number and PIN each time.
    pins.of_plan(plan.pk)
    return _store(conference, managers, people, limits, dict(plan.people.values_list("pk", "pin_key")))


def _stored_people(plan: Plan) -> list[Person]:
    """Plain SQL: for a thousand people the conversions of the ORM show."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, role, numbers, user_id, id FROM conferences_planperson"
            " WHERE plan_id = %s ORDER BY position, id",
            [plan.pk],
        )
        rows = cursor.fetchall()
    return [Person(name, role, msgspec.json.decode(numbers), user, key) for name, role, numbers, user, key in rows]


def _ad_hoc(user: User, values: Mapping[str, Any]) -> Conference:
    policy = require_may_create(user)
    conference = Conference(
        owner=user,
        title=values["title"],
        agenda=values.get("agenda", ""),
        **{name: values[name] for name in OPTION_FIELDS if name in values},
    )
    conference.lobby = Lobby.stricter(conference.lobby, policy.lobby)
    limits = _limits(conference, [], policy, Role.OWNER)
    return _store(conference, [], read_people(values.get("people", []), limits), limits)


def _limits(conference: Conference, managers: Sequence[UUID], policy: OrganisationPolicy, assigner: Role) -> Limits:
    return Limits(
        owner=conference.owner_id,
        managers=frozenset(managers),
        most=min(conference.max_participants, policy.max_participants),
        may_dial_outside=policy.may_dial_outside,
        assigner=assigner,
    )


def _store(
    conference: Conference,
    managers: Sequence[UUID],
    people: Sequence[Person],
    limits: Limits,
    pin_keys: Mapping[UUID, str] = MappingProxyType({}),
) -> Conference:
    """`pin_keys` are those of people who have a PIN already, by their id."""
    check_stored(people, limits)
    now = timezone.now()
    gathers = conference.wait_for_chair or conference.quorum_percent is not None
    conference.node = choose_node()
    conference.may_dial_outside = limits.may_dial_outside
    conference.ends_at = now + timedelta(minutes=conference.duration_minutes)
    conference.phase = Conference.Phase.GATHERING if gathers else Conference.Phase.RUNNING
    if not gathers:
        conference.started_at = now
        conference.locked = conference.lock_after_start
        if conference.recording_policy == RecordingPolicy.AUTOMATIC:
            # Nobody is in yet: everybody is told as they come.
            conference.recording, conference.recording_since = Conference.Recording.ON, now
    conference.save(force_insert=True)
    conference.managers.add(*User.objects.filter(pk__in=managers))
    _copy_participants(conference, people, pin_keys)
    return conference


#: The columns in which participants differ when they are new.
_OWN = ("id", "name", "role", "numbers", "user_id", "position", "muted", "pin_key")


def _copy_participants(conference: Conference, people: Sequence[Person], pin_keys: Mapping[UUID, str]) -> None:
    """COPY: five times faster than bulk_create for a thousand people."""
    blank = Participant(conference=conference)
    alike = {
        str(field.column): field.get_db_prep_save(getattr(blank, field.attname), connection)
        for field in Participant._meta.concrete_fields
        if field.column not in _OWN
    }
    unused = dict(pin_keys)
    columns, values = ", ".join((*_OWN, *alike)), tuple(alike.values())
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {Participant._meta.db_table} ({columns}) FROM STDIN") as copy,
    ):
        for position, person in enumerate(people):
            numbers = msgspec.json.encode(person.numbers).decode()
            muted = enters_muted(conference, person.role)
            pin_key = unused.pop(person.id, "") if person.id else ""
            own = (new_id(), person.name, person.role, numbers, person.user, position, muted, pin_key)
            copy.write_row((*own, *values))
