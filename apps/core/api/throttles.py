"""The limits of the API, for what comes by another way than REST."""

from __future__ import annotations

from typing import Any, Protocol, cast

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView


class Caller(Protocol):
    """Whoever asks, as DRF's throttles see them."""

    @property
    def pk(self) -> Any: ...

    @property
    def is_authenticated(self) -> Any: ...


def count_request(caller: Caller) -> None:
    """Count one request of this caller, together with those by REST. Raises DRF's Throttled beyond the limit."""
    request = Request(HttpRequest())
    request.user = cast(Any, caller)  # DRF's stubs know users with a login only
    APIView().check_throttles(request)
