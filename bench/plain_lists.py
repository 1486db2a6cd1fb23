"""The lists of bench.lists as they would be without care: ModelSerializer, the same rights, the same objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, F, IntegerField, Q, QuerySet, TextField, UUIDField
from django.db.models.expressions import RawSQL
from rest_framework import generics, serializers
from rest_framework.request import Request

from apps.accounts.models import OrganisationPolicy, User
from apps.accounts.policy import policy_of
from apps.conferences.access import ON_PLAN
from apps.conferences.actors import Actor, actors_in_conference, highest, switches_of
from apps.conferences.api.views import ByChange, ByPosition
from apps.conferences.live.views import PARTICIPANT
from apps.conferences.models import Conference, Participant, Plan
from apps.conferences.models.options import OPTION_FIELDS

_MANAGED = "EXISTS (SELECT FROM conferences_plan_managers m WHERE m.plan_id = conferences_plan.id AND m.user_id = %s)"
_OWN = "FROM conferences_planperson own WHERE own.plan_id = conferences_plan.id AND own.user_id = %s"
_PEOPLE_COUNT = "(SELECT count(*) FROM conferences_planperson WHERE plan_id = conferences_plan.id)"
_RUNNING = "(SELECT id FROM conferences_conference WHERE plan_id = conferences_plan.id AND phase <> 'ended' LIMIT 1)"


class ParticipantSerializer(serializers.ModelSerializer[Participant]):
    abilities = serializers.SerializerMethodField()

    class Meta:
        model = Participant
        fields = [*(column.removesuffix("_id") for column in PARTICIPANT), "abilities"]

    def get_abilities(self, participant: Participant) -> list[str]:
        actor: Actor = self.context["actor"]
        if participant.pk == actor.participant:
            return actor.abilities_to_self()
        return self.context["by_role"][participant.role]  # type: ignore[no-any-return]


class ParticipantList(generics.GenericAPIView[Participant]):
    pagination_class = ByPosition
    filter_backends = ()

    def get(self, request: Request, conference_id: object) -> Any:
        user: Any = request.user
        conference = generics.get_object_or_404(Conference.objects.select_related("owner"), pk=conference_id)
        [actor] = actors_in_conference(conference, [user])
        page = self.paginate_queryset(conference.participants.all())
        assert page is not None
        context = {"actor": actor, "by_role": actor.abilities_by_role()}
        return self.get_paginated_response(ParticipantSerializer(page, many=True, context=context).data)


class OwnerSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    display_name = serializers.CharField()


class PlanSerializer(serializers.ModelSerializer[Plan]):
    owner = OwnerSerializer()
    people_count = serializers.IntegerField()
    running = serializers.UUIDField(allow_null=True)
    role = serializers.SerializerMethodField()
    abilities = serializers.SerializerMethodField()

    class Meta:
        model = Plan
        fields = [
            *("id", "title", "agenda", "owner", "managers", "revision", "created_at", "updated_at"),
            *OPTION_FIELDS,
            *("people_count", "running", "role", "abilities"),
        ]

    def get_role(self, plan: Plan) -> str:
        return self.context["actors"][plan.pk].role.label  # type: ignore[no-any-return]

    def get_abilities(self, plan: Plan) -> list[str]:
        return self.context["actors"][plan.pk].abilities(ON_PLAN)  # type: ignore[no-any-return]


class PlanList(generics.GenericAPIView[Plan]):
    pagination_class = ByChange
    filter_backends = ()

    def get(self, request: Request) -> Any:
        user: Any = request.user
        page = self.paginate_queryset(plans_of(user))
        assert page is not None
        context = {"actors": actors_of(user, page)}
        return self.get_paginated_response(PlanSerializer(page, many=True, context=context).data)


def plans_of(user: User) -> QuerySet[Plan]:
    """Every plan in which this person has a part, with all that the list says of it and what actors_of reads."""
    plans = Plan.objects.annotate(
        owner_unit=F("owner__unit_id"),
        managed_by_caller=RawSQL(_MANAGED, [user.pk], BooleanField()),
        caller_role=RawSQL(f"(SELECT own.role {_OWN})", [user.pk], TextField()),
        caller_part=RawSQL(f"(SELECT own.id {_OWN})", [user.pk], UUIDField()),
        people_count=RawSQL(_PEOPLE_COUNT, [], IntegerField()),
        running=RawSQL(_RUNNING, [], UUIDField()),
    )
    visible = plans.filter(Q(owner=user) | Q(managed_by_caller=True) | Q(caller_role__isnull=False))
    return visible.select_related("owner").prefetch_related("managers")


def actors_of(user: User, plans: Iterable[Any]) -> dict[UUID, Actor]:
    """Who the person is in each of these; they come from plans_of."""
    policies: dict[UUID | None, OrganisationPolicy] = {}
    actors = {}
    for each in plans:
        unit = each.owner_unit
        if unit not in policies:
            policies[unit] = policy_of(unit)
        role = highest(owner=each.owner_id == user.pk, managed=each.managed_by_caller, attends_as=each.caller_role)
        actors[each.pk] = Actor(user, role, switches_of(each, policies[unit]), each.caller_part)
    return actors
