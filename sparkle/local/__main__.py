"""`python -m sparkle.local`: the whole system on one machine, until Ctrl-C (`make run`).

Everything it keeps is below `var` (or `SPARKLE_VAR`). `DATABASE_URL` and `REDIS_URL` win over the embedded servers,
`SPARKLE_PORT` over the port; `sparkle.local.switch` says how the switch is chosen.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import os
import sys
from pathlib import Path

from sparkle.env import envstr
from sparkle.local.embedded import port_is_free, prepare_postgres, prepare_valkey, remembered_port, remembered_secret
from sparkle.local.environment import ROOT, remember_installation, var_directory
from sparkle.local.model import FOLDER
from sparkle.local.recording import recording_environment
from sparkle.local.supervise import Kind, Lock, Program, StartError, Supervisor
from sparkle.local.switch import Switch, choose_switch

DEMO_USER = "demo"
FIRST_PORT = 8000


def main() -> int:
    var = var_directory()
    try:
        with Lock(var):
            return _run(var)
    except StartError as error:
        print(f"\nSparkleConference cannot start: {error}\nLogs: {var / 'log'}", file=sys.stderr)
        return 1


def _run(var: Path) -> int:
    os.chdir(ROOT)  # where Python finds the project's packages
    foundation: list[Program] = []
    told = {
        "SPARKLE_VAR": str(var),
        "SPARKLE_SECRET_KEY": os.environ.get("SPARKLE_SECRET_KEY") or remembered_secret(var / "secret-key"),
    }
    own_database = not os.environ.get("DATABASE_URL")
    if own_database:
        postgres = prepare_postgres(var / "postgres")
        foundation.append(postgres.program)
        told["DATABASE_URL"] = postgres.url
    if not os.environ.get("REDIS_URL"):
        valkey = prepare_valkey(var / "valkey")
        foundation.append(valkey.program)
        told["REDIS_URL"] = valkey.url
    port = _web_port()
    xml_port = remembered_port(var / "xml-port")
    told["SPARKLE_XML_URL"] = f"http://127.0.0.1:{xml_port}"
    switch = choose_switch(var, told["SPARKLE_XML_URL"])
    if switch.program and not switch.configure:
        foundation.append(switch.program)
    told |= switch.environment
    told |= recording_environment(var)
    # Whoever starts this without the bootstrap has no model, and minutes say so.
    told["SPARKLE_MINUTES_MODEL"] = os.environ.get("SPARKLE_MINUTES_MODEL") or (str(FOLDER) if FOLDER.is_dir() else "")
    password = remembered_secret(var / "demo-password", size=9)  # a person types it
    told["SPARKLE_DEMO_PASSWORD_FILE"] = str(var / "demo-password")
    stamp, fingerprint = var / "prepared", _fingerprint(told)
    told["SPARKLE_SITE_URL"] = os.environ.get("SPARKLE_SITE_URL") or f"http://127.0.0.1:{port}"
    os.environ |= told
    remember_installation(var, {name: os.environ[name] for name in (*told, "DATABASE_URL", "REDIS_URL")})

    stages = [foundation]
    # Of a database that is not ours nobody knows what became of it since.
    if not (own_database and stamp.exists() and stamp.read_text() == fingerprint):
        stages.append([Program("prepare", _python("sparkle.local.prepare"), kind=Kind.STEP)])
    if switch.program and switch.configure:
        stages += [[switch.configure], [switch.program]]
    stages.append(_applications(var, port, xml_port))

    def started() -> None:
        stamp.write_text(fingerprint)
        print(_welcome(port, password, switch), flush=True)

    asyncio.run(Supervisor(var, stages).run(started))
    return 0


def _applications(var: Path, port: int, xml_port: int) -> list[Program]:
    celery = ["--quiet", "-A", "sparkle.celery"]
    node = envstr("SPARKLE_NODE_NAME", "local")
    alone = ["--without-gossip", "--without-mingle"]
    worker = ["--queues", f"default,media,files.{node}", "--concurrency", "2", *alone]
    sealer = ["--queues", f"media.{node}", "--hostname", "sealer@%h", "--concurrency", "1", "--pool", "prefork", *alone]
    minutes = ["--queues", "minutes", "--hostname", "minutes@%h", "--concurrency", "1", "--pool", "prefork", *alone]
    web = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--timeout-graceful-shutdown", "3"]
    # One prebuilt frame goes to all sockets: compressing it for each would cost more than it saves.
    web += ["--ws", "apps.core.websocket:SharingProtocol", "--ws-per-message-deflate", "false"]
    xml = ["--config", "sparkle/xml_gunicorn.py", "--bind", f"127.0.0.1:{xml_port}", "--workers", "2"]
    return [
        Program(
            "web",
            _python("uvicorn", "sparkle.asgi:application", *web),
            ready=lambda: _serves(port, "/"),
        ),
        # What the switch asks while somebody waits on the line.
        Program("xml", _python("gunicorn", *xml), ready=lambda: _serves(xml_port, "/healthz")),
        # One holds the lease of a node, the other stands by to take it over.
        Program("switchboard-1", [sys.executable, "manage.py", "switchboard"]),
        Program("switchboard-2", [sys.executable, "manage.py", "switchboard"]),
        Program("worker", _python("celery", *celery, "worker", "--loglevel", "INFO", *worker)),
        # One process for the queue, which keeps its files open from one job to the next. A child of the worker
        # (prefork): while it seals, which it always does, the worker itself gives its signs of life and takes signals.
        Program("sealer", _python("celery", *celery, "worker", "--loglevel", "INFO", *sealer)),
        # Speech to text, which fills a core for as long as there is some: apart from all that somebody waits for.
        Program(
            "minutes",
            _python("celery", *celery, "worker", "--loglevel", "INFO", *minutes),
            env={"OMP_NUM_THREADS": "1"},
        ),
        # Not inside the worker: there it would be a process that outlives a killed worker.
        Program("beat", _python("celery", *celery, "beat", "--schedule", str(var / "celerybeat-schedule"))),
    ]


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _web_port() -> int:
    """`SPARKLE_PORT`, or the first free port from 8000 on."""
    chosen = os.environ.get("SPARKLE_PORT")
    if chosen is None:
        return next(port for port in range(FIRST_PORT, 65536) if port_is_free(port))
    if not chosen.isdigit() or not 0 < int(chosen) < 65536:
        raise StartError(f"SPARKLE_PORT={chosen!r}: write a port number")
    if not port_is_free(int(chosen)):
        raise StartError(f"port {chosen} (SPARKLE_PORT) is in use")
    return int(chosen)


def _fingerprint(told: dict[str, str]) -> str:
    """What migrations and demonstration data depend on: the database, the switch, the code of the applications."""
    digest = hashlib.sha256(repr(sorted(told.items())).encode())
    for file in sorted((ROOT / "apps").rglob("*.py")):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _serves(port: int, path: str) -> bool:
    """Whether an answer comes; the first also loads what Django loads late."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def _welcome(port: int, password: str, switch: Switch) -> str:
    lines = [
        "SparkleConference is running · 会议系统已启动",
        f"  URL · 网址      http://127.0.0.1:{port}/",
        f"  login · 登录    {DEMO_USER} / {password}",
        f"  switch · 交换机  {switch.description}",
        "  Ctrl-C ends everything · 按 Ctrl-C 全部停止",
    ]
    rule = "─" * 78
    return "\n".join(["", rule, *lines, rule, ""])


if __name__ == "__main__":
    sys.exit(main())
