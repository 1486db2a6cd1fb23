"""show (mod_commands.c:5620): the channels as the core database has them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from ..legs import NO_CODEC, Leg
from ..switch import Switch
from .text import split

log = logging.getLogger(__name__)


def execute(switch: Switch, arguments: str) -> str:
    legs = list(switch.legs.values())
    match split(arguments.lower()):
        case ["channels", "as", "json"]:
            if not legs:
                return '{"row_count": 0}\n'
            return msgspec.json.encode({"row_count": len(legs), "rows": [_row(leg) for leg in legs]}).decode()
        case ["channels", "count"]:
            return f"\n{len(legs)} total.\n"
        case ["calls", "count"]:
            # A call is a bridged pair or a channel of its own; the far end of a loopback counts for itself.
            return f"\n{len(legs)} total.\n"
    log.error("show %r is not supported", arguments)
    return "-USAGE: codec|channels|calls [count|as json]\n"


def _row(leg: Leg) -> dict[str, str]:
    created = int(leg.created) // 1_000_000
    # FreeSWITCH writes that of a leg which it calls when it has media.
    listed = leg.has_media or leg.direction == "inbound"
    read, write = (leg.read_codec, leg.write_codec) if listed else (NO_CODEC, NO_CODEC)
    return {
        "uuid": leg.uuid,
        "direction": leg.direction,
        "created": datetime.fromtimestamp(created, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "created_epoch": str(created),
        "name": leg.name,
        "state": leg.state,
        "cid_name": leg.caller_name,
        "cid_num": leg.caller_number,
        "ip_addr": "",
        "dest": leg.number,
        "application": leg.application,
        "application_data": leg.application_data,
        "dialplan": "xml",
        "context": leg.context,
        "read_codec": read.name,
        "read_rate": read.rate,
        "read_bit_rate": read.bit_rate,
        "write_codec": write.name,
        "write_rate": write.rate,
        "write_bit_rate": write.bit_rate,
        "secure": leg.secure,
        "hostname": "pocket",
        "presence_id": "",
        "presence_data": "",
        "accountcode": "",
        "callstate": leg.call_state,
        "callee_name": leg.callee_name,
        "callee_num": leg.callee_number,
        "callee_direction": "",
        "call_uuid": leg.uuid,
        "sent_callee_name": "",
        "sent_callee_num": "",
        "initial_cid_name": leg.first_caller[0],
        "initial_cid_num": leg.first_caller[1],
        "initial_ip_addr": "",
        "initial_dest": leg.number,
        "initial_dialplan": "xml",
        "initial_context": leg.context,
    }
