"""Commands on the switch as a whole (mod_commands.c)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from ..switch import VERSION, Switch, spell_duration
from .text import split, whole_number

log = logging.getLogger(__name__)


def version(_switch: Switch, arguments: str) -> str:
    return VERSION.partition("-")[0] if arguments == "short" else f"FreeSWITCH Version {VERSION} (pocket switch)\n"


def status(switch: Switch, _arguments: str) -> str:
    legs, count = len(switch.legs), switch.leg_count
    return (
        f"UP {spell_duration(switch.uptime)}\n"
        f"FreeSWITCH (Version {VERSION}) is ready\n"
        f"{count.since_startup} session(s) since startup\n"
        f"{legs} session(s) - peak {legs}, last 5min {legs} \n"
        f"{count.last_second} session(s) per Sec out of max {switch.sessions_per_second}, "
        f"peak {count.peak}, last 5min {count.peak} \n"
        f"{switch.max_sessions} session(s) max\n"
        "min idle cpu 0.00/100.00\n"
    )


def global_get(switch: Switch, arguments: str) -> str:
    known = {"core_uuid": switch.bus.core, "hostname": "pocket", "domain": "127.0.0.1"}
    if arguments not in known:
        log.error("the pocket switch has no global variable %r", arguments)
    return known.get(arguments, "")


def clock(_switch: Switch, arguments: str) -> str:
    """strmicroepoch (mod_dptools.c:2013): the clock that stamps events."""
    if arguments:
        log.error("strmicroepoch reads no dates: %r", arguments)
        return "-ERR the pocket switch does not know this\n"
    return str(time.time_ns() // 1000)


def reload_xml(switch: Switch, _arguments: str) -> str:
    switch.bus.fire("RELOADXML", {})
    return "+OK [Success]\n"


def flush_cache(_switch: Switch, _arguments: str) -> str:
    """xml_flush_cache: the directory is asked each time, so there is nothing to forget."""
    return "+OK cleared 0 entries\n"


def control(switch: Switch, arguments: str) -> str:
    """fsctl: limits and pauses. Pacing by `sps` is stored and shown only; FreeSWITCH did not throttle by it either."""
    words = split(arguments.lower())
    match words:
        case ["sps"] | ["sps", _]:
            if len(words) == 2:
                switch.sessions_per_second = whole_number(words[1])
            return f"+OK sessions per second: {switch.sessions_per_second}\n"
        case ["max_sessions"] | ["max_sessions", _]:
            if len(words) == 2:
                switch.max_sessions = whole_number(words[1])
            return f"+OK max sessions: {switch.max_sessions}\n"
        case ["pause" | "resume", *which] if set(which) <= {"inbound", "outbound"}:
            chosen = set(which) or {"inbound", "outbound"}
            switch.paused = switch.paused | chosen if words[0] == "pause" else switch.paused - chosen
            return "+OK\n"
        case ["pause_check", *which] if set(which) <= {"inbound", "outbound"}:
            return "true" if (set(which) or {"inbound", "outbound"}) <= switch.paused else "false"
        case ["ready_check"]:
            return "true"
    log.error("fsctl %r is not supported", arguments)
    return "-ERR the pocket switch does not know this\n"


def sofia(_switch: Switch, arguments: str) -> str:
    """There are no SIP profiles of FreeSWITCH's kind here, and no gateways."""
    match split(arguments):
        case ["xmlstatus"]:
            return "<profiles>\n</profiles>\n"
        case ["xmlstatus", "gateway"]:
            return "<gateways>\n</gateways>\n"
    log.error("sofia %r is not supported", arguments)
    return "-ERR the pocket switch does not know this\n"


COMMANDS: Final[Mapping[str, Callable[[Switch, str], str]]] = {
    "version": version,
    "status": status,
    "global_getvar": global_get,
    "reloadxml": reload_xml,
    "xml_flush_cache": flush_cache,
    "fsctl": control,
    "strmicroepoch": clock,
    "sofia": sofia,
}
