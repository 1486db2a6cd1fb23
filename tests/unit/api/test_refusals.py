"""Whatever is refused, wherever in the stack: a problem document with a stable code, never a page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from apps.accounts.models import User
from apps.conferences.models import Conference, Plan
from tests.factories import make_conference, make_user

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], APIClient]

PLANS = "/api/v1/plans/"
JSON = "application/json"


@pytest.fixture
def alice(as_user: AsUser) -> APIClient:
    client = as_user(make_user("alice"))
    client.raise_request_exception = False
    return client


def refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:sparkle:problem:{code}"
    assert document["title"]
    assert document["detail"]
    return document


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/plans", "/api/v1/plans/no-uuid/", "/api/v2/plans/"])
def test_unknown_addresses(alice: APIClient, path: str) -> None:
    refused(alice.get(path), 404, "not_found")
    refused(alice.post(path, {}), 404, "not_found")


def test_an_unknown_action(alice: APIClient) -> None:
    conference = make_conference(User.objects.get())
    refused(alice.post(f"/api/v1/conferences/{conference.pk}/dance/", {}), 404, "not_found")


def test_methods(alice: APIClient) -> None:
    conference = make_conference(User.objects.get())
    one = f"/api/v1/conferences/{conference.pk}/"
    for method, path, allowed in (
        ("put", PLANS, {"GET", "POST"}),
        ("delete", one, {"GET"}),
        ("get", f"{one}mute/", {"POST"}),
        ("post", f"{one}participants/", {"GET"}),
        ("patch", "/api/v1/session/", {"GET", "POST", "DELETE"}),
    ):
        answer = getattr(alice, method)(path, {})
        refused(answer, 405, "method_not_allowed")
        assert {*answer["Allow"].split(", ")} - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize(
    "body", ["{", "", "[" * 100_000, '{"title": NaN}', b'{"title": "\xff"}', '{"minutes": ' + "9" * 5000 + "}"]
)
def test_bodies_that_are_no_json(alice: APIClient, body: str | bytes) -> None:
    answer = alice.post(PLANS, body, content_type=JSON)
    if body == "":
        assert refused(answer, 400, "invalid")["errors"][0]["field"] == "title"
    else:
        refused(answer, 400, "malformed")
    assert not Plan.objects.exists()


@pytest.mark.parametrize("body", ["[1]", '"x"', "7"])
def test_bodies_that_are_no_object(alice: APIClient, body: str) -> None:
    conference = make_conference(User.objects.get())
    answer = refused(alice.post(f"/api/v1/conferences/{conference.pk}/lock/", body, content_type=JSON), 400, "invalid")
    assert answer["errors"][0]["field"] == ""
    assert not Conference.objects.get().locked


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "one"}])
def test_a_body_that_is_too_large(alice: APIClient, headers: dict[str, str]) -> None:
    body = '{"title": "T", "agenda": "' + "x" * 3 * 1024 * 1024 + '"}'
    refused(alice.post(PLANS, body, headers=headers, content_type=JSON), 413, "body_too_large")
    assert not Plan.objects.exists()


def test_formats(alice: APIClient) -> None:
    refused(
        alice.post(PLANS, "title=T", content_type="application/x-www-form-urlencoded"), 415, "unsupported_media_type"
    )
    refused(alice.get(PLANS, headers={"accept": "text/csv"}), 406, "not_acceptable")


def test_a_foreign_host(alice: APIClient) -> None:
    refused(alice.get(PLANS, headers={"host": "elsewhere.example"}), 400, "malformed_request")
    assert alice.get("/", headers={"host": "elsewhere.example"})["Content-Type"].startswith("text/html")


def test_without_the_token_against_forgery() -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user("alice"))
    refused(client.post(PLANS, {"title": "T"}), 403, "csrf_failed")
    conference = make_conference(User.objects.get())
    refused(client.post(f"/api/v1/conferences/{conference.pk}/end/"), 403, "csrf_failed")
    refused(client.delete("/api/v1/session/"), 403, "csrf_failed")


@pytest.mark.parametrize("token", ["Token nothing", "Token", "Token a b", "Token \u00e9"])
def test_tokens_that_are_none(token: str) -> None:
    answer = APIClient().get(PLANS, headers={"authorization": token})
    refused(answer, 401, "not_signed_in")
    assert answer["WWW-Authenticate"] == "Token"


#: It looks like one, but its position is none.
FORGED = b64encode(b"p=zzz").decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("plans/?cursor=zzz", "cursor"),
        (f"plans/?cursor={FORGED}", "cursor"),
        (f"conferences/{{}}/participants/?cursor={FORGED}", "cursor"),
        (f"conferences/{{}}/attempts/?cursor={FORGED}", "cursor"),
        (f"extensions/?cursor={b64encode(b'p=%00').decode()}", "cursor"),
        ("conferences/?plan=zzz", "plan"),
        ("conferences/?phase=zzz", "phase"),
        ("plans/?q=%00", "q"),
        ("conferences/{}/participants/?page_size=zzz", "page_size"),
        ("conferences/{}/participants/?page_size=0", "page_size"),
        ("conferences/{}/attempts/?participant=zzz", "participant"),
    ],
)
def test_parameters_of_lists(alice: APIClient, query: str, field: str) -> None:
    conference = make_conference(User.objects.get())
    answer = refused(alice.get(f"/api/v1/{query.format(conference.pk)}"), 400, "invalid")
    assert [error["field"] for error in answer["errors"]] == [field]


@pytest.mark.parametrize("key", ["", "two words", "ключ", "x" * 129])
def test_idempotency_keys_that_are_none(alice: APIClient, key: str) -> None:
    answer = refused(alice.post(PLANS, {"title": "T"}, headers={"idempotency-key": key}), 400, "invalid")
    assert answer["errors"][0]["field"] == "Idempotency-Key"
    assert not Plan.objects.exists()


def test_too_many_requests(alice: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": "2/min", "user": "3/min"})
    cache.clear()
    for client, most in ((alice, 3), (APIClient(), 2)):
        for _ in range(most):
            assert client.get("/api/v1/session/").status_code == 200
        answer = client.get("/api/v1/session/")
        refused(answer, 429, "rate_limited")
        assert 0 < int(answer["Retry-After"]) <= 60
