"""The two switches that the contract is run against, each a process of its own."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO

from apps.switch.freeswitch.render import render_configuration
from sparkle.local.freeswitch import prepare_freeswitch
from sparkle.local.supervise import dies_with_parent
from sparkle.local.switch import greets
from tests.contract.esl import Client
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

    def connect(self) -> Client:
        return Client(self.host, self.port, self.password)


class Pocket(SwitchProcess):
    name = "pocket"

    def _launch(self, log: IO[str]) -> subprocess.Popen[str]:
        self.password = secrets.token_hex(8)
        password_file = self.folder / "password"
        password_file.write_text(self.password)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "freeswitch.pocket", "--esl-port", "0", "--heartbeat", "1"),
                *("--password-file", str(password_file), "--data", str(self.folder / "data")),
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=dies_with_parent(),
        )
        assert process.stdout is not None
        ready = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert ready, f"no ready line: see {self.folder}"
        self.port = int(ready.group(1))
        return process


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

    def _ready(self) -> bool:
        return super()._ready() and self._whole is not None and self._whole()
