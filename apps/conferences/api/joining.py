"""Joining from a browser, and the link of guests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, TokenAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.conferences import guests
from apps.conferences.access import Action
from apps.conferences.actors import Caller
from apps.conferences.models import Conference, GuestLink
from apps.conferences.selectors import actor_for
from apps.conferences.services.guests import conference_of_link, enter
from apps.conferences.services.joining import Joining, join
from apps.core import audit
from apps.core.api.fields import TextField
from apps.core.errors import NotFound

from .serializers import InstantField
from .views import OfConference, address_of


class GuestAuthentication(SessionAuthentication):
    """A guest's cookie. Who is signed in besides is asked for before and is no guest."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        guest = guests.guest_of(request.COOKIES)
        if guest is None:
            return None
        self.enforce_csrf(request)
        return guest, None


class GuestScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = GuestAuthentication
    name = "guestAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": guests.COOKIE}


#: For what guests may do as well.
WITH_GUESTS: list[type[BaseAuthentication]] = [TokenAuthentication, SessionAuthentication, GuestAuthentication]


def caller_of(request: Request) -> Caller:
    """Views with WITH_GUESTS let in users and guests only."""
    caller: Caller = request.user  # type: ignore[assignment]
    return caller


class JoinInput(serializers.Serializer[Any]):
    resume = serializers.BooleanField(
        default=False, help_text="Go on with a call that broke: refused (not_wanted) to who was removed meanwhile."
    )


class IceServerSerializer(serializers.Serializer[Any]):
    urls = serializers.ListField(child=serializers.CharField())


class SipSerializer(serializers.Serializer[Any]):
    uri = serializers.CharField()
    user = serializers.CharField()
    password = serializers.CharField(help_text="Told now and never again.")
    realm = serializers.CharField()
    target = serializers.CharField(help_text="Whom to call.")
    ws_urls = serializers.ListField(child=serializers.CharField())
    ice_servers = IceServerSerializer(many=True)


class JoiningSerializer(serializers.Serializer[Any]):
    sip = SipSerializer()
    participant = serializers.UUIDField()
    expires_at = InstantField()


def _document(joining: Joining) -> Any:
    node, name = joining.conference.node, joining.account.name
    domain = node.domain.partition(":")[0]
    sip = {
        "uri": f"sip:{name}@{domain}",
        "user": name,
        "password": joining.password,
        "realm": settings.SPARKLE_SIP_REALM,
        "target": f"sip:join@{domain}",
        "ws_urls": [node.browser_url],
        "ice_servers": [{"urls": settings.SPARKLE_STUN_SERVERS}] if settings.SPARKLE_STUN_SERVERS else [],
    }
    return JoiningSerializer(
        {"sip": sip, "participant": joining.participant.pk, "expires_at": joining.account.expires_at}
    ).data


class JoinView(APIView):
    """Not idempotent by a key, which would keep the password: a repeat gives a new account, and the earlier is void."""

    authentication_classes = WITH_GUESTS

    @extend_schema(operation_id="conferences_join", request=JoinInput, responses=JoiningSerializer)
    def post(self, request: Request, conference_id: UUID) -> Response:
        body = JoinInput(data=request.data)
        body.is_valid(raise_exception=True)
        caller = caller_of(request)
        joining = join(
            by=audit.By(caller, address_of(request)),
            user=caller,
            conference_id=conference_id,
            session_key=request.session.session_key or "" if isinstance(caller, User) else "",
            resume=body.validated_data["resume"],
        )
        return Response(_document(joining), headers={"Cache-Control": "no-store"})


class InvitationSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="Of the page for guests.")
    pin = serializers.CharField()


class InvitationView(OfConference[Any]):
    """What to send to guests. There is none until `guest_link` makes one."""

    needs = Action.GUEST_LINK
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="invitation_retrieve")
    def get(self, request: Request, conference_id: UUID) -> Response:
        self.actor()
        link = GuestLink.objects.filter(conference=conference_id).first()
        if link is None:
            raise NotFound
        return Response(
            InvitationSerializer({"path": f"/join/{link.token}", "pin": link.pin}).data,
            headers={"Cache-Control": "no-store"},
        )


class EnterInput(serializers.Serializer[Any]):
    name = TextField(max_length=64)
    pin = serializers.CharField(max_length=12)


class DoorSerializer(serializers.Serializer[Any]):
    """Where a guest's link leads; `inside`: whether the caller has a part in it already."""

    conference = serializers.UUIDField()
    title = serializers.CharField()
    inside = serializers.BooleanField()


class DoorView(APIView):
    """The door of guests, for everybody who has the link. A repeat of the POST is another guest."""

    authentication_classes = WITH_GUESTS
    permission_classes = [AllowAny]

    @extend_schema(operation_id="guests_door", responses=DoorSerializer)
    def get(self, request: Request, token: str) -> Response:
        conference = conference_of_link(token)
        return Response(_door(conference, inside=_is_inside(request.user, conference)))

    @extend_schema(operation_id="guests_enter", request=EnterInput, responses=DoorSerializer)
    def post(self, request: Request, token: str) -> Response:
        SessionAuthentication().enforce_csrf(request)  # DRF itself asks only signed-in people for the token
        body = EnterInput(data=request.data)
        body.is_valid(raise_exception=True)
        caller = caller_of(request) if request.user.is_authenticated else None
        conference, guest = enter(token=token, **body.validated_data, caller=caller, address=address_of(request) or "")
        response = Response(_door(conference, inside=True))
        if guest is not None:
            response.set_cookie(
                guests.COOKIE,
                guests.cookie_of(guest),
                max_age=guests.LASTS,
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response


def _is_inside(caller: Any, conference: Conference) -> bool:
    try:
        actor_for(caller, Conference, conference.pk)
    except NotFound:
        return False
    return True


def _door(conference: Conference, *, inside: bool) -> Any:
    return DoorSerializer({"conference": conference.pk, "title": conference.title, "inside": inside}).data
