"""Commands on single legs (mod_commands.c)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from ..causes import known
from ..events import url_encode
from ..recording import TrackRecording
from ..switch import Switch
from .text import split, take_variables, whole_number

log = logging.getLogger(__name__)

NO_CHANNEL: Final = "-ERR No such channel!\n"


def kill(switch: Switch, arguments: str) -> str:
    uuid, _, cause = arguments.partition(" ")
    if not uuid:
        return "-USAGE: <uuid> [cause]\n"
    leg = switch.legs.get(uuid)
    if leg is None:
        return NO_CHANNEL
    leg.hangup(known(cause) if cause else "NORMAL_CLEARING")
    return "+OK\n"


def exists(switch: Switch, arguments: str) -> str:
    return "true" if arguments.strip() in switch.legs else "false"


def set_variable(switch: Switch, arguments: str) -> str:
    words = split(arguments)
    if not 2 <= len(words) <= 3:
        return "-USAGE: <uuid> <var> [value]\n"
    leg = switch.legs.get(words[0])
    if leg is None:
        return NO_CHANNEL
    if len(words) == 3:
        leg.variables[words[1]] = words[2]
    else:
        leg.variables.pop(words[1], None)
    return "+OK\n"


def get_variable(switch: Switch, arguments: str) -> str:
    words = split(arguments)
    if len(words) < 2:
        return "-USAGE: <uuid> <var>\n"
    leg = switch.legs.get(words[0])
    return NO_CHANNEL if leg is None else leg.variables.get(words[1], "_undef_")


def dump(switch: Switch, arguments: str) -> str:
    """uuid_dump: `txt` is URL-encoded, `plain` is not (mod_commands.c, uuid_dump_function)."""
    words = split(arguments)
    if not words:
        return "-USAGE: <uuid> [format]\n"
    leg = switch.legs.get(words[0])
    if leg is None:
        return NO_CHANNEL
    headers = {"Event-Name": "CHANNEL_DATA", **leg.headers(variables=True)}
    match words[1].lower() if len(words) > 1 else "txt":
        case "json":
            return msgspec.json.encode(headers).decode()
        case "txt":
            return "".join(f"{name}: {url_encode(value)}\n" for name, value in headers.items())
        case "plain":
            return "".join(f"{name}: {value}\n" for name, value in headers.items())
    log.error("uuid_dump is not supported as %r", words[1])
    return "-ERR the pocket switch knows txt, plain and json\n"


def hang_up_all(switch: Switch, arguments: str) -> str:
    words = split(arguments)
    if len(words) > 1:
        log.error("hupall by variable is not supported: %r", arguments)
        return "-ERR the pocket switch hangs up all channels only\n"
    cause = known(words[0]) if words else "MANAGER_REQUEST"
    for leg in list(switch.legs.values()):
        leg.hangup(cause)
    return f"+OK hangup all channels with cause {cause}\n"


def record(switch: Switch, arguments: str) -> str:
    """uuid_record; only what the leg itself says (RECORD_READ_ONLY) is supported."""
    words = split(arguments)
    if len(words) < 3:
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    uuid, action, path = words[0], words[1].lower(), words[2]
    leg = switch.legs.get(uuid)
    if leg is None:
        return "-ERR Cannot locate session!\n"
    recording = leg.recordings.get(path)
    if action == "start":
        variables, _ = take_variables(words[4] if len(words) > 4 else "")
        if variables.get("RECORD_READ_ONLY") != "true" or variables.get("record_sample_rate", "16000") != "16000":
            log.error("uuid_record is supported with RECORD_READ_ONLY=true at 16000 only: %r", arguments)
            return "-ERR Cannot record session!\n"
        if recording is not None or (len(words) > 3 and whole_number(words[3])):
            log.error("already recorded, or a time limit, which is not supported: %r", arguments)
            return "-ERR Cannot record session!\n"
        try:
            TrackRecording(leg, path, variables)
        except OSError as error:
            log.error("uuid_record: %s", error)
            return "-ERR Cannot record session!\n"
    elif action == "stop":
        if recording is None:
            return "-ERR Cannot stop record session!\n"
        recording.stop()
    elif action in ("mask", "unmask"):
        if recording is None:
            return f"-ERR Cannot {action} recording session!\n"
        recording.masked = action == "mask"
    else:
        log.error("uuid_record %s is not supported", action)
        return "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"
    return "+OK Success\n"


COMMANDS: Final[Mapping[str, Callable[[Switch, str], str]]] = {
    "uuid_kill": kill,
    "uuid_exists": exists,
    "uuid_setvar": set_variable,
    "uuid_getvar": get_variable,
    "uuid_dump": dump,
    "uuid_record": record,
    "hupall": hang_up_all,
}
