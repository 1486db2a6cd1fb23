"""Plans and conferences: each view parses, calls one service or selector, and answers."""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django_filters import rest_framework as filters
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
    CONFERENCE_SUMMARY,
    PLAN_SUMMARY,
    actor_for,
    actors_of,
    conferences_of,
    in_full,
    participants_of,
    plans_of,
    summaries,
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


class WithActors(viewsets.GenericViewSet[M]):
    """Objects together with who the caller is in each. `summary` is what lists say of them (selectors.py)."""

    summary: tuple[str, ...]
    actions: frozenset[Action]
    pagination_class: type[Pages]

    def answer(self, instance: M, serializer: type[BaseSerializer[M]]) -> Any:
        context = {**self.get_serializer_context(), "actors": actors_of(user_of(self.request), [instance])}
        return serializer(instance, context=context).data

    def list(self, request: Request) -> HttpResponse:
        objects = self.filter_queryset(self.get_queryset())
        page = self.paginate_queryset(summaries(objects, self.summary, self.pagination_class.ordering[0].lstrip("-")))
        assert page is not None  # noqa: S101 - every list of this API is paginated
        return _json_list(self, with_abilities(user_of(request), page, self.actions))

    def found(self, key: UUID) -> M:
        """One of those that the caller has a part in. Raises NotFound."""
        instance = self.get_queryset().filter(pk=key).first()
        if instance is None:
            raise NotFound
        return instance


class PlanViewSet(IdempotentMixin, WithActors[Plan]):
    serializer_class = serializers.PlanSummarySerializer
    summary = PLAN_SUMMARY
    actions = ON_PLAN
    pagination_class = ByChange
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Plan]:
        if getattr(self, "swagger_fake_view", False):
            return Plan.objects.none()
        plans = plans_of(user_of(self.request))
        if self.action != "list":
            return in_full(plans)
        text = search_text(self.request)
        return plans.filter(title__icontains=text) if text else plans

    @extend_schema(parameters=[OpenApiParameter("q", str, description="Part of the title.")])
    def list(self, request: Request) -> HttpResponse:
        return super().list(request)

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
        self.found(pk)
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
        return self.answer(self.found(key), serializers.PlanSerializer)


class ConferenceFilter(filters.FilterSet):
    phase = filters.MultipleChoiceFilter(choices=Conference.Phase.choices)
    plan = filters.UUIDFilter(field_name="plan_id")

    class Meta:
        model = Conference
        fields = ["phase", "plan"]


class ConferenceViewSet(IdempotentMixin, WithActors[Conference]):
    serializer_class = serializers.ConferenceSerializer
    summary = CONFERENCE_SUMMARY
    actions = CONFERENCE_ACTIONS
    pagination_class = ByLaunch
    filterset_class = ConferenceFilter
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Conference]:
        if getattr(self, "swagger_fake_view", False):
            return Conference.objects.none()
        return conferences_of(user_of(self.request))

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.answer(self.found(pk), serializers.ConferenceSerializer))

    @extend_schema(request=serializers.LaunchSerializer, responses={201: serializers.ConferenceSerializer})
    def create(self, request: Request) -> Response:
        """Launch: everybody is called at once, as fast as the gateways take it."""
        body = serializers.LaunchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        conference = launch(by=by(request), user=user_of(request), values=body.validated_data)
        answer = self.answer(self.found(conference.pk), serializers.ConferenceSerializer)
        return Response(answer, status=status.HTTP_201_CREATED)


class OfConference(generics.GenericAPIView[M]):
    """A part of one conference. `needs` is what one must be allowed to see it."""

    needs = Action.VIEW
    filter_backends = []

    def actor(self) -> Actor:
        """The caller. Raises what says why they may not see it."""
        actor = actor_for(user_of(self.request), self.kwargs["conference_id"])
        require(actor.may(self.needs))
        return actor


class ParticipantListView(OfConference[Any]):
    serializer_class = serializers.ParticipantSerializer
    pagination_class = ByPosition

    @extend_schema(operation_id="participants_list", responses=serializers.ParticipantSerializer(many=True))
    def get(self, request: Request, conference_id: UUID) -> HttpResponse:
        actor = self.actor()
        page = self.paginate_queryset(participants_of(conference_id, actor))
        assert page is not None  # noqa: S101 - every list of this API is paginated
        return _json_list(self, with_abilities_to(page, actor))


class ParticipantView(OfConference[Any]):
    serializer_class = serializers.ParticipantSerializer

    @extend_schema(operation_id="participants_retrieve")
    def get(self, request: Request, conference_id: UUID, participant_id: UUID) -> HttpResponse:
        actor = self.actor()
        documents = with_abilities_to(participants_of(conference_id, actor).filter(pk=participant_id), actor)
        if not documents:
            raise NotFound
        return HttpResponse(documents[0], content_type="application/json")


def _json_list(view: generics.GenericAPIView[Any], documents: list[str]) -> HttpResponse:
    """The page that `view` is at, of objects that are JSON text already."""
    frame = view.get_paginated_response([]).data
    links = f'"next":{json.dumps(frame["next"])},"previous":{json.dumps(frame["previous"])}'
    body = f'{{"results":[{",".join(documents)}],{links}}}'
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
        page = self.paginate_queryset(Whisper.objects.filter(conference=conference_id))
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
