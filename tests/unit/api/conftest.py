from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from apps.accounts.models import User


@pytest.fixture(autouse=True)
def _no_counts_of_other_tests() -> None:
    cache.clear()


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """A client that is signed in as this user, who reads English."""

    def sign_in(user: User) -> APIClient:
        client = APIClient(headers={"accept-language": "en"})
        client.force_login(user)
        return client

    return sign_in
