"""The system as `make run` starts it, in a directory of its own: tests use its front door, and kill what is inside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self, TypeVar, cast
from uuid import uuid4

import psycopg
import requests
from psycopg.rows import dict_row

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
#: Seconds that a first start may take here; a good one takes a fifth of it.
START = 120.0


def until(what: Callable[[], T], *, within: float, to: str) -> T:
    """Ask again until the answer is true; fails with `to` after `within` seconds."""
    deadline = time.monotonic() + within
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = what()
        except (requests.RequestException, psycopg.OperationalError, OSError) as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        time.sleep(0.1)
    raise AssertionError(f"not within {within:.0f} s: {to}; last: {last!r}")


def _check(answer: requests.Response) -> None:
    """A 503 is a problem document and worth another try (`until` makes it); everything else but 200 is a failure."""
    if answer.status_code == 503:
        assert answer.json()["code"] == "database_away"
        raise requests.HTTPError("the database is away")
    assert answer.status_code == 200, answer.text


class Api:
    """The REST API as somebody who is signed in."""

    def __init__(self, base: str, username: str, password: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.get(f"{base}/api/v1/session/", timeout=10)
        answer = self.post("session/", {"username": username, "password": password})
        assert answer.status_code in (200, 201), answer.text

    def again(self) -> Self:
        """The same login, over connections of its own."""
        other = copy(self)
        other.session = requests.Session()
        other.session.cookies.update(self.session.cookies)
        return other

    def get(self, path: str) -> Any:
        answer = self.session.get(f"{self.base}/api/v1/{path}", timeout=15)
        _check(answer)
        return answer.json()

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every object of a list, page by page."""
        found: list[dict[str, Any]] = []
        url: str | None = f"{self.base}/api/v1/{path}"
        while url:
            answer = self.session.get(url, timeout=15)
            _check(answer)
            page = answer.json()
            found += page["results"]
            url = page["next"]
        return found

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> requests.Response:
        headers = {
            "X-CSRFToken": self.session.cookies.get("csrftoken") or "",
            "Referer": self.base,
            "Idempotency-Key": key or str(uuid4()),
        }
        return self.session.post(f"{self.base}/api/v1/{path}", json=body or {}, headers=headers, timeout=30)

    def act(self, conference: str, action: str, **body: Any) -> dict[str, Any]:
        answer = self.post(f"conferences/{conference}/{action}/", body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def participants(self, conference: str) -> list[dict[str, Any]]:
        return self.all(f"conferences/{conference}/participants/")


class Stack:
    """`start` returns when the page is served; `stop` ends everything. Processes restart by themselves when killed."""

    def __init__(self, var: Path, *, switch: str = "pocket", **environment: str) -> None:
        self.var, self.switch, self.environment = var, switch, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._logins: dict[str, Api] = {}
        self.base = ""

    def start(self) -> Self:
        port = _free_port()
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("SPARKLE_", "DJANGO_"))}
        keep.pop("DATABASE_URL", None)
        keep.pop("REDIS_URL", None)
        log = (self.var / "stack.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sparkle.local"],
            cwd=ROOT,
            env=keep
            | {"SPARKLE_VAR": str(self.var), "SPARKLE_PORT": str(port), "SPARKLE_SWITCH": self.switch}
            | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.base = f"http://127.0.0.1:{port}"
        until(self._serves, within=START, to=f"start the system, see {self.var / 'stack.log'}")
        return self

    def _serves(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.var / "stack.log").read_text(errors="replace")[-4000:]
        return requests.get(f"{self.base}/api/v1/session/", timeout=5).status_code == 200 and self.answers()

    def answers(self) -> bool:
        """Whether the processes serve that the switch asks."""
        port = int((self.var / "xml-port").read_text())
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None

    def sign_in(self, username: str = "demo", *, anew: bool = False) -> Api:
        """As one of the demonstration's users. `anew` for a login of its own: checking a password is dear on purpose,
        so else each user's first login is used again.
        """
        if anew or username not in self._logins:
            login = Api(self.base, username, (self.var / "demo-password").read_text().strip())
            if anew:
                return login
            self._logins[username] = login
        return self._logins[username].again()

    def pid(self, name: str) -> int:
        return int((self.var / "run" / f"{name}.pid").read_text())

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """End one process the hard way; the supervisor starts it again."""
        os.kill(self.pid(name), number)

    def hand_over(self) -> None:
        """Let the standby drive the node: it reads node and gateways at once, where the holder would within 30 s."""
        holder = "SELECT lease_holder FROM switch_node WHERE connected AND lease_until > now()"
        before = until(lambda: self.rows(holder), within=20, to="have a switchboard drive the node")
        os.kill(int(before[0]["lease_holder"].split(":")[1]), signal.SIGTERM)
        until(lambda: self.rows(holder) not in ([], before), within=20, to="let the standby take over")

    def told(self) -> dict[str, str]:
        """The variables of the running installation."""
        return cast(dict[str, str], json.loads((self.var / "environment").read_text()))

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[dict[str, Any]]]:
        with psycopg.connect(self.told()["DATABASE_URL"], autocommit=True, row_factory=dict_row) as connection:
            yield connection

    def rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        with self.database() as connection:
            return connection.execute(statement, parameters).fetchall()


@contextmanager
def running_stack(*, switch: str, **environment: str) -> Iterator[Stack]:
    """A system in a new directory, ended and removed afterwards.

    Not below pytest's own directory: that is for one account only, and PostgreSQL of a root's run is another's.
    """
    with tempfile.TemporaryDirectory(prefix="sparkle-system-") as directory:
        var = Path(directory)
        var.chmod(0o755)
        running = Stack(var, switch=switch, **environment)
        try:
            yield running.start()
        finally:
            running.stop()
            shutil.rmtree(running.told()["SPARKLE_SPOOL_DIR"], ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
