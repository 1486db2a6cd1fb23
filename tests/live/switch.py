"""A real FreeSWITCH for tests, with accounts for phones, and a connection to drive it and look into it."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.switch.commands import Command
from apps.switch.esl.rendering import render
from apps.switch.freeswitch.render import render_configuration
from sparkle.local.embedded import Server
from sparkle.local.freeswitch import FreeSwitch, prepare_freeswitch
from tests.contract.esl import Client
from tests.freeswitch import configuration_of
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
        """By the count of sessions: the list of channels is some moments behind."""
        count = re.search(r"^(\d+) session\(s\) - peak", self.api("status"), re.M)
        assert count is not None
        return int(count[1])

    def variable(self, leg: UUID, name: str) -> str:
        return self.api(f"uuid_getvar {leg} {name}")


def settled(switch: FreeSwitch) -> bool:
    """Whether all profiles run, which until then open their ports and refuse calls, and the last module is known."""
    esl = Esl(switch)
    try:
        running = esl.api("sofia xmlstatus").count("RUNNING") >= 3
        return running and '"mod_tone_stream"' in esl.api("show modules as json")
    finally:
        esl.close()


@contextmanager
def running_freeswitch(
    directory: Path, binary: Path, xml_url: str, *, dialplan: str | None = None
) -> Iterator[tuple[FreeSwitch, int]]:
    """A FreeSWITCH below `directory` and its process id; ended at once, not after its orderly four seconds.

    With `dialplan`, that is what becomes of calls from outside, and the control plane is not asked about them.
    """
    switch = prepare_freeswitch(directory, binary)
    conf = render_configuration(configuration_of(switch, xml_url=xml_url), directory)
    if dialplan is not None:
        (conf / "dialplan" / "public.xml").write_text(dialplan, encoding="utf-8")
        bindings = conf / "autoload_configs" / "xml_curl.conf.xml"
        bindings.write_text(bindings.read_text().replace('bindings="dialplan"', 'bindings="chatplan"'))
    with running(Server(url="", program=switch.program)) as process:
        wait_until(lambda: settled(switch), "FreeSWITCH is ready")
        yield switch, process.pid
        with contextlib.suppress(ConnectionError):  # it ends without an answer
            Esl(switch).api("fsctl shutdown now")
        wait_until(lambda: process.poll() is not None, "FreeSWITCH ends")
