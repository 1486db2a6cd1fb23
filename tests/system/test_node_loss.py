"""A node that is gone for good: everybody is called back into place on another one, and nobody on both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkle.local.embedded import free_port
from sparkle.local.switch import greets
from tests.system.plans import launch, mobile, person, states
from tests.system.stack import ROOT, Stack, until
from tests.system.watch import Watch, rooms, wait_for_agreement

PASSWORD = "second"
NODE = "Node.objects.create(name='second', esl_port={port}, esl_password='{password}')"


@contextmanager
def second_node(stack: Stack, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another pocket switch, as the only node that takes new conferences."""
    port = free_port()
    (directory / "password").write_text(PASSWORD)
    command = ["-m", "freeswitch.pocket", "--esl-port", str(port), "--password-file", str(directory / "password")]
    process = subprocess.Popen([sys.executable, *command, "--data", str(directory)], cwd=ROOT)
    statement = f"from apps.switch.models import Node; {NODE.format(port=port, password=PASSWORD)}"
    try:
        until(lambda: greets("127.0.0.1", port), within=20, to="start another switch")
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", statement],
            cwd=ROOT,
            env=os.environ | stack.told(),
            check=True,
        )
        take_conferences(stack, second=True)
        connected = "SELECT 1 FROM switch_node WHERE name = 'second' AND connected"
        until(lambda: stack.rows(connected), within=20, to="have a switchboard drive it")
        yield process
    finally:
        take_conferences(stack, second=False)
        process.kill()
        process.wait(10)


def take_conferences(stack: Stack, *, second: bool) -> None:
    with stack.database() as database:
        database.execute("UPDATE switch_node SET enabled = (name = 'second') = %s", (second,))


def test_everybody_is_called_back_on_another_node(stack: Stack, tmp_path: Path) -> None:
    api = stack.sign_in()
    with second_node(stack, tmp_path) as switch, Watch(stack) as watch:
        conference = launch(api, [person(f"参会人{index}", mobile(5500 + index)) for index in range(6)])
        until(lambda: set(states(api, conference).values()) == {"connected"}, within=60, to="bring everybody in")
        assert rooms(stack) == [], "they are on the other node"
        ids = {each["name"]: each["id"] for each in api.participants(conference)}
        api.act(conference, "forbid", participants=[ids["参会人0"]])
        people = [ids["参会人1"], ids["参会人2"]]
        whisper = api.act(conference, "whisper_open", title="私语", participants=people)["whisper"]
        api.act(conference, "remove", participants=[ids["参会人3"]])
        until(lambda: states(api, conference)["参会人3"] == "left", within=20, to="remove somebody")

        switch.send_signal(signal.SIGKILL)
        unreachable = "SELECT 1 FROM switch_node WHERE name = 'second' AND NOT connected"
        until(lambda: stack.rows(unreachable), within=20, to="miss the node")
        assert rooms(stack) == [], "it may come back"
        take_conferences(stack, second=False)
        with stack.database() as database:  # as if its time had run out
            database.execute(
                "UPDATE switch_node SET unreachable_since = now() - interval '1 hour' WHERE name = 'second'"
            )

        def in_place() -> bool:
            by_name = {each["name"]: each for each in api.participants(conference)}
            removed = by_name.pop("参会人3")
            return (
                all(each["state"] == "connected" for each in by_name.values())
                and removed["state"] == "left"
                and by_name["参会人0"]["observed_muted"]
                and by_name["参会人1"]["room"] == by_name["参会人2"]["room"] == whisper
                and by_name["参会人4"]["room"] == "main"
            )

        until(in_place, within=60, to="bring everybody back into place on the first node")
        wait_for_agreement(stack, conference)
    assert set(watch.calls.values()) == {1}, "everybody was called there once"
    assert mobile(5503) not in watch.calls, "and nobody who had been removed"
    causes = {each["cause"] for each in api.all(f"conferences/{conference}/attempts/") if each["phase"] == "ended"}
    assert "NODE_LOST" in causes
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=60, to="leave no room behind")
