"""Plans and conferences: each view parses, calls one service or selector, and answers."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django_filters import rest_framework as filters
from django_filters.utils import translate_validation
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.accounts.models import User
from apps.conferences.access import ON_PLAN, Action
from apps.conferences.actors import CONFERENCE_ACTIONS, Actor
from apps.conferences.errors import require
from apps.conferences.models import Attempt, Conference, Participant, Plan, Whisper
from apps.conferences.selectors import (
    actor_for,
    conferences_of,
    participants_of,
    plans_in_full,
    plans_of,
    with_abilities,
    with_abilities_to,
)
from apps.conferences.services.launch import launch
from apps.conferences.services.plans import copy_plan, create_plan, delete_plan, edit_plan, transfer_plan
from apps.core import audit
from apps.core.api.idempotency import IdempotentMixin
from apps.core.api.pages import Pages
from apps.core.api.search import search_text
from apps.core.errors import NotFound
from apps.core.models import AuditEntry
from apps.core.sql import Select
from apps.switch.models import Extension

from . import serializers

M = TypeVar("M", bound=Model)


def user_of(request: Request | HttpRequest) -> User:
    """The caller; the views below let nobody in who is not signed in."""
    return cast(User, request.user)


def by(request: Request) -> audit.By:
    return audit.By(user_of(request), address_of(request))


def address_of(request: Request) -> str | None:
    return request.META.get("REMOTE_ADDR") or None


class ByChange(Pages):
    ordering = ("-updated_at", "-id")


class ByLaunch(Pages):
    ordering = ("-launched_at", "-id")


class ByPosition(Pages):
    ordering = ("position", "id")
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000


class ByStored(Pages):
    ordering = ("-stored_at", "leg")


class ByOpened(Pages):
    ordering = ("opened_at", "id")


class ByNumber(Pages):
    ordering = ("number",)


class Newest(Pages):
    ordering = ("-id",)


class WithAbilities(viewsets.GenericViewSet[M]):
    """Objects together with who the caller is in each."""

    model: type[M]
    actions: frozenset[Action]

    def answer(self, key: UUID, serializer: type[BaseSerializer[M]]) -> Any:
        """Raises NotFound for those who have no part in it."""
        actor = actor_for(user_of(self.request), self.model, key)
        instance = self.get_queryset().filter(pk=key).first()
        if instance is None:
            raise NotFound
        return serializer(instance, context={**self.get_serializer_context(), "actor": actor}).data

    def page(self, objects: Select) -> HttpResponse:
        return _json_list(self, with_abilities(user_of(self.request), _rows(self, objects), self.actions))


class PlanViewSet(IdempotentMixin, WithAbilities[Plan]):
    serializer_class = serializers.PlanSummarySerializer
    model = Plan
    actions = ON_PLAN
    pagination_class = ByChange
    lookup_value_converter = "uuid"
    queryset = plans_in_full()

    @extend_schema(parameters=[OpenApiParameter("q", str, description="Part of the title.")])
    def list(self, request: Request) -> HttpResponse:
        plans = plans_of(user_of(request))
        if text := search_text(request):
            plans = plans.narrowed("strpos(upper(t.title), upper(%(text)s)) > 0", text=text)
        return self.page(plans)

    @extend_schema(responses=serializers.PlanSerializer)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self._full(pk))

    @extend_schema(request=serializers.PlanWriteSerializer, responses={201: serializers.PlanSerializer})
    def create(self, request: Request) -> Response:
        body = serializers.PlanWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        plan = create_plan(by=by(request), user=user_of(request), values=body.validated_data)
        return Response(self._full(plan.pk), status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.PlanEditSerializer, responses=serializers.PlanSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        actor_for(user_of(request), Plan, pk)
        body = serializers.PlanEditSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.validated_data
        edit_plan(by=by(request), user=user_of(request), plan_id=pk, revision=values.pop("revision"), values=values)
        return Response(self._full(pk))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        delete_plan(by=by(request), user=user_of(request), plan_id=pk)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={201: serializers.PlanSerializer})
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, pk: UUID) -> Response:
        plan = copy_plan(by=by(request), user=user_of(request), plan_id=pk)
        return Response(self._full(plan.pk), status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.TransferSerializer, responses=serializers.PlanSerializer)
    @action(detail=True, methods=["post"])
    def transfer(self, request: Request, pk: UUID) -> Response:
        """Give the plan to another owner; the caller stays as a manager."""
        body = serializers.TransferSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        transfer_plan(by=by(request), user=user_of(request), plan_id=pk, to=body.validated_data["user"])
        return Response(self._full(pk))

    def _full(self, key: UUID) -> Any:
        return self.answer(key, serializers.PlanSerializer)


class ConferenceFilter(filters.FilterSet):
    phase = filters.MultipleChoiceFilter(choices=Conference.Phase.choices)
    plan = filters.UUIDFilter(field_name="plan_id")

    class Meta:
        model = Conference
        fields = ["phase", "plan"]


class ConferenceViewSet(IdempotentMixin, WithAbilities[Conference]):
    serializer_class = serializers.ConferenceSerializer
    model = Conference
    actions = CONFERENCE_ACTIONS
    pagination_class = ByLaunch
    filterset_class = ConferenceFilter
    lookup_value_converter = "uuid"
    queryset = Conference.objects.select_related("owner")

    def list(self, request: Request) -> HttpResponse:
        conferences = conferences_of(user_of(request))
        asked = ConferenceFilter(request.query_params, request=request)
        if not asked.is_valid():
            raise translate_validation(asked.errors)  # type: ignore[misc]  # its stub lacks that this is an exception
        if phases := asked.form.cleaned_data["phase"]:
            conferences = conferences.narrowed("t.phase = ANY (%(phases)s)", phases=phases)
        if plan := asked.form.cleaned_data["plan"]:
            conferences = conferences.narrowed("t.plan_id = %(plan)s", plan=plan)
        return self.page(conferences)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.answer(pk, serializers.ConferenceSerializer))

    @extend_schema(request=serializers.LaunchSerializer, responses={201: serializers.ConferenceSerializer})
    def create(self, request: Request) -> Response:
        """Launch: everybody is called at once, as fast as the gateways take it."""
        body = serializers.LaunchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        conference = launch(by=by(request), user=user_of(request), values=body.validated_data)
        answer = self.answer(conference.pk, serializers.ConferenceSerializer)
        return Response(answer, status=status.HTTP_201_CREATED)


class OfConference(generics.GenericAPIView[M]):
    """A part of one conference. `needs` is what one must be allowed to see it."""

    needs = Action.VIEW
    filter_backends = []

    def actor(self) -> Actor:
        """The caller. Raises what says why they may not see it."""
        actor = actor_for(user_of(self.request), Conference, self.kwargs["conference_id"])
        require(actor.may(self.needs))
        return actor


class ParticipantListView(OfConference[Any]):
    serializer_class = serializers.ParticipantSerializer
    pagination_class = ByPosition

    @extend_schema(operation_id="participants_list", responses=serializers.ParticipantSerializer(many=True))
    def get(self, request: Request, conference_id: UUID) -> HttpResponse:
        actor = self.actor()
        return _json_list(self, with_abilities_to(_rows(self, participants_of(conference_id, actor)), actor))


class ParticipantView(OfConference[Any]):
    serializer_class = serializers.ParticipantSerializer

    @extend_schema(operation_id="participants_retrieve")
    def get(self, request: Request, conference_id: UUID, participant_id: UUID) -> HttpResponse:
        actor = self.actor()
        participants = participants_of(conference_id, actor)
        row = participants.narrowed("t.id = %(participant)s", participant=participant_id).first()
        if row is None:
            raise NotFound
        return HttpResponse(with_abilities_to([row], actor), content_type="application/json")


def _rows(view: generics.GenericAPIView[Any], objects: Select) -> Any:
    """Those of the page that `view` is asked for."""
    queryset: Any = objects
    return view.paginate_queryset(queryset)


def _json_list(view: generics.GenericAPIView[Any], documents: list[bytes]) -> HttpResponse:
    """The page that `view` is at, of objects that are JSON text already."""
    frame = view.get_paginated_response([]).data
    links = f'"next":{json.dumps(frame["next"])},"previous":{json.dumps(frame["previous"])}'
    body = b'{"results":[%b],%b}' % (b",".join(documents), links.encode())
    return HttpResponse(body, content_type="application/json")


class AttemptFilter(filters.FilterSet):
    participant = filters.UUIDFilter(field_name="participant_id")

    class Meta:
        model = Attempt
        fields = ["participant"]


class AttemptListView(mixins.ListModelMixin, OfConference[Attempt]):
    needs = Action.VIEW_NUMBERS
    serializer_class = serializers.AttemptSerializer
    pagination_class = ByStored
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = AttemptFilter
    queryset = Attempt.objects.all()

    @extend_schema(operation_id="attempts_list")
    def get(self, request: Request, conference_id: UUID) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Attempt]:
        self.actor()
        return Attempt.objects.filter(conference=self.kwargs["conference_id"])


class LogView(mixins.ListModelMixin, OfConference[AuditEntry]):
    """Who did what in this conference, the latest first."""

    needs = Action.VIEW_NUMBERS
    serializer_class = serializers.LogEntrySerializer
    pagination_class = Newest
    queryset = AuditEntry.objects.all()

    @extend_schema(operation_id="log_list")
    def get(self, request: Request, conference_id: UUID) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[AuditEntry]:
        self.actor()
        return AuditEntry.objects.filter(conference_id=self.kwargs["conference_id"])


class WhisperListView(OfConference[Whisper]):
    serializer_class = serializers.WhisperSerializer
    pagination_class = ByOpened
    queryset = Whisper.objects.all()

    @extend_schema(operation_id="whispers_list", responses=serializers.WhisperSerializer(many=True))
    def get(self, request: Request, conference_id: UUID) -> Response:
        actor = self.actor()
        whispers = Whisper.objects.none() if actor.waits else Whisper.objects.filter(conference=conference_id)
        page = self.paginate_queryset(whispers)
        attending = Participant.objects.filter(conference=conference_id, user=user_of(request))
        own = attending.values_list("whisper", flat=True).first()
        serializer = serializers.WhisperSerializer(page, many=True, context={"actor": actor, "own": own})
        return self.get_paginated_response(serializer.data)


@extend_schema_view(
    get=extend_schema(
        parameters=[OpenApiParameter("q", str, description="Beginning of the number, or part of the name.")]
    )
)
class ExtensionListView(generics.ListAPIView[Extension]):
    """Internal numbers to choose from."""

    serializer_class = serializers.ExtensionSerializer
    pagination_class = ByNumber
    filter_backends = []

    def get_queryset(self) -> QuerySet[Extension]:
        extensions = Extension.objects.filter(enabled=True)
        if text := search_text(self.request):
            extensions = extensions.filter(Q(number__startswith=text) | Q(display_name__icontains=text))
        return extensions
