"""A real FreeSWITCH for tests, and a plain Event Socket client to drive it and look into it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.switch.commands import Command
from apps.switch.directory import SipAccount, directory_xml
from apps.switch.esl.framing import Frame, Framer
from apps.switch.esl.rendering import LIST_LEGS, authenticate, render
from sparkle.local.embedded import Server
from sparkle.local.freeswitch import FreeSwitch, prepare_freeswitch
from tests.servers import running, wait_until


class Esl:
    """Sends commands one after another; a reply is awaited before the next."""

    def __init__(self, switch: FreeSwitch) -> None:
        self._socket = socket.create_connection(("127.0.0.1", switch.esl_port), timeout=20)
        self._framer = Framer()
        self._frames: list[Frame] = []
        assert self._next().content_type == "auth/request"
        assert self._ask(authenticate(switch.esl_password)).headers["Reply-Text"] == "+OK accepted"

    def api(self, command: str) -> str:
        return self._ask(f"api {command}").body.decode()

    def send(self, command: Command) -> list[str]:
        """Render and send; the replies."""
        frames = [self._ask(line) for line in render(command)]
        return [frame.body.decode() or frame.headers.get("Reply-Text", "") for frame in frames]

    def members(self, room: str) -> dict[UUID, dict[str, Any]]:
        """The flags of the members of a room by leg; empty when there is no such room."""
        text = self.api(f"conference {room} json_list")
        if text.startswith("-ERR"):
            return {}
        members = json.loads(text)[0]["members"]
        return {UUID(member["uuid"]): member["flags"] for member in members if member["type"] == "caller"}

    def legs(self) -> int:
        return int(json.loads(self._ask(LIST_LEGS).body)["row_count"])

    def variable(self, leg: UUID, name: str) -> str:
        return self.api(f"uuid_getvar {leg} {name}")

    def close(self) -> None:
        self._socket.close()

    def _ask(self, command: str) -> Frame:
        self._socket.sendall(f"{command}\n\n".encode())
        return self._next()

    def _next(self) -> Frame:
        while not self._frames:
            data = self._socket.recv(65536)
            if not data:
                raise EOFError("FreeSWITCH closed the connection")
            self._frames = self._framer.feed(data)
        return self._frames.pop(0)


@contextmanager
def running_freeswitch(directory: Path, binary: Path, accounts: list[SipAccount]) -> Iterator[tuple[FreeSwitch, int]]:
    """A FreeSWITCH below `directory` and its process id; ended at once, not after its orderly four seconds."""
    switch = prepare_freeswitch(directory, binary)
    switch.directory_file.write_text(directory_xml(switch.domain, accounts), encoding="utf-8")
    with running(Server(url="", program=switch.program)) as process:
        yield switch, process.pid
        shut_down(switch)
        wait_until(lambda: process.poll() is not None, "FreeSWITCH ends")


def shut_down(switch: FreeSwitch) -> None:
    esl = Esl(switch)
    try:
        esl.api("fsctl shutdown now")
    except (EOFError, ConnectionResetError):
        pass  # it ends without an answer
    finally:
        esl.close()
