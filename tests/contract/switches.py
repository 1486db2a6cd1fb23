"""The two switches that the contract is run against, each a process of its own."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from apps.switch.freeswitch.render import render_configuration
from sparkle.local.freeswitch import prepare_freeswitch
from sparkle.local.supervise import dies_with_parent
from sparkle.local.switch import greets
from tests.authority import sign_for_carrier
from tests.contract.esl import Client
from tests.contract.phone import Phone
from tests.doubles.control_plane import ControlPlane
from tests.freeswitch import configuration_of
from tests.servers import wait_until


class SwitchProcess(ABC):
    """A switch on loopback. `folder` is where tests may let it write recordings and lay sounds."""

    name: str
    host = "127.0.0.1"
    port: int
    password: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    @abstractmethod
    def _launch(self, log: IO[str]) -> subprocess.Popen[str]:
        """Start the process and set `port` and `password`."""

    def start(self) -> None:
        with (self.folder / f"{self.name}.log").open("a") as log:
            self._process = self._launch(log)
        wait_until(self._ready, f"{self.name} answers", 60)

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} ended: see {self.folder}"
        return greets(self.host, self.port)

    def kill(self) -> None:
        """Die at once, without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(40)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def connect(self) -> Client:
        return Client(self.host, self.port, self.password)

    @contextmanager
    @abstractmethod
    def phone(self) -> Iterator[str]:
        """The dial string of a SIP phone that takes every call at once, with Opus and SRTP, and is silent."""


class Pocket(SwitchProcess):
    """With a control plane to ask, browsers may come: `browsers` is the URL of its WebSocket then."""

    name = "pocket"
    browsers = ""

    def __init__(self, folder: Path, plane: ControlPlane | None = None) -> None:
        super().__init__(folder)
        self._plane = plane

    def _launch(self, log: IO[str]) -> subprocess.Popen[str]:
        self.password = secrets.token_hex(8)
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "freeswitch.pocket", "--esl-port", "0", "--heartbeat", "1"),
                *("--password-file", str(password_file), "--data", str(self.folder / "data")),
                *self._asking(),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=dies_with_parent(),
        )
        assert process.stdout is not None
        ready = re.search(r"Event Socket 127\.0\.0\.1:(\d+)(?:, browsers (\S+),)?", process.stdout.readline())
        assert ready, f"no ready line: see {self.folder}"
        self.port, self.browsers = int(ready.group(1)), ready.group(2) or ""
        return process

    @contextmanager
    def phone(self) -> Iterator[str]:
        yield "sofia/internal/sip:9000@127.0.0.1;transport=tls"

    def _asking(self) -> list[str]:
        if self._plane is None:
            return []
        secret = self.folder / "xml-password"
        secret.write_text(self._plane.password)
        return [
            *("--xml-url", self._plane.url, "--xml-name", self._plane.name, "--xml-password-file", str(secret)),
            *("--domain", self._plane.domain, "--realm", self._plane.realm),
        ]


class FreeSwitch(SwitchProcess):
    name = "freeswitch"

    def __init__(self, folder: Path, binary: Path) -> None:
        super().__init__(folder)
        self._binary = binary

    def _launch(self, log: IO[str]) -> subprocess.Popen[str]:
        prepared = prepare_freeswitch(self.folder / "freeswitch", self._binary)
        render_configuration(configuration_of(prepared), prepared.home, rehearsal=True)
        self.port, self.password = prepared.esl_port, prepared.esl_password
        self._whole = prepared.program.ready
        return subprocess.Popen(
            prepared.program.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            preexec_fn=dies_with_parent(),
        )

    @contextmanager
    def phone(self) -> Iterator[str]:
        certificates = self.folder / "freeswitch" / "certs"
        with Phone(sign_for_carrier(certificates, self.host, self.folder / "phone.pem")) as phone:
            yield f"sofia/internal/sip:9000@{self.host}:{phone.port};transport=tls"

    def _ready(self) -> bool:
        return super()._ready() and self._whole is not None and self._whole()
