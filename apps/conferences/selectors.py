"""What a person may see of plans and conferences, and who they are in each of them, in a constant number of queries.

Lists are JSON text that PostgreSQL builds; the serializers of the API take their fields from here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, F, IntegerField, Model, Q, QuerySet, TextField, UUIDField
from django.db.models.expressions import RawSQL

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.core.errors import NotFound

from .access import Action, Role, Switch, abilities
from .actors import Actor, highest, switches_of
from .live.snapshot import json_object, participant_json
from .live.views import CONFERENCE, view_of
from .models import Conference, Participant, Plan, PlanPerson
from .models.options import OPTION_FIELDS

M = TypeVar("M", bound=Model)

#: What lists say of each object, besides the caller's role and abilities; columns, or SQL of _COMPUTED.
PLAN_SUMMARY = (
    *("id", "title", "agenda", "owner", "managers", "revision", "created_at", "updated_at"),
    *OPTION_FIELDS,
    *("people_count", "running"),
)
CONFERENCE_SUMMARY = (*CONFERENCE, *sorted(set(OPTION_FIELDS) - set(CONFERENCE)), "owner", "seq")

_PERSON = "json_build_object('id', u.id, 'display_name', u.display_name)"
_PEOPLE_COUNT = "(SELECT count(*) FROM conferences_planperson WHERE plan_id = conferences_plan.id)"
_RUNNING = "(SELECT id FROM conferences_conference WHERE plan_id = conferences_plan.id AND phase <> 'ended' LIMIT 1)"
_COMPUTED: dict[type[Model], dict[str, str]] = {
    Plan: {
        "owner": f"(SELECT {_PERSON} FROM accounts_user u WHERE u.id = conferences_plan.owner_id)",  # noqa: S608
        "managers": (
            f"(SELECT coalesce(json_agg({_PERSON} ORDER BY u.display_name, u.id), '[]')"  # noqa: S608
            " FROM conferences_plan_managers m JOIN accounts_user u ON u.id = m.user_id"
            " WHERE m.plan_id = conferences_plan.id)"
        ),
        "people_count": _PEOPLE_COUNT,
        "running": _RUNNING,
    },
    Conference: {
        "owner": f"(SELECT {_PERSON} FROM accounts_user u WHERE u.id = conferences_conference.owner_id)",  # noqa: S608
    },
}


def _asks(model: type[Model]) -> dict[str, str]:
    """SQL of what makes somebody more than an outsider to a plan or conference, with their id as its one parameter."""
    table, key = model._meta.db_table, f"{model._meta.model_name}_id"
    people = (PlanPerson if model is Plan else Participant)._meta.db_table
    own = f"FROM {people} own WHERE own.{key} = {table}.id AND own.user_id = %s"
    managed = f"SELECT FROM {table}_managers m WHERE m.{key} = {table}.id AND m.user_id = %s"
    return {
        "managed_by_caller": f"EXISTS ({managed})",
        "caller_role": f"(SELECT own.role {own})",
        "caller_part": f"(SELECT own.id {own})",
    }


def plans_of(user: User) -> QuerySet[Plan]:
    """Every plan in which this person has a part."""
    return _with_part(Plan.objects.all(), user)


def in_full(plans: QuerySet[Plan]) -> QuerySet[Plan]:
    """With all that serializers say of plans."""
    counted = plans.annotate(
        people_count=RawSQL(_PEOPLE_COUNT, [], IntegerField()),  # noqa: S611
        running=RawSQL(_RUNNING, [], UUIDField()),  # noqa: S611
    )
    return counted.select_related("owner").prefetch_related("managers")


def conferences_of(user: User) -> QuerySet[Conference]:
    """Every conference in which this person has a part."""
    return _with_part(Conference.objects.all(), user).select_related("owner")


def _with_part(objects: QuerySet[M], user: User) -> QuerySet[M]:
    """Those of `objects` in which this person has a part, with what actors_of reads."""
    asks = _asks(objects.model)
    known: QuerySet[M] = objects.annotate(
        owner_unit=F("owner__unit_id"),
        managed_by_caller=RawSQL(asks["managed_by_caller"], [user.pk], BooleanField()),  # noqa: S611
        caller_role=RawSQL(asks["caller_role"], [user.pk], TextField()),  # noqa: S611
        caller_part=RawSQL(asks["caller_part"], [user.pk], UUIDField()),  # noqa: S611
    )  # type: ignore[assignment]
    return known.filter(Q(owner=user) | Q(managed_by_caller=True) | Q(caller_role__isnull=False))


#: What actors_of reads of each object.
_OWN_SWITCHES = tuple(switch.value for switch in Switch if switch.value in OPTION_FIELDS)
_PART = ("pk", "owner_id", "owner_unit", "managed_by_caller", "caller_role", "caller_part", *_OWN_SWITCHES)


def actors_of(user: User, objects: Iterable[Any]) -> dict[UUID, Actor]:
    """Who the person is in each of these, objects or rows; they come from plans_of or conferences_of."""
    policies: dict[UUID | None, OrganisationPolicy] = {}
    actors = {}
    for each in objects:
        unit = each.owner_unit
        if unit not in policies:
            policies[unit] = policy_of(unit)
        role = highest(owner=each.owner_id == user.pk, managed=each.managed_by_caller, attends_as=each.caller_role)
        actors[each.pk] = Actor(user, role, switches_of(each, policies[unit]), each.caller_part)
    return actors


def summaries(objects: QuerySet[M], fields: tuple[str, ...], by: str) -> QuerySet[M, Any]:
    """Rows with the `document` of each object (of plans_of or conferences_of), JSON text with these fields, and the
    column `by` that they are ordered by; `with_abilities` completes them.
    """
    document = _as_text(json_object(objects.model._meta.db_table, fields, computed=_COMPUTED[objects.model]))
    rows: QuerySet[M, Any] = objects.annotate(document=document).values_list(  # type: ignore[assignment]
        *_PART, by, "document", named=True
    )
    return rows


def with_abilities(user: User, rows: Sequence[Any], actions: frozenset[Action]) -> list[str]:
    """The documents of these rows, with the person's `role` in each and their `abilities`."""

    @cache
    def ending(role: Role, switches: frozenset[Switch]) -> str:
        return _ending({"role": role.label, "abilities": abilities(role, switches, actions)})

    actors = actors_of(user, rows).values()
    return [
        _extended(row.document, ending(actor.role, actor.switches)) for row, actor in zip(rows, actors, strict=True)
    ]


