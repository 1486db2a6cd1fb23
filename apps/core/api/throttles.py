"""The limits of the API, for what comes by another way than REST."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView


def count_request(user: AbstractBaseUser) -> None:
    """Count one request of this user, together with those by REST. Raises DRF's Throttled beyond the limit."""
    request = Request(HttpRequest())
    request.user = cast(Any, user)  # of the model that the settings name
    APIView().check_throttles(request)
