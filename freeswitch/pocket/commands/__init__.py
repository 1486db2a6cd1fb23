"""API commands, by name. Each takes the text after its name and returns its reply, word for word FreeSWITCH's."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ..switch import Switch
from . import channels, conference, originate, show, system

log = logging.getLogger(__name__)

Simple = Callable[[Switch, str], str]
Slow = Callable[[Switch, str], Awaitable[str]]

SIMPLE: Final[Mapping[str, Simple]] = {
    **channels.COMMANDS,
    **system.COMMANDS,
    "conference": conference.execute,
    "show": show.execute,
}
SLOW: Final[Mapping[str, Slow]] = {"originate": originate.execute}


async def execute(switch: Switch, line: str) -> str:
    """Run one API command line; a name it does not know is refused and logged."""
    name, _, arguments = line.partition(" ")
    if slow := SLOW.get(name):
        return await slow(switch, arguments)
    if simple := SIMPLE.get(name):
        return simple(switch, arguments)
    log.error("unknown API command %r", name)
    return f"-ERR {name} Command not found!\n"
