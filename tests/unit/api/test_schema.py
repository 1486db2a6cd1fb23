"""Whatever the schema allows is answered as the schema says: random requests, the same in each run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import LazySettings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from rest_framework.authtoken.models import Token
from schemathesis import checks

from sparkle.wsgi import application
from tests.factories import make_extension, make_guest_link, make_plan, make_scene
from tests.unit.minutes.records import heard
from tests.unit.recordings.conftest import recordings

__all__ = ["recordings"]

EXAMPLES = 3
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """Requests leave the test's database connection open, as with Django's own test client."""
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.mark.django_db
@pytest.mark.usefixtures("_one_connection", "recordings")
def test_random_requests_are_answered_as_the_schema_says(settings: LazySettings, tmp_path: Path) -> None:
    """The ids in addresses are real ones, so that what is behind them is reached; nothing lasts beyond its request."""
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application)
    scene = make_scene()
    passage = heard(scene, "We agree.", "On all that was said.")
    real = {
        "passage_id": str(passage.pk),
        "conference_id": str(scene.conference.pk),
        "participant_id": str(scene.others["member"].pk),
        "conferences": str(scene.conference.pk),
        "plans": str(make_plan(scene.users["owner"], people=1).pk),
        "extension_id": str(make_extension("8001", user=scene.users["owner"]).pk),
        "token": make_guest_link(scene.conference),
    }
    token = Token.objects.create(user=scene.users["owner"]).key
    asked = 0

    def ask(case: Any) -> None:
        nonlocal asked
        for name in case.path_parameters or {}:
            case.path_parameters[name] = real.get(name) or real[case.path.split("/")[3]]
        case.headers = {**dict(case.headers or {}), "Authorization": f"Token {token}"}
        with transaction.atomic():
            response = case.call()
            transaction.set_rollback(True)
        case.validate_response(response, checks=CHECKS)
        asked += 1

    for found in schema.get_all_operations():
        operation: Any = found
        every = given(case=operation.ok().as_strategy())
        few = examples(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seed(1)(few(every(lambda case: ask(case))))()
    assert asked > 100
