"""list, json_list, xml_list and count of rooms (mod_conference.c:71-200, 1140-1466)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol
from xml.etree import ElementTree as ET

import msgspec

from ..events import url_encode
from ..members import Member
from ..rooms import Room


class Listing(Protocol):
    def __call__(self, rooms: list[Room], words: list[str], *, whole: bool) -> str:
        """`words` begins with the command's name; `whole` when all rooms were asked for, not one by name."""


def _list(rooms: list[Room], words: list[str], *, whole: bool) -> str:
    options = [word.lower() for word in words[1:]]
    if whole and not rooms:
        return "+OK No active conferences.\n"
    if not whole and options == ["count"]:
        return str(rooms[0].count)
    delimiter = words[2] if options[:1] == ["delim"] and len(words) > 2 else ";"
    text = ""
    for room in rooms:
        if whole:
            plural = "" if room.count == 1 else "s"
            flags = "|".join(name for name, on in _flags(room).items() if on)
            text += (
                f"+OK Conference {room.name} ({room.count} member{plural} rate: {room.profile.rate} flags: {flags})\n"
            )
        if not (whole and options == ["summary"]):
            text += "".join(f"{_line(member, delimiter)}\n" for member in room.members)
    return text


def _line(member: Member, delimiter: str) -> str:
    flags = {
        "hear": member.can_hear and not member.hold,
        "speak": member.can_speak and not member.hold,
        "talking": member.talking and not member.hold,
        "hold": member.hold,
        "floor": member.room.floor is member,
        "moderator": member.moderator,
        "ghost": member.ghost,
    }
    leg = member.leg
    fields = (
        str(member.number),
        leg.name,
        leg.uuid,
        leg.caller_name,
        leg.caller_number,
        "|".join(name for name, on in flags.items() if on),
        str(member.volume_in),
        str(member.volume_out),
        str(member.energy),
    )
    return delimiter.join(fields)


def _flags(room: Room) -> dict[str, bool]:
    return {
        "locked": room.locked,
        "running": True,
        "answered": True,
        "enforce_min": True,
        "dynamic": True,
        "recording": bool(room.recordings),
    }


def _json(rooms: list[Room], words: list[str], *, whole: bool) -> str:
    data = msgspec.json.encode([_json_room(room) for room in rooms])
    if words[1:] == ["compact"]:
        return data.decode()
    return msgspec.json.format(data, indent=2).decode()


def _json_room(room: Room) -> dict[str, Any]:
    flags = _flags(room)
    most = {"max_members": room.max_members} if room.max_members else {}
    return {
        "conference_name": room.name,
        "member_count": room.count,
        "ghost_count": room.ghosts,
        "rate": room.profile.rate,
        "run_time": room.switch.clock() - room.started,
        "conference_uuid": room.uuid,
        "canvas_count": 0,
        "max_bw_in": 0,
        "force_bw_in": 0,
        "video_floor_packets": 0,
        "locked": room.locked,
        "destruct": False,
        "wait_mod": False,
        "audio_always": False,
        **{name: flags[name] for name in ("running", "answered", "enforce_min")},
        "bridge_to": False,
        "dynamic": True,
        "exit_sound": False,
        "enter_sound": False,
        "recording": bool(room.recordings),
        "video_bridge": False,
        "video_floor_only": False,
        "video_rfc4579": False,
        **most,
        "variables": {},
        "members": [
            *(
                {"type": "recording_node", "record_path": recording.path}
                | ({"status": "paused"} if recording.paused else {})
                | {"join_time": recording.started}
                for recording in room.recordings.values()
            ),
            *(_json_member(member) for member in room.members),
        ],
    }


def _json_member(member: Member) -> dict[str, Any]:
    now = int(time.time())
    return {
        "type": "caller",
        "id": member.number,
        "flags": {
            "can_hear": member.can_hear and not member.hold,
            "can_see": not member.hold,
            "can_speak": member.can_speak and not member.hold,
            "hold": member.hold,
            "mute_detect": False,
            "talking": member.talking,
            "has_video": False,
            "video_bridge": False,
            "has_floor": member.room.floor is member,
            "is_moderator": member.moderator,
            "end_conference": member.endconf,
            "mandatory_member_end_conference": member.mandatory,
            "pass_digits": False,
        },
        "uuid": member.leg.uuid,
        "caller_id_name": member.leg.caller_name,
        "caller_id_number": member.leg.caller_number,
        "join_time": now - member.joined,
        "last_talking": now - member.last_talked if member.last_talked else 0,
        "energy": member.energy,
        "volume_in": member.volume_in,
        "volume_out": member.volume_out,
        "output-volume": member.volume_out,
        "input-volume": member.volume_in,
    }


def _xml(rooms: list[Room], words: list[str], *, whole: bool) -> str:
    root = ET.Element("conferences")
    for room in rooms:
        attributes = {
            "name": room.name,
            "member-count": str(room.count),
            "ghost-count": str(room.ghosts),
            "rate": str(room.profile.rate),
            "uuid": room.uuid,
            **{name: "true" for name, on in _flags(room).items() if on},
            "run_time": str(room.switch.clock() - room.started),
        }
        conference = ET.SubElement(root, "conference", attributes)
        ET.SubElement(conference, "variables")
        members = ET.SubElement(conference, "members")
        for recording in room.recordings.values():
            node = ET.SubElement(members, "member", {"type": "recording_node"})
            ET.SubElement(node, "record_path").text = recording.path
            ET.SubElement(node, "join_time", {"type": "UNIX-epoch"}).text = str(recording.started)
        for member in room.members:
            _xml_member(members, member)
    ET.indent(root)
    return f'<?xml version="1.0"?>\n{ET.tostring(root, encoding="unicode", short_empty_elements=False)}\n'


def _xml_member(parent: ET.Element, member: Member) -> None:
    values = _json_member(member)
    node = ET.SubElement(parent, "member", {"type": "caller"})
    ET.SubElement(node, "id").text = str(member.number)
    flags = ET.SubElement(node, "flags")
    for name, on in {**values["flags"], "is_ghost": member.ghost}.items():
        if name != "pass_digits":
            ET.SubElement(flags, name).text = "true" if on else "false"
    for name in ("uuid", "caller_id_name", "caller_id_number", "join_time"):
        ET.SubElement(node, name).text = url_encode(str(values[name]))
    ET.SubElement(node, "last_talking").text = str(values["last_talking"]) if member.last_talked else "N/A"
    for name in ("energy", "volume_in", "volume_out", "output-volume"):
        ET.SubElement(node, name).text = str(values[name])


def _count(rooms: list[Room], words: list[str], *, whole: bool) -> str:
    return str(len(rooms) if whole else rooms[0].count)


COMMANDS: Final[Mapping[str, Listing]] = {"list": _list, "json_list": _json, "xml_list": _xml, "count": _count}
