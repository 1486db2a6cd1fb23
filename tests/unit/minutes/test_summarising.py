"""A service drafts a summary where an administrator has named one: of what is distributed, when somebody asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Whisper
from apps.core.models import AuditEntry
from apps.minutes import summarising
from apps.minutes.models import Minutes
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import address, ask, heard, minutes_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


class Service:
    """It behaves like an OpenAI-compatible one. `status`, `answer`: what it says; `drips`: a byte each so many seconds,
    for ever.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.answer: Any = {"choices": [{"message": {"role": "assistant", "content": "All agreed.\n"}}]}
        self.drips = 0.0
        self.stop = threading.Event()


@pytest.fixture
def service(settings: LazySettings) -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append((self.path, dict(self.headers), json.loads(body)))
            data = service.answer if isinstance(service.answer, bytes) else json.dumps(service.answer).encode()
            self.send_response(service.status)
            self.send_header("Location", "/elsewhere")
            if not service.drips:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            while service.drips and not service.stop.wait(service.drips):
                self.wfile.write(b" ")
                self.wfile.flush()
            self.wfile.write(data)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    settings.SPARKLE_SUMMARY_URL = f"http://127.0.0.1:{server.server_address[1]}/v1"
    settings.SPARKLE_SUMMARY_MODEL = "writer-1"
    settings.SPARKLE_SUMMARY_KEY = "sk-test"
    yield service
    service.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


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
    assert (path, headers["Authorization"], asked["model"]) == ("/v1/chat/completions", "Bearer sk-test", "writer-1")
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
        (401, {"error": "no"}, "refused it (status 401)"),
        (307, {}, "refused it (status 307)"),
        (200, {"choices": []}, "no summary"),
        (200, {"choices": [{"message": {"content": None}}]}, "no summary"),
        (200, {"choices": [{"message": {"content": " \u0007"}}]}, "no summary"),
        (200, b"not json", "no summary"),
        (200, b"x" * 1_000_001, "no summary"),
    ],
)
def test_what_is_no_summary_is_told(
    scene: Scene, chair: APIClient, service: Service, status: int, answer: Any, detail: str
) -> None:
    service.status, service.answer = status, answer
    got, body = summarise(chair, scene)
    assert (got, body["code"]) == (502, "summary_failed")
    assert detail in body["detail"]
    assert minutes_of(scene).summary == ""
    assert len(service.asked) == 1, "no redirection is followed"


def test_it_does_not_take_for_ever(
    scene: Scene, chair: APIClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summarising, "LIMIT", 0.5)
    service.drips = 0.1
    assert summarise(chair, scene)[1]["detail"] == "The service took too long."


def test_a_service_that_is_away_is_told(scene: Scene, chair: APIClient, settings: LazySettings) -> None:
    settings.SPARKLE_SUMMARY_URL = "http://127.0.0.1:1/v1"
    assert summarise(chair, scene)[1]["detail"] == "The service cannot be reached."


def test_there_has_to_be_something_to_summarise(scene: Scene, chair: APIClient, service: Service) -> None:
    scene.conference.minutes.get().passages.all().delete()
    assert summarise(chair, scene)[1]["detail"] == "There is nothing to summarise."
    assert not service.asked
