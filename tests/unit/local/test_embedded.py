"""PostgreSQL and Valkey as the supervisor runs them: as root (PostgreSQL is `nobody`'s) and as a plain user."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sparkle.local.embedded import free_port, prepare_postgres, remembered_port
from sparkle.local.environment import ROOT
from sparkle.local.supervise import Account, end_leftovers, leftovers, run_as
from tests.servers import running, wait_until

AT_ONCE = Retry(NoBackoff(), 0)


@dataclass
class Stack:
    """A supervisor of both servers, run by `account`."""

    var: Path
    python: str
    account: Account | None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.var / "urls.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.python, "-m", "tests.unit.local.embedded_stack", str(self.var)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": sysconfig.get_paths()["purelib"]},
            stdout=subprocess.DEVNULL,
            **run_as(self.account),
        )
        wait_until((self.var / "urls.json").exists, "both servers are ready")

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(20)

    def url(self, server: str) -> str:
        return str(json.loads((self.var / "urls.json").read_text())[server])

    def pid(self, server: str) -> int:
        return int((self.var / "run" / f"{server}.pid").read_text())

    def write(self, number: int) -> None:
        with psycopg.connect(self.url("postgres")) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
        with redis.Redis.from_url(self.url("valkey"), retry=AT_ONCE) as client:
            client.rpush("kept", number)

    def kept(self) -> tuple[list[int], list[int]]:
        """What each server has; empty for one that does not answer."""
        rows: list[int] = []
        values: list[int] = []
        try:
            with psycopg.connect(self.url("postgres")) as connection:
                rows = [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]
            with redis.Redis.from_url(self.url("valkey"), decode_responses=True, retry=AT_ONCE) as client:
                values = [int(text) for text in client.lrange("kept", 0, -1)]
        except (psycopg.OperationalError, redis.RedisError):
            pass
        return rows, values


def _reachable(path: str) -> bool:
    real = Path(path).resolve()
    return all(part.stat().st_mode & 0o001 for part in (real, *real.parents))


def _ordinary_python() -> str | None:
    """A Python of our version that every account can run."""
    candidates = [sys.executable, shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")]
    return next((path for path in candidates if path and _reachable(path)), None)


@pytest.fixture(params=["as we are", "ordinary user"])
def stack(request: pytest.FixtureRequest, open_directory: Path) -> Iterator[Stack]:
    python, account = sys.executable, None
    if request.param == "ordinary user":
        if os.geteuid() != 0:
            pytest.skip("we are an ordinary user: covered by the other case")
        found = _ordinary_python()
        if found is None or not _reachable(str(ROOT)):
            pytest.skip("another account can reach no Python or not this checkout")
        nobody = pwd.getpwnam("nobody")
        python, account = found, Account(nobody.pw_uid, nobody.pw_gid)
        os.chown(open_directory, account.uid, account.gid)
    stack = Stack(open_directory, python, account)
    yield stack
    if stack.process is not None:
        stack.process.kill()
        stack.process.wait()
    end_leftovers(open_directory)


def test_servers_keep_port_and_data_through_kills_and_restarts(stack: Stack) -> None:
    stack.start()
    urls = stack.url("postgres"), stack.url("valkey")
    stack.write(1)
    for server in ("postgres", "valkey"):
        os.kill(stack.pid(server), signal.SIGKILL)
    wait_until(lambda: stack.kept() == ([1], [1]), "both are back with their data")
    stack.write(2)
    assert stack.stop() == 0
    assert list(leftovers(stack.var)) == []
    stack.start()
    assert (stack.url("postgres"), stack.url("valkey")) == urls
    assert stack.kept() == ([1, 2], [1, 2])


def test_nobody_else_gets_in(stack: Stack) -> None:
    stack.start()
    for server in ("postgres", "valkey"):
        secret = stack.var / server / "password"
        assert secret.stat().st_mode & 0o077 == 0
        port = int((stack.var / server / "port").read_text())
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex(("127.0.0.2", port)) != 0  # 127.0.0.1 only
    url = stack.url("postgres")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("sparkle:", "sparkle:x"))
    address = stack.url("valkey").split("@")[1]
    with redis.Redis.from_url(f"redis://{address}", retry=AT_ONCE) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_database_sorts_by_code_point_and_knows_chinese(open_directory: Path) -> None:
    server = prepare_postgres(open_directory / "postgres", durable=False)
    with running(server), psycopg.connect(server.url) as connection:
        encoding = connection.execute("SHOW server_encoding").fetchone()
        words = connection.execute("SELECT w FROM unnest(ARRAY['王芳', 'b', 'É', 'B']) w ORDER BY w").fetchall()
        lower = connection.execute("SELECT lower('É')").fetchone()
    assert encoding == ("UTF8",)
    assert words == [("B",), ("b",), ("É",), ("王芳",)]
    assert lower == ("é",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives PostgreSQL to another account")
def test_behind_a_closed_directory_the_data_lie_elsewhere(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = prepare_postgres(tmp_path / "postgres", durable=False)
    home = (tmp_path / "postgres").resolve()
    try:
        assert tmp_path not in home.parents
        with running(server), psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept ()")
        again = prepare_postgres(tmp_path / "postgres", durable=False)
        with running(again), psycopg.connect(again.url) as connection:
            connection.execute("SELECT FROM kept")
    finally:
        shutil.rmtree(home)


def test_a_first_start_that_died_half_way_is_begun_again(open_directory: Path) -> None:
    half = open_directory / "postgres" / "data.part" / "cluster"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = prepare_postgres(open_directory / "postgres", durable=False)
    with running(server), psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_port_is_remembered_until_somebody_else_has_it(tmp_path: Path) -> None:
    first = remembered_port(tmp_path / "port")
    assert remembered_port(tmp_path / "port") == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        assert remembered_port(tmp_path / "port") != first


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(free_port() < lowest for _ in range(50))
