"""`POST conferences/{id}/{action}/`: one view for each action of services/actions.py."""

from __future__ import annotations

from uuid import UUID

from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conferences.services.actions import ACTIONS, perform
from apps.conferences.services.inputs import Nothing
from apps.core.api.idempotency import IdempotentMixin

from .joining import WITH_GUESTS, caller_of
from .serializers import AnswerSerializer
from .views import address_of


def _view(name: str) -> type[IdempotentMixin]:
    taken = ACTIONS[name].input

    class ActionView(IdempotentMixin):
        authentication_classes = WITH_GUESTS

        @extend_schema(
            operation_id=f"conferences_{name}",
            tags=["live control"],
            request=None if taken is Nothing else taken,
            responses=AnswerSerializer,
        )
        def post(self, request: Request, conference_id: UUID) -> Response:
            answer = perform(
                user=caller_of(request),
                conference_id=conference_id,
                action=name,
                body=request.data,
                address=address_of(request),
            )
            return Response(answer)

    return ActionView


action_patterns: list[URLPattern] = [
    path(f"conferences/<uuid:conference_id>/{name}/", _view(name).as_view(), name=f"conference-{name}")
    for name in ACTIONS
]
