"""A real FreeSWITCH for tests, with accounts for phones, and a connection to drive it and look into it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.switch.commands import Command
from apps.switch.directory import SipAccount, directory_xml
from apps.switch.esl.rendering import LIST_LEGS, render
from sparkle.local.embedded import Server
from sparkle.local.freeswitch import FreeSwitch, prepare_freeswitch
from tests.contract.esl import Client
from tests.servers import running, wait_until


class Esl(Client):
    def __init__(self, switch: FreeSwitch) -> None:
        super().__init__("127.0.0.1", switch.esl_port, switch.esl_password)

    def command(self, command: Command) -> list[str]:
        """Render and send; the replies."""
        return [self.send(text).text for text in render(command)]

    def members(self, room: str) -> dict[UUID, dict[str, Any]]:
        """The flags of the members of a room by leg; empty when there is no such room."""
        text = self.api(f"conference {room} json_list")
        if text.startswith("-ERR"):
            return {}
        members = json.loads(text)[0]["members"]
        return {UUID(member["uuid"]): member["flags"] for member in members if member["type"] == "caller"}

    def legs(self) -> int:
        return int(json.loads(self.send(LIST_LEGS).body)["row_count"])

    def variable(self, leg: UUID, name: str) -> str:
        return self.api(f"uuid_getvar {leg} {name}")


@contextmanager
def running_freeswitch(directory: Path, binary: Path, accounts: list[SipAccount]) -> Iterator[tuple[FreeSwitch, int]]:
    """A FreeSWITCH below `directory` and its process id; ended at once, not after its orderly four seconds."""
    switch = prepare_freeswitch(directory, binary)
    switch.directory_file.write_text(directory_xml(switch.domain, accounts), encoding="utf-8")
    with running(Server(url="", program=switch.program)) as process:
        yield switch, process.pid
        with contextlib.suppress(ConnectionError):  # it ends without an answer
            Esl(switch).api("fsctl shutdown now")
        wait_until(lambda: process.poll() is not None, "FreeSWITCH ends")
