"""A service drafts a summary where an administrator has named one: of what is distributed, when somebody asks."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Whisper
from apps.core.models import AuditEntry
from apps.minutes import summarising
from apps.minutes.models import Minutes
from tests.authority import deliver
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import address, ask, heard, minutes_of
from tests.unit.minutes.service import KEY, Service, summary_service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def service(settings: LazySettings) -> Iterator[Service]:
    with summary_service() as service:
        settings.SPARKLE_SUMMARY_URL = f"{service.url}/v1"
        settings.SPARKLE_SUMMARY_MODEL = "writer-1"
        settings.SPARKLE_SUMMARY_KEY = KEY
        yield service


@pytest.fixture(autouse=True)
def key_is_not_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield
    assert KEY not in caplog.text


@pytest.fixture
def scene() -> Scene:
    scene = make_scene(minutes_policy="automatic", phase="ended", title="Budget", prompt_language="en")
    heard(scene, "We agree.")
    heard(scene, "Between us.", role="member", start=2000, hidden=True)
    return scene


@pytest.fixture
def chair(scene: Scene, as_user: SignIn) -> APIClient:
    return as_user(scene.users["chair"])


def summarise(client: APIClient, scene: Scene, whisper: Whisper | None = None) -> tuple[int, Any]:
    return ask(client, "post", address(scene, "summarise/", whisper))


def test_a_draft_is_written(scene: Scene, chair: APIClient, service: Service) -> None:
    assert ask(chair, "get", address(scene))[1]["can_summarise"] is True
    status, body = summarise(chair, scene)
    assert (status, body["summary"]) == (200, "Draft, not written by a person:\nAll agreed.")
    [(path, headers, asked)] = service.asked
    assert (path, headers["Authorization"], asked["model"]) == ("/v1/chat/completions", f"Bearer {KEY}", "writer-1")
    sent = json.dumps(asked)
    assert "Carol: We agree." in sent
    assert "English" in sent
    assert "Between us" not in sent
    [entry] = AuditEntry.objects.filter(action="minutes_sent_out")
    assert entry.detail == {"to": f"127.0.0.1:{summarising.host().rpartition(':')[2]}"}
    ask(chair, "patch", address(scene), {"summary": "Mine."})
    assert summarise(chair, scene)[1]["summary"].startswith("Mine.\n\nDraft")


def test_nothing_is_sent_unless_somebody_was_named(scene: Scene, chair: APIClient) -> None:
    assert ask(chair, "get", address(scene))[1]["can_summarise"] is False
    assert summarise(chair, scene)[1]["code"] == "summary_off"


def test_who_asks_for_it(scene: Scene, as_user: SignIn, service: Service) -> None:
    member = as_user(scene.users["member"])
    assert ask(member, "get", address(scene))[1]["can_summarise"] is False
    assert summarise(member, scene)[0] == 403
    assert summarise(as_user(scene.users["outsider"]), scene)[0] == 404
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["chair"])
    heard(scene, "Psst.", whisper=whisper)
    assert summarise(as_user(scene.users["chair"]), scene, whisper)[1]["code"] == "summary_off"
    Minutes.objects.update(state="signed")
    assert summarise(as_user(scene.users["chair"]), scene)[1]["code"] == "minutes_signed"
    assert not service.asked


@pytest.mark.parametrize(
    ("status", "answer", "detail"),
    [
        (401, {"error": {"message": f"Incorrect API key provided: {KEY}"}}, "refused it (status 401)"),
        (429, {"error": "slowly"}, "refused it (status 429)"),
        (500, b"oh", "refused it (status 500)"),
        (204, b"", "refused it (status 204)"),
        (200, {"choices": []}, "no summary"),
        (200, {"choices": [{"message": {"content": None}}]}, "no summary"),
        (200, {"choices": [{"message": {"content": " \u0007"}}]}, "no summary"),
        (200, b"not json", "no summary"),
        (200, b"[" * 100_000, "no summary"),
        (200, b"\xff\xfe{}", "no summary"),
        (200, b"x" * 1_000_001, "no summary"),
    ],
)
def test_what_is_no_summary_is_told(
    scene: Scene, chair: APIClient, service: Service, status: int, answer: Any, detail: str
) -> None:
    service.status, service.answer = status, answer
    refused(scene, chair, detail)
    assert len(service.asked) == 1


def refused(scene: Scene, chair: APIClient, detail: str) -> None:
    status, body = summarise(chair, scene)
    assert (status, body["code"]) == (502, "summary_failed")
    assert detail in body["detail"]
    assert KEY not in json.dumps(body)
    assert minutes_of(scene).summary == ""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_is_not_sent_elsewhere(scene: Scene, chair: APIClient, service: Service, status: int) -> None:
    with summary_service() as other:
        service.status, service.headers = status, {"Location": f"{other.url}/v1/chat/completions"}
        refused(scene, chair, f"refused it (status {status})")
        assert (len(service.asked), other.asked) == (1, [])


def test_it_is_told_to_whom_a_known_authority_vouches_for(
    scene: Scene, chair: APIClient, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SPARKLE_SUMMARY_MODEL, settings.SPARKLE_SUMMARY_KEY = "writer-1", KEY
    certificate = deliver(tmp_path / "meant", "127.0.0.1")
    with summary_service(certificate) as service:
        settings.SPARKLE_SUMMARY_URL = f"{service.url}/v1"
        refused(scene, chair, "cannot be reached")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.root))
        settings.SPARKLE_SUMMARY_URL = f"{service.url.replace('127.0.0.1', 'localhost')}/v1"
        refused(scene, chair, "cannot be reached")
        assert not service.asked
        settings.SPARKLE_SUMMARY_URL = f"{service.url}/v1"
        assert summarise(chair, scene)[0] == 200


BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = BEGUN + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize(
    ("before", "drop", "each"),
    [
        (b"", b"", 0.1),
        (b"", b"H", 0.1),
        (BEGUN, b"X", 0.1),
        (BEGUN + b"\r\n", b" ", 0.1),
        (CHUNKED, b"1\r\n \r\n", 0.1),
        (CHUNKED, b"0", 0.1),
        (CHUNKED + b"0\r\n", b"X: y\r\n", 0.001),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
        # All that it says is right, and it goes on.
        (BEGUN + b'Content-Length: 99999\r\n\r\n{"choices": [{"message": {"content": "All agreed."}}]}', b" ", 0.1),
    ],
    ids=["silence", "status", "header", "body", "chunks", "chunk size", "trailers", "continue", "length"],
)
def test_it_does_not_take_for_ever(
    scene: Scene,
    chair: APIClient,
    settings: LazySettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: bytes,
    drop: bytes,
    each: float,
    over_tls: bool,
) -> None:
    certificate = deliver(tmp_path / "meant", "127.0.0.1") if over_tls else None
    if certificate:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.root))
    monkeypatch.setattr(summarising, "LIMIT", 0.5)
    settings.SPARKLE_SUMMARY_MODEL, settings.SPARKLE_SUMMARY_KEY = "writer-1", KEY
    with summary_service(certificate) as service:
        settings.SPARKLE_SUMMARY_URL = f"{service.url}/v1"
        service.drips(before, drop=drop, each=each)
        began = time.monotonic()
        refused(scene, chair, "The service took too long.")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("before", "detail"), [(CHUNKED, "cannot be reached"), (BEGUN, "no summary"), (b"SSH-2.0\r\n", "cannot be reached")]
)
def test_what_is_cut_off_or_another_protocol_is_told(
    scene: Scene, chair: APIClient, service: Service, before: bytes, detail: str
) -> None:
    service.instead = lambda: iter([before])
    refused(scene, chair, detail)


def test_an_answer_without_end_is_not_kept(scene: Scene, chair: APIClient, service: Service) -> None:
    service.drips(CHUNKED, drop=b"10000\r\n" + b" " * 0x10000 + b"\r\n", each=0)
    refused(scene, chair, "no summary")


def test_what_a_reader_would_not_see_is_left_out(scene: Scene, chair: APIClient, service: Service) -> None:
    service.answer["choices"][0]["message"]["content"] = "\u202eAll\x00 agreed\x1b[31m.\r\nBob\ud800: minutes\ufffe."
    assert summarise(chair, scene)[1]["summary"].partition("\n")[2] == "All agreed[31m.\nBob: minutes."


def test_a_service_that_is_away_is_told(scene: Scene, chair: APIClient, settings: LazySettings) -> None:
    settings.SPARKLE_SUMMARY_URL = "http://127.0.0.1:1/v1"
    assert summarise(chair, scene)[1]["detail"] == "The service cannot be reached."


def test_there_has_to_be_something_to_summarise(scene: Scene, chair: APIClient, service: Service) -> None:
    scene.conference.minutes.get().passages.all().delete()
    assert summarise(chair, scene)[1]["detail"] == "There is nothing to summarise."
    assert not service.asked
