"""How a plan's conferences, or one conference, are dialled into by telephone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.conferences.models import AccessNumber, Conference, Plan
from apps.conferences.selectors import actor_for
from apps.conferences.services.dial_in_sheet import renew, sheet
from apps.conferences.services.inputs import MOST_PEOPLE, WITH_PIN

from .views import by, user_of


class AccessNumberSerializer(serializers.ModelSerializer[AccessNumber]):
    class Meta:
        model = AccessNumber
        fields = ["number", "label", "language"]
        read_only_fields = fields


class RolePinSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=WITH_PIN)
    pin = serializers.CharField()
    renewable = serializers.BooleanField()


class PersonalPinSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Of the person of the plan, or of the participant.")
    name = serializers.CharField()
    role = serializers.CharField()
    pin = serializers.CharField()
    renewable = serializers.BooleanField()


class DialInSerializer(serializers.Serializer[Any]):
    """The PINs are those that the caller may see."""

    number = serializers.CharField(help_text="The conference number; a plan keeps it for all its conferences.")
    access_numbers = AccessNumberSerializer(many=True)
    roles = RolePinSerializer(many=True)
    people = PersonalPinSerializer(many=True)


class RenewInput(serializers.Serializer[Any]):
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=WITH_PIN), default=list, max_length=len(WITH_PIN)
    )
    people = serializers.ListField(child=serializers.UUIDField(), default=list, max_length=MOST_PEOPLE)


class DialInView(APIView):
    """Numbers and PINs are made when they are first asked for. Renewed ones are told in the answer to the POST."""

    model: type[Plan] | type[Conference] = Plan

    def _get(self, request: Request, key: UUID) -> Response:
        actor = actor_for(user_of(request), self.model, key)
        told = sheet(actor, self.model._default_manager.get(pk=key))
        return Response(DialInSerializer(told).data, headers={"Cache-Control": "no-store"})

    def _post(self, request: Request, key: UUID) -> Response:
        actor = actor_for(user_of(request), self.model, key)
        body = RenewInput(data=request.data)
        body.is_valid(raise_exception=True)
        renew(by=by(request), actor=actor, on=self.model._default_manager.get(pk=key), **body.validated_data)
        return self._get(request, key)


class PlanDialInView(DialInView):
    @extend_schema(operation_id="plans_dial_in", responses=DialInSerializer)
    def get(self, request: Request, plan_id: UUID) -> Response:
        return self._get(request, plan_id)

    @extend_schema(operation_id="plans_renew_pins", request=RenewInput, responses=DialInSerializer)
    def post(self, request: Request, plan_id: UUID) -> Response:
        return self._post(request, plan_id)


class ConferenceDialInView(DialInView):
    model = Conference

    @extend_schema(operation_id="conferences_dial_in", responses=DialInSerializer)
    def get(self, request: Request, conference_id: UUID) -> Response:
        return self._get(request, conference_id)

    @extend_schema(operation_id="conferences_renew_pins", request=RenewInput, responses=DialInSerializer)
    def post(self, request: Request, conference_id: UUID) -> Response:
        return self._post(request, conference_id)
