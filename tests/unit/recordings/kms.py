"""AWS KMS as it answers over HTTP on loopback, by moto; it counts, can be slow, and can fail."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3.session
import pytest

from tests.unit.recordings.aws import EMULATOR

REGION = "eu-central-1"


class Kms:
    """KMS, and this process's way to it: AWS_ENDPOINT_URL_KMS leads to a door in front of the emulator."""

    def __init__(self) -> None:
        self._behind = f"http://127.0.0.1:{EMULATOR.start()}"
        self._door = _Door(self)
        threading.Thread(target=self._door.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._door.server_port}"
        self.asked: list[tuple[str, dict[str, str]]] = []
        """What was asked for, and in which context."""
        self.fails: tuple[int, str] | None = None
        """What everybody gets: status and code."""
        self.answers = threading.Event()
        """Whether there is an answer, or not yet."""
        self.answers.set()

    def key(self) -> str:
        """The ARN of a new one."""
        client: Any = boto3.session.Session().client("kms", region_name=REGION, endpoint_url=self._behind)
        return str(client.create_key()["KeyMetadata"]["Arn"])

    def of(self, action: str) -> list[str | None]:
        """For which tracks this was asked."""
        return [context.get("track") for each, context in self.asked if each == action]

    def forward(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        asked = json.loads(body)
        action = headers["X-Amz-Target"].partition(".")[2]
        self.asked.append((action, asked.get("EncryptionContext", {})))
        self.answers.wait(30)
        if self.fails:
            return self.fails[0], json.dumps({"__type": self.fails[1]}).encode()
        try:
            with urlopen(Request(self._behind, body, headers)) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def close(self) -> None:
        self.answers.set()
        self._door.shutdown()
        self._door.server_close()


class _Door(ThreadingHTTPServer):
    def __init__(self, kms: Kms) -> None:
        self.kms = kms
        super().__init__(("127.0.0.1", 0), _Passing)

    def handle_error(self, *_: Any) -> None:
        """Who asked has gone."""


class _Passing(BaseHTTPRequestHandler):
    server: _Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        status, answer = self.server.kms.forward(kept, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    kms = Kms()
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", kms.url)
    yield kms
    kms.close()
