"""The lists of bench.lists as they would be without care: ModelSerializer, the same rights, the same objects."""

from __future__ import annotations

from typing import Any

from rest_framework import generics, serializers
from rest_framework.request import Request

from apps.conferences.access import ON_PLAN
from apps.conferences.actors import Actor, actors_in_conference
from apps.conferences.api.views import ByChange, ByPosition
from apps.conferences.live.views import PARTICIPANT
from apps.conferences.models import Conference, Participant, Plan
from apps.conferences.models.options import OPTION_FIELDS
from apps.conferences.selectors import actors_of, in_full, plans_of


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
        page = self.paginate_queryset(in_full(plans_of(user)))
        assert page is not None
        context = {"actors": actors_of(user, page)}
        return self.get_paginated_response(PlanSerializer(page, many=True, context=context).data)
