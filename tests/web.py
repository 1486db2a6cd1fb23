"""Processes of the control plane as FreeSWITCH and people meet them, on the tests' database."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from django.db import connection

from sparkle.local.embedded import free_port
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.servers import wait_until


class Web:
    """One program that answers; `url` stays the same over its lives."""

    command: ClassVar[Sequence[str]]

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = connection.settings_dict
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(settings)
        self._process = subprocess.Popen(
            [sys.executable, "-m", *(word.format(port=self._port) for word in self.command)],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            start_new_session=True,
            preexec_fn=dies_with_parent(),
        )
        wait_until(self._serves, "it serves", 60)

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None
        asking = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            asking.request("GET", "/healthz")
            return asking.getresponse().status == 200
        except OSError:
            return False
        finally:
            asking.close()

    def stop(self) -> None:
        """Gone: whoever asks is refused the connection."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    @contextmanager
    def gone(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Whoever asks gets a connection and no answer."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)


class Pages(Web):
    """Pages and REST."""

    command = ["uvicorn", "sparkle.asgi:application", "--port", "{port}", "--no-access-log"]


class Answers(Web):
    """What FreeSWITCH asks."""

    command = ["gunicorn", "--config", "sparkle/xml_gunicorn.py", "--bind", "127.0.0.1:{port}", "--workers", "2"]
