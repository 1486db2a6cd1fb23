"""Signing minutes off, and taking them out of the system."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conferences.access import Action
from apps.conferences.api.serializers import InstantField
from apps.core.api.fields import TextField
from apps.core.api.idempotency import IdempotentMixin
from apps.minutes.exports.registry import EXPORTS
from apps.minutes.models import Delivery
from apps.minutes.services.exporting import export
from apps.minutes.services.sending import send
from apps.minutes.services.signing import reopen, sign
from apps.recordings.api.audio import AnyAudio
from apps.recordings.api.views import NOT_KEPT

from . import serializers as said
from .editing import EditableMinutesView, OfWrittenMinutes
from .views import WHISPER


def site_of(request: Request) -> str:
    """What links to the pages begin with."""
    return settings.SPARKLE_SITE_URL or request.build_absolute_uri("/").rstrip("/")


class SignInput(serializers.Serializer[Any]):
    seq = serializers.IntegerField(min_value=0, help_text="Of the minutes, as the caller saw them.")


class SignView(EditableMinutesView):
    """Not idempotent by a key, which would hold a transaction open while all that was recorded is read: a repeat finds
    what it signed.
    """

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="minutes_sign", parameters=[WHISPER], request=SignInput, responses=said.MinutesSerializer
    )
    def post(self, request: Request, conference_id: UUID) -> Response:
        """Lock what the caller saw, as a version with its hash chain. It reads all that was recorded."""
        actor, minutes = self.written()
        body = SignInput(data=request.data)
        body.is_valid(raise_exception=True)
        sign(by=self.by(), actor=actor, minutes=minutes, seq=body.validated_data["seq"], site=site_of(request))
        return self.get(request, conference_id)


class ReopenView(IdempotentMixin, EditableMinutesView):
    http_method_names = ["post", "options"]

    @extend_schema(operation_id="minutes_reopen", parameters=[WHISPER], request=None, responses=said.MinutesSerializer)
    def post(self, request: Request, conference_id: UUID) -> Response:
        """Let them be corrected again; what was signed stays."""
        actor, minutes = self.written()
        reopen(by=self.by(), actor=actor, minutes=minutes)
        return self.get(request, conference_id)


class SendInput(serializers.Serializer[Any]):
    subject = TextField(max_length=200, required=False, allow_blank=True)
    message = TextField(max_length=4000, required=False, allow_blank=True, multiline=True)
    version = serializers.IntegerField(min_value=1, required=False, help_text="One that was signed; else the last.")
    draft = serializers.BooleanField(required=False, help_text="Send them although nobody has signed them.")


class SkippedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    reason = serializers.CharField(help_text="no_login, not_active, no_address, may_not_read")


class SentSerializer(serializers.Serializer[Any]):
    sent = serializers.IntegerField(help_text="To how many it goes out.")
    skipped = SkippedSerializer(many=True)


class DeliverySerializer(serializers.Serializer[Any]):
    name = serializers.CharField(source="user.display_name")
    state = serializers.ChoiceField(Delivery.State.choices)
    reason = serializers.CharField(
        help_text="mail_server, refused, interrupted (it may have arrived), may_not_read, template_unusable"
    )
    version = serializers.IntegerField(source="mailing.version.number", allow_null=True, default=None)
    at = InstantField(source="changed_at")


class SendView(IdempotentMixin, OfWrittenMinutes):
    pagination_class = None

    @extend_schema(operation_id="minutes_send", parameters=[WHISPER], request=SendInput, responses=SentSerializer)
    def post(self, request: Request, conference_id: UUID) -> Response:
        """By mail, as a Word document, to everybody who attended, has a login with an address, and may read them."""
        actor, minutes = self.written()
        body = SendInput(data=request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        number = values.pop("version", None)
        sent, skipped = send(by=self.by(), actor=actor, minutes=minutes, site=site_of(request), number=number, **values)
        return Response(SentSerializer({"sent": sent, "skipped": skipped}).data)

    @extend_schema(operation_id="minutes_deliveries", parameters=[WHISPER], responses=DeliverySerializer(many=True))
    def get(self, request: Request, conference_id: UUID) -> Response:
        """What became of the last hundred mails."""
        actor, minutes = self.written()
        actor.require(Action.EXPORT)
        rows = Delivery.objects.filter(mailing__minutes=minutes).select_related("user", "mailing__version")
        return Response(DeliverySerializer(rows.order_by("-pk")[:100], many=True).data, headers=NOT_KEPT)


class ExportInput(serializers.Serializer[Any]):
    format = serializers.ChoiceField(list(EXPORTS), default="docx")
    version = serializers.IntegerField(min_value=1, required=False, help_text="One that was signed.")


class ExportView(OfWrittenMinutes):
    content_negotiation_class = AnyAudio

    @extend_schema(
        operation_id="minutes_export",
        parameters=[
            WHISPER,
            OpenApiParameter("format", str, enum=list(EXPORTS), default="docx"),
            OpenApiParameter("version", int, description="One that was signed."),
        ],
        responses={(200, each.media_type.partition(";")[0]): OpenApiTypes.BINARY for each in EXPORTS.values()},
    )
    def get(self, request: Request, conference_id: UUID) -> HttpResponse:
        """A file of what is distributed: a signed version; without one, the minutes as they are now."""
        actor, minutes = self.written()
        asked = ExportInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        file = export(
            by=self.by(),
            actor=actor,
            minutes=minutes,
            kind=asked.validated_data["format"],
            number=asked.validated_data.get("version"),
            site=site_of(request),
        )
        headers = {**NOT_KEPT, "Content-Disposition": content_disposition_header(True, file.name) or ""}
        return HttpResponse(file.data, content_type=file.media_type, headers=headers)
