"""The supervisor, as a process of its own over small scripts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sparkle.local.environment import ROOT
from sparkle.local.supervise import end_leftovers, leftovers
from tests.servers import wait_until

SLEEP = "import signal; signal.pause()"
# Says when it ends, so that the order can be seen.
NOTE = """
import pathlib, signal, sys
def end(*_):
    with pathlib.Path({var!r}, "ends").open("a") as file: file.write({name!r} + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path({var!r}, {name!r} + ".up").touch()
while True: signal.pause()
"""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True: signal.pause()
"""
# A child that leads a session of its own: neither its parent's death nor the end of its parent's group reaches it.
STRAY = """
import subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
pathlib.Path({var!r}, "stray").write_text(str(child.pid))
child.wait()
"""

Start = Callable[..., subprocess.Popen[str]]


def program(name: str, script: str, **more: str) -> dict[str, str]:
    return {"name": name, "script": script, **more}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor of `tmp_path` over stages of programs."""
    begun: list[subprocess.Popen[str]] = []

    def start(*stages: list[dict[str, str]]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.unit.local.script_stack", str(tmp_path), json.dumps(stages)]
        begun.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()
    end_leftovers(tmp_path)


def pid(var: Path, name: str) -> int:
    """0 while there is none."""
    try:
        return int((var / "run" / f"{name}.pid").read_text())
    except FileNotFoundError:
        return 0


def stray(var: Path) -> int:
    """The process that STRAY has started."""
    file = var / "stray"
    wait_until(lambda: file.exists() and file.read_text() != "", "the child runs")
    child = int(file.read_text())
    wait_until(lambda: child in alive(var), "the child bears the mark")
    return child


def alive(var: Path) -> list[int]:
    return list(leftovers(var))


def wait_for(file: Path) -> None:
    wait_until(file.exists, f"{file.name} appears")


def test_a_killed_program_is_started_again(tmp_path: Path, start: Start) -> None:
    start([program("one", SLEEP), program("two", SLEEP)])
    wait_for(tmp_path / "started")
    first, untouched = pid(tmp_path, "one"), pid(tmp_path, "two")
    for _ in range(3):
        before = pid(tmp_path, "one")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda before=before: pid(tmp_path, "one") not in (0, before), "it runs again")  # type: ignore[misc]
    assert pid(tmp_path, "one") != first
    assert pid(tmp_path, "two") == untouched


def test_what_a_killed_program_leaves_in_its_group_is_ended_before_it_starts_again(
    tmp_path: Path, start: Start
) -> None:
    script = STRAY.format(var=str(tmp_path)).replace(", start_new_session=True", "")
    start([program("one", script)])
    child = stray(tmp_path)
    os.kill(pid(tmp_path, "one"), signal.SIGKILL)
    wait_until(lambda: child not in alive(tmp_path), "the child is gone")
    wait_until(lambda: len(alive(tmp_path)) == 2, "both run again")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything_in_reverse_order(tmp_path: Path, start: Start, number: signal.Signals) -> None:
    var = str(tmp_path)
    process = start(*([program(name, NOTE.format(var=var, name=name))] for name in ("first", "second", "third")))
    for name in ("first", "second", "third"):
        wait_for(tmp_path / f"{name}.up")
    process.send_signal(number)
    assert process.wait(20) == 0
    assert (tmp_path / "ends").read_text().split() == ["third", "second", "first"]
    assert alive(tmp_path) == []
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_second_signal_ends_even_who_does_not_listen(tmp_path: Path, start: Start) -> None:
    process = start([program("deaf", DEAF)])
    log = tmp_path / "log" / "deaf.log"
    wait_until(lambda: log.exists() and "deaf" in log.read_text(), "it ignores SIGTERM")
    process.send_signal(signal.SIGTERM)
    own_log = tmp_path / "log" / "sparkle.log"
    wait_until(lambda: own_log.exists() and "stopping" in own_log.read_text(), "it begins to stop")
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0  # the deadline alone is ten seconds
    assert alive(tmp_path) == []


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, start: Start) -> None:
    process = start([program("one", SLEEP)], [program("deaf", DEAF)])
    wait_for(tmp_path / "started")
    assert len(alive(tmp_path)) == 2
    process.kill()
    wait_until(lambda: not alive(tmp_path), "all are gone")


def test_a_stray_that_outlived_a_killed_supervisor_is_ended_at_the_next_start(tmp_path: Path, start: Start) -> None:
    process = start([program("one", STRAY.format(var=str(tmp_path)))])
    child = stray(tmp_path)
    process.kill()
    wait_until(lambda: alive(tmp_path) == [child], "only the stray is left")
    (tmp_path / "started").unlink(missing_ok=True)
    start([program("one", SLEEP)])
    wait_for(tmp_path / "started")
    assert alive(tmp_path) == [pid(tmp_path, "one")]


def test_a_second_start_on_the_same_directory_is_refused(tmp_path: Path, start: Start) -> None:
    first = start([program("one", SLEEP)])
    wait_for(tmp_path / "started")
    running = pid(tmp_path, "one")
    second = start([program("one", SLEEP)])
    assert second.wait(20) != 0
    assert second.stderr is not None
    message = second.stderr.read()
    assert f"runs already (process {first.pid})" in message
    assert "SPARKLE_VAR" in message
    assert pid(tmp_path, "one") == running


def test_a_step_is_done_before_the_next_stage_begins(tmp_path: Path, start: Start) -> None:
    var = str(tmp_path)
    step = f"import pathlib; pathlib.Path({var!r}, 'made').touch()"
    needs = (
        f"import pathlib, signal; pathlib.Path({var!r}, 'made').rename(pathlib.Path({var!r}, 'used')); signal.pause()"
    )
    start([program("step", step, kind="STEP")], [program("one", needs)])
    wait_for(tmp_path / "used")
    wait_for(tmp_path / "started")


@pytest.mark.parametrize("more", [{"kind": "STEP"}, {"ready": "never"}])
def test_a_start_that_cannot_succeed_ends_with_the_reason(tmp_path: Path, start: Start, more: dict[str, str]) -> None:
    process = start([program("one", SLEEP)], [program("broken", "import sys; sys.exit('the reason')", **more)])
    assert process.wait(20) != 0
    assert process.stderr is not None
    message = process.stderr.read()
    assert "broken" in message
    assert "status 1" in message
    assert "the reason" in (tmp_path / "log" / "broken.log").read_text()
    assert alive(tmp_path) == []


def test_what_programs_print_stands_on_the_terminal_behind_their_names_and_in_their_logs(tmp_path: Path) -> None:
    script = "import sys, time; print('中文', flush=True); sys.stderr.write('cut off'); sys.stderr.flush(); sys.exit(0)"
    stages = [[program("one", script, kind="STEP")], [program("two", "print('hello')", kind="STEP")]]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.local.script_stack", str(tmp_path), json.dumps(stages)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    wait_for(tmp_path / "started")
    process.terminate()
    output, _ = process.communicate(timeout=20)
    lines = [line for line in output.decode().splitlines() if "sparkle" not in line]
    assert lines == ["one     | 中文", "one     | cut off", "two     | hello"]
    assert (tmp_path / "log" / "one.log").read_text() == "中文\ncut off\n"
