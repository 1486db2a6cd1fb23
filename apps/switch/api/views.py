"""Setting up one's telephone. What these tell is told once: no answer is kept, here or on the way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import segno
from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import NotFound
from apps.switch import provisioning
from apps.switch.models import Extension

NO_STORE = {"Cache-Control": "no-store"}


class ServerSerializer(serializers.Serializer[Any]):
    host = serializers.CharField()
    port = serializers.IntegerField()


class PhoneSerializer(serializers.Serializer[Any]):
    """An extension, and where its telephone registers."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    display_name = serializers.CharField()
    has_password = serializers.BooleanField(help_text="Without one nobody can register.")
    servers = ServerSerializer(many=True, help_text="SIP over TLS; media by SRTP with keys in SDP.")
    realm = serializers.CharField()
    certificate = serializers.BooleanField(help_text="There is a private authority to be trusted: certificate/.")


class AccountSerializer(serializers.Serializer[Any]):
    user = serializers.CharField()
    password = serializers.CharField(help_text="Told now and never again.")
    realm = serializers.CharField()
    servers = ServerSerializer(many=True)
    baresip = serializers.CharField(help_text="Lines for baresip's file accounts.")


class LinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Linphone fetches its configuration here, once.")
    qr = serializers.CharField(help_text="The same as a QR code: the address (data:) of an SVG image.")
    expires_at = serializers.DateTimeField()


def _servers(found: Any) -> list[dict[str, Any]]:
    return [{"host": host, "port": port} for host, port in found]


def _phones(extensions: list[Extension]) -> Any:
    about = {
        "servers": _servers(provisioning.servers()),
        "realm": settings.SPARKLE_SIP_REALM,
        "certificate": provisioning.authority() is not None,
    }
    fields = ("id", "number", "display_name")
    return PhoneSerializer(
        [
            {**{name: getattr(each, name) for name in fields}, "has_password": bool(each.a1_hash), **about}
            for each in extensions
        ],
        many=True,
    ).data


def _user(request: Request) -> User:
    user: User = request.user  # type: ignore[assignment] # these views are for those who have signed in
    return user


def _by(request: Request) -> audit.By:
    return audit.By(_user(request), request.META.get("REMOTE_ADDR") or None)


class PhoneListView(APIView):
    @extend_schema(operation_id="phones_own", responses=PhoneSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's own extensions: a few at most, so without pages."""
        return Response(_phones(list(provisioning.extensions_of(_user(request)))))


class PhoneView(APIView):
    @extend_schema(operation_id="phones_retrieve", responses=PhoneSerializer)
    def get(self, request: Request, extension_id: UUID) -> Response:
        """One's own extension, or any for those who manage extensions."""
        return Response(_phones([provisioning.extension_for(_user(request), extension_id)])[0])


class PasswordView(APIView):
    """Not idempotent by a key, which would keep the password: a repeat gives another, and the earlier is void."""

    @extend_schema(operation_id="phones_password", request=None, responses=AccountSerializer)
    def post(self, request: Request, extension_id: UUID) -> Response:
        account = provisioning.new_account(by=_by(request), user=_user(request), extension_id=extension_id)
        document = {
            "user": account.number,
            "password": account.password,
            "realm": account.realm,
            "servers": _servers(account.servers),
            "baresip": provisioning.baresip(account),
        }
        return Response(AccountSerializer(document).data, headers=NO_STORE)


class LinkView(APIView):
    """Not idempotent by a key, which would keep the link: a repeat gives another, and the earlier is void."""

    @extend_schema(operation_id="phones_link", request=None, responses=LinkSerializer)
    def post(self, request: Request, extension_id: UUID) -> Response:
        token, end = provisioning.new_link(by=_by(request), user=_user(request), extension_id=extension_id)
        url = request.build_absolute_uri(reverse("provisioning", args=[token]))
        code = segno.make(url, error="m", micro=False)
        document = {"url": url, "qr": code.svg_data_uri(scale=4, border=4), "expires_at": end}
        return Response(LinkSerializer(document).data, headers=NO_STORE)


class CertificateView(APIView):
    @extend_schema(operation_id="phones_certificate", responses={(200, "application/x-pem-file"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> HttpResponse:
        """The certificate of the private authority that telephones have to trust."""
        found = provisioning.authority()
        if found is None:
            raise NotFound
        headers = {"Content-Disposition": 'attachment; filename="sparkle-ca.pem"'}
        return HttpResponse(found, content_type="application/x-pem-file", headers=headers)
