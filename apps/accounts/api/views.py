"""Session and people."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.accounts.policy import policy_of
from apps.accounts.sign_in import sign_in, sign_out
from apps.core.api.pages import Pages
from apps.core.api.search import search_text

from .serializers import SessionSerializer, SignInSerializer, UserSerializer


def session_document(request: Request) -> dict[str, Any]:
    user = request.user if isinstance(request.user, User) else None
    return SessionSerializer(
        {"user": user, "abilities": abilities(user) if user else [], "csrf": get_token(request)}
    ).data


def abilities(user: User) -> list[str]:
    """What the organisation's policy lets this person do, apart from any one plan or conference."""
    policy = policy_of(user.unit_id)
    granted = {
        "create_plan": policy.may_create_plans,
        "dial_outside": policy.may_dial_outside,
        "record": policy.may_record,
        "administer": user.is_staff,
    }
    return sorted(name for name, may in granted.items() if may)


class SessionView(APIView):
    permission_classes = [AllowAny]

    @extend_schema(operation_id="session_read", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        """Who am I, and the CSRF token to send with whatever changes something."""
        return Response(session_document(request))

    @extend_schema(operation_id="session_sign_in", request=SignInSerializer, responses=SessionSerializer)
    def post(self, request: Request) -> Response:
        SessionAuthentication().enforce_csrf(request)  # DRF itself asks only signed-in people for the token
        body = SignInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        request.user = sign_in(request._request, **body.validated_data, address=request.META.get("REMOTE_ADDR", ""))
        return Response(session_document(request))

    @extend_schema(operation_id="session_sign_out", responses={204: None})
    def delete(self, request: Request) -> Response:
        sign_out(request._request, address=request.META.get("REMOTE_ADDR", ""))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _ByName(Pages):
    ordering = ("display_name", "id")


@extend_schema(parameters=[OpenApiParameter("q", str, description="Part of the name or the user name.")])
class UserListView(generics.ListAPIView[User]):
    """People to choose from."""

    serializer_class = UserSerializer
    pagination_class = _ByName
    filter_backends = []

    def get_queryset(self) -> QuerySet[User]:
        people = User.objects.filter(is_active=True).select_related("unit")
        if text := search_text(self.request):
            people = people.filter(Q(display_name__icontains=text) | Q(username__icontains=text))
        return people
