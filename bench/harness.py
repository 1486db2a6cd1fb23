"""What the benches share: servers of their own, child processes that answer questions, and the table of results.

Everything runs on loopback and below one temporary directory, and is gone when the bench ends. Peers and limits are
measured in the same run, in turns with ours, and medians are compared: on a machine with other load only ratios mean
anything.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Self, cast

from sparkle.local.embedded import prepare_postgres, prepare_valkey
from sparkle.local.supervise import dies_with_parent
from tests.servers import running

ROOT = Path(__file__).resolve().parents[1]
#: Seconds for anything that should take a few at most.
PATIENCE = 120.0


@contextmanager
def installation(**environment: str) -> Iterator[Path]:
    """PostgreSQL (durable, as in production) and Valkey of our own, the tables, and Django set up; the directory."""
    with tempfile.TemporaryDirectory(prefix="sparkle-bench-") as directory, ExitStack() as stack:
        var = Path(directory)
        var.chmod(0o755)  # PostgreSQL of a root's run is another account's
        for name in [name for name in os.environ if name.startswith(("SPARKLE_", "DJANGO_"))]:
            del os.environ[name]
        servers = prepare_postgres(var / "postgres"), prepare_valkey(var / "valkey")
        for server in servers:
            stack.enter_context(running(server))
        os.environ |= {
            "DATABASE_URL": servers[0].url,
            "REDIS_URL": servers[1].url,
            "SPARKLE_VAR": str(var),
            "SPARKLE_LOG_LEVEL": "ERROR",
            **environment,
        }
        set_up_django()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0, interactive=False)
        try:
            yield var
        finally:
            connections.close_all()


def set_up_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")
    django.setup()


class Child:
    """A process of a bench: `python -m MODULE ARGUMENTS`. It reads questions and writes answers, a line of JSON each
    (`answer_questions`), or is just there.
    """

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=dies_with_parent(),
        )
        self.name = f"{module} {' '.join(arguments)}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, what: str, **details: Any) -> Any:
        """Raises RuntimeError when the process ended instead."""
        self.tell(what, **details)
        return self.answer()

    def tell(self, what: str, **details: Any) -> None:
        """A question whose answer is fetched later, with `answer`."""
        stream = cast(IO[str], self._process.stdin)
        stream.write(json.dumps({"what": what, **details}) + "\n")
        stream.flush()

    def answer(self) -> Any:
        line = cast(IO[str], self._process.stdout).readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self._process.wait(5)}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        for stream in (self._process.stdin, self._process.stdout):
            cast(IO[str], stream).close()


def answer_questions(answers: dict[str, Callable[..., Any]], read: Callable[[], str] = sys.stdin.readline) -> None:
    """Answer until the parent hangs up. `read` is what the process waits with."""
    while line := read():
        question = json.loads(line)
        print(json.dumps(answers[question.pop("what")](**question)), flush=True)


def until(condition: Callable[[], object], what: str, within: float = PATIENCE, pause: float = 0.005) -> None:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:.0f} s: {what}")
        time.sleep(pause)


def cpu_seconds(pid: int) -> float:
    """User and system time of a running process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> int:
    """Resident bytes of a running process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


median = statistics.median


class Report:
    """Prints figures as they come, and at the end what they mean."""

    def __init__(self, title: str) -> None:
        self._missed = 0
        print(f"\n{title}\n{'-' * len(title)}", flush=True)

    def figure(self, name: str, value: str) -> None:
        print(f"  {name:<58} {value:>22}", flush=True)

    def at_most(self, name: str, ratio: float, target: float) -> None:
        self._verdict(f"{name}: {ratio:.2f}, at most {target:g}", ratio <= target)

    def at_least(self, name: str, ratio: float, target: float) -> None:
        self._verdict(f"{name}: {ratio:.2f}, at least {target:g}", ratio >= target)

    def holds(self, name: str, truth: bool) -> None:
        self._verdict(name, truth)

    def _verdict(self, text: str, passed: bool) -> None:
        self._missed += not passed
        print(f"  {'pass' if passed else 'MISS'}  {text}", flush=True)

    @property
    def status(self) -> int:
        return 1 if self._missed else 0


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
