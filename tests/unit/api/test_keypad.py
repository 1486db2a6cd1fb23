"""The card of a telephone's keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.keypad.table import COMMANDS
from tests.factories import make_scene

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]


def test_the_card_has_every_key_and_who_may_use_it(as_user: AsUser) -> None:
    scene = make_scene(member_may_invite=True)
    address = f"/api/v1/conferences/{scene.conference.pk}/keypad/"
    commands = as_user(scene.users["participant"]).get(address).json()["commands"]
    assert [each["keys"] for each in commands] == list(COMMANDS)
    roles = {each["name"]: each["roles"] for each in commands}
    assert roles["mute"] == ["participant", "member", "chair", "manager", "owner"]
    assert roles["redial"] == ["member", "chair", "manager", "owner"]
    assert roles["lock"] == ["chair", "manager", "owner"]
    assert as_user(scene.users["outsider"]).get(address).status_code == 404
