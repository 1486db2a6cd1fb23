"""What a person may see of plans and conferences, and who they are in each of them, in a constant number of queries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.core.errors import NotFound

from .actors import Actor, actor_in_conference, highest, switches_of
from .live.snapshot import participant_json
from .live.views import view_of
from .models import Conference, Participant, Plan, PlanPerson

M = TypeVar("M", bound=Model)


def plans_of(user: User) -> QuerySet[Plan]:
    """Every plan in which this person has a part, with what lists show."""
    running = Conference.objects.filter(plan=OuterRef("pk")).exclude(phase=Conference.Phase.ENDED)
    people = PlanPerson.objects.filter(plan=OuterRef("pk"))
    return (
        _with_part(Plan.objects.all(), user, people)
        .annotate(
            people_count=Coalesce(Subquery(people.order_by().values("plan").annotate(n=Count("pk")).values("n")), 0),
            running=Subquery(running.values("pk")[:1]),
        )
        .select_related("owner")
        .prefetch_related("managers")
    )


def conferences_of(user: User) -> QuerySet[Conference]:
    """Every conference in which this person has a part."""
    people = Participant.objects.filter(conference=OuterRef("pk"))
    return _with_part(Conference.objects.all(), user, people).select_related("owner")


def _with_part(objects: QuerySet[M], user: User, people: QuerySet[Any]) -> QuerySet[M]:
    through = objects.model._meta.get_field("managers").remote_field.through  # type: ignore[union-attr]
    managed = through.objects.filter(**{f"{objects.model._meta.model_name}": OuterRef("pk"), "user": user})
    own = people.filter(user=user).order_by()
    known: QuerySet[M] = objects.annotate(
        managed_by_caller=Exists(managed),
        caller_role=Subquery(own.values("role")[:1]),
        caller_part=Subquery(own.values("pk")[:1]),
    )  # type: ignore[assignment]
    return known.filter(Q(owner=user) | Q(managed_by_caller=True) | Q(caller_role__isnull=False))


def actors_of(user: User, objects: Iterable[Any]) -> dict[UUID, Actor]:
    """Who the person is in each of these; they come from plans_of or conferences_of."""
    policies: dict[UUID | None, OrganisationPolicy] = {}
    actors = {}
    for each in objects:
        unit = each.owner.unit_id
        if unit not in policies:
            policies[unit] = policy_of(unit)
        role = highest(owner=each.owner_id == user.pk, managed=each.managed_by_caller, attends_as=each.caller_role)
        actors[each.pk] = Actor(user, role, switches_of(each, policies[unit]), each.caller_part)
    return actors


def conference_for(user: User, conference_id: UUID) -> tuple[Conference, Actor]:
    """A conference and who the person is in it. Raises NotFound."""
    conference = Conference.objects.select_related("owner").filter(pk=conference_id).first()
    if conference is None:
        raise NotFound
    return conference, actor_in_conference(user, conference)


def participant_documents(conference: Conference, actor: Actor) -> QuerySet[Any, Any]:
    """The participants as this person sees them: `document` is JSON text that PostgreSQL built, with `abilities`."""
    built = participant_json(view_of(actor.role)).replace("p.", f"{Participant._meta.db_table}.")
    table = Participant._meta.db_table
    abilities = f"CASE WHEN {table}.id = %s THEN %s::json ELSE (%s::json) -> {table}.role END"
    document = RawSQL(  # noqa: S611 - the names are this project's own, the values are parameters
        f"{built.removesuffix(')')}, 'abilities', {abilities})::text",
        [actor.participant, json.dumps(actor.abilities_to_self()), json.dumps(actor.abilities_by_role())],
        output_field=TextField(),
    )
    return (
        Participant.objects.filter(conference=conference)
        .annotate(document=document)
        .values("id", "position", "document")
    )
