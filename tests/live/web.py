"""The control plane's web process, as FreeSWITCH meets it, on the tests' database."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from sparkle.local.embedded import free_port
from sparkle.local.environment import ROOT
from sparkle.local.supervise import dies_with_parent
from tests.servers import wait_until


class Web:
    """One web process; `url` stays the same over its lives."""

    def __init__(self) -> None:
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = connection.settings_dict
        url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(settings)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "sparkle.asgi:application", "--port", str(self._port), "--no-access-log"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            preexec_fn=dies_with_parent(),
        )
        wait_until(self._serves, "the web process serves", 60)

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None
        asking = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            asking.request("GET", "/api/v1/session/")
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
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
