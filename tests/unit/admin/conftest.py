from __future__ import annotations

import pytest
from django.test import Client

from apps.accounts.models import User


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("root", "a password", display_name="管理员")


@pytest.fixture
def pages(administrator: User, client: Client) -> Client:
    """A browser that an administrator has signed in with."""
    client.force_login(administrator)
    return client
