"""Servers for tests: started, awaited, ended, and gone when the test run dies."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from sparkle.local.embedded import Server
from sparkle.local.supervise import dies_with_parent, run_as


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Return as soon as `condition` holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    pause = Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        pause.wait(0.02)


@contextmanager
def running(server: Server) -> Iterator[subprocess.Popen[bytes]]:
    program = server.program
    process = subprocess.Popen(
        program.command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=dies_with_parent(),
        **run_as(program.account),
    )
    try:
        assert program.ready is not None
        wait_until(program.ready, f"{program.name} is ready")
        yield process
    finally:
        process.send_signal(program.stop)
        process.wait(20)