def _as_text(built: str) -> RawSQL:
    return RawSQL(f"{built}::text", [], TextField())  # noqa: S611 - SQL of this project's own, without values


def _ending(members: dict[str, Any]) -> str:
    """What `_extended` puts in the place of a JSON object's closing brace."""
    return f",{json.dumps(members)[1:]}"


def _extended(document: str, ending: str) -> str:
    return document[:-1] + ending


_CALLER = f"""
SELECT id, owner_id, (SELECT unit_id FROM accounts_user WHERE id = owner_id),
       {", ".join(_asks(Conference).values())}, {", ".join(_OWN_SWITCHES)}
  FROM conferences_conference WHERE id = %s
"""  # noqa: S608 - the names are this project's own, the values are parameters


def actor_for(user: User, conference_id: UUID) -> Actor:
    """Who the person is in a conference. Raises NotFound for outsiders.

    Every request about a part of a conference begins with this: one statement, and that of the policy where the owner
    belongs to a unit.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CALLER, [user.pk, user.pk, user.pk, conference_id])
        found = [SimpleNamespace(**dict(zip(_PART, row, strict=True))) for row in cursor.fetchall()]
    for actor in actors_of(user, found).values():
        if actor.role is not Role.OUTSIDER:
            return actor
    raise NotFound


def participants_of(conference_id: UUID, actor: Actor) -> QuerySet[Participant, Any]:
    """Rows with the `document` of each participant as this person sees them; `with_abilities_to` completes them."""
    document = _as_text(participant_json(view_of(actor.role), Participant._meta.db_table))
    return (
        Participant.objects.filter(conference=conference_id)
        .annotate(document=document)
        .values_list("pk", "position", "role", "document", named=True)
    )


def with_abilities_to(rows: Iterable[Any], actor: Actor) -> list[str]:
    """The documents of these participants, with the person's `abilities` to each."""
    to_self = _ending({"abilities": actor.abilities_to_self()})
    by_role = {role: _ending({"abilities": able}) for role, able in actor.abilities_by_role().items()}
    return [_extended(row.document, to_self if row.pk == actor.participant else by_role[row.role]) for row in rows]
