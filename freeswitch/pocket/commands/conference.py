"""conference (conference_api.c): commands to rooms and to their members."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final

from ..audio import read_file
from ..members import Member, Playback
from ..recording import strip_parameters
from ..rooms import Room
from ..switch import Switch
from . import listing
from .text import split, whole_number

log = logging.getLogger(__name__)

MOST_WORDS: Final = 25
LEAVING_SECONDS: Final = 0.02
"""A kicked or transferred leg leaves its room a frame later than the reply says so."""

MemberCommand = Callable[[Member, str | None], str]
RoomCommand = Callable[[Room, list[str]], str | None]
"""Takes the words after the room's name; None asks for the syntax to be shown."""


def execute(switch: Switch, arguments: str) -> str:
    words = split(arguments)[:MOST_WORDS]
    if not words:
        return "-USAGE: conference <name> <command>\n"
    room = switch.rooms.get(words[0])
    if room is None:
        if words[0].lower() in listing.COMMANDS:
            return listing.COMMANDS[words[0].lower()](list(switch.rooms.values()), words, whole=True)
        return f"-ERR Conference {words[0]} not found\n"
    if len(words) < 2:
        return "Conference command, not specified.\nTry 'help'\n"
    name = words[1].lower()
    if name in listing.COMMANDS:
        return listing.COMMANDS[name]([room], words[1:], whole=False)
    if name in _MEMBER:
        return _for_members(room, words, *_MEMBER[name])
    if name in _ROOM:
        command, syntax = _ROOM[name]
        reply = command(room, words)
        return f"{name} {syntax}" if reply is None else reply
    log.error("unknown conference command %r", words[1])
    return f"-ERR Conference command '{words[1]}' not found.\n"


# To members. The targets are those of conference_api_dispatch.


def _for_members(room: Room, words: list[str], command: MemberCommand, syntax: str) -> str:
    target = words[2] if len(words) > 2 else ""
    data = words[3] if len(words) > 3 else None
    if target.lower() in ("all", "non_moderator"):
        replies = []
        for member in tuple(room.members):
            if target.lower() == "non_moderator" and member.moderator:
                replies.append(f"Skipping moderator (member id {member.number}).\n")
            else:
                replies.append(command(member, data))
        return "".join(replies)
    if target.lower() != "last" and not whole_number(target) and "=" not in target:
        return f"{words[1].lower()} {syntax}"
    member_found = room.find(target.lower() if target.lower() == "last" else target)
    if member_found is not None:
        return command(member_found, data)
    if target.lower() == "last":
        return ""
    return "-ERR Non-Existant member\n" if "=" in target else f"-ERR Non-Existant ID {whole_number(target)}\n"


def _mute(member: Member, _data: str | None) -> str:
    member.can_speak = False
    member.quiet()
    member.fire("mute-member")
    return f"+OK mute {member.number}\n"


def _unmute(member: Member, _data: str | None) -> str:
    member.can_speak = True
    member.fire("unmute-member")
    return f"+OK unmute {member.number}\n"


def _toggle_mute(member: Member, data: str | None) -> str:
    return _mute(member, data) if member.can_speak else _unmute(member, data)


def _deaf(member: Member, _data: str | None) -> str:
    member.can_hear = False
    member.fire("deaf-member")
    return f"+OK deaf {member.number}\n"


def _undeaf(member: Member, _data: str | None) -> str:
    member.can_hear = True
    member.fire("undeaf-member")
    return f"+OK undeaf {member.number}\n"


def _hold(member: Member, data: str | None) -> str:
    if data is not None:
        log.error("hold with a sound is not supported: %r", data)
    member.hold = True
    member.quiet()
    member.fire("hold-member")
    return f"+OK hold {member.number}\n"


def _unhold(member: Member, _data: str | None) -> str:
    member.hold = False
    member.fire("unhold-member")
    return f"+OK unhold {member.number}\n"


def _kick(member: Member, _data: str | None) -> str:
    _leave(member)
    member.fire("kick-member")
    return f"+OK kicked {member.number}\n"


def _hup(member: Member, _data: str | None) -> str:
    _leave(member)
    member.fire("hup-member")
    return f"+OK hup {member.number}\n"


def _leave(member: Member) -> None:
    """The conference was the leg's last application, so the leg ends with it."""

    def leave() -> None:
        if member.leg.member is member:
            member.room.remove(member)
            member.leg.hangup("NORMAL_CLEARING")

    asyncio.get_running_loop().call_later(LEAVING_SECONDS, leave)


def _level(text: str, old: int) -> int:
    step = {"up": 1, "down": -1}.get(text.lower())
    return max(-4, min(4, whole_number(text) if step is None else old + step))


def _volume_in(member: Member, data: str | None) -> str:
    if data is not None:
        member.volume_in = _level(data, member.volume_in)
        member.fire("volume-in-member", {"Volume-Level": str(member.volume_in)})
    return f"+OK Volume IN {member.number} = {member.volume_in}\n"


def _volume_out(member: Member, data: str | None) -> str:
    if data is not None:
        member.volume_out = _level(data, member.volume_out)
        member.fire("volume-out-member", {"Volume-Level": str(member.volume_out)})
    return f"+OK Volume OUT {member.number} = {member.volume_out}\n"


def _energy(member: Member, data: str | None) -> str:
    if data is not None:
        member.energy = whole_number(data)
        member.fire("energy-level-member", {"Energy-Level": str(member.energy)})
    return f"Energy {member.number} = {member.energy}\n"


def _dtmf(member: Member, data: str | None) -> str:
    if not data:
        return "-ERR Invalid input!\n"
    member.fire("dtmf-member", {"Digits": data})
    return f"+OK sent {data} to {member.number}\n"


def _floor(member: Member, _data: str | None) -> str:
    """It toggles (conference_api.c:2322)."""
    room = member.room
    if room.floor is member:
        room.give_floor(None)
        return "+OK floor none\n"
    if room.floor is None:
        room.give_floor(member)
        return f"+OK floor {member.number}\n"
    return f"-ERR floor is held by {room.floor.number}\n"


_TARGET: Final = "<[member_id|all]|last|non_moderator>"
_MEMBER: Final[Mapping[str, tuple[MemberCommand, str]]] = {
    "mute": (_mute, f"{_TARGET} [<quiet>]"),
    "unmute": (_unmute, f"{_TARGET} [<quiet>]"),
    "tmute": (_toggle_mute, f"{_TARGET} [<quiet>]"),
    "deaf": (_deaf, _TARGET),
    "undeaf": (_undeaf, _TARGET),
    "hold": (_hold, f"{_TARGET} [file]"),
    "unhold": (_unhold, _TARGET),
    "kick": (_kick, "<[member_id|all|last|non_moderator]> [<optional sound file>]"),
    "hup": (_hup, "<[member_id|all|last|non_moderator]>"),
    "volume_in": (_volume_in, "<member_id|all|last|non_moderator> [<newval>]"),
    "volume_out": (_volume_out, "<member_id|all|last|non_moderator> [<newval>]"),
    "energy": (_energy, "<member_id|all|last|non_moderator> [<newval>]"),
    "dtmf": (_dtmf, "<[member_id|all|last|non_moderator]> <digits>"),
    "floor": (_floor, "<member_id|last>"),
}


# To the room. `words` begins with its name.


def _lock(room: Room, words: list[str]) -> str:
    """Binds legs that dial in; those that are called out to join all the same (mod_conference.c:2340)."""
    room.locked = words[1].lower() == "lock"
    room.fire(words[1].lower())
    return f"+OK {room.name} {words[1].lower()}ed\n"


def _play(room: Room, words: list[str]) -> str | None:
    words = [word for word in words if word.lower() != "async"]
    if len(words) < 3:
        return None
    path = room.switch.sound_path(words[2])
    try:
        samples = read_file(path)
    except OSError as error:
        log.error("play: %s", error)
        if len(words) == 3:  # conference_file.c:278; to a member, no event tells
            room.fire("play-file", {"File": path, "Async": "false", "Error": "File could not be played"})
        return f"-ERR (play) File: {words[2]} not found.\n"
    if len(words) == 3:
        room.play(Playback(path, samples))
        room.fire("play-file", {"File": path, "Async": "false"})
        return f"+OK (play) Playing file {words[2]}\n"
    member = room.find(words[3])
    if member is None:
        return "-ERR Member: 0 not found.\n"
    room.play(Playback(path, samples, mux="nomux" not in words[4:]), member)
    member.fire("play-file-member", {"File": path})
    return f"+OK (play) Playing file {words[2]} to member {member.number}\n"


def _stop(room: Room, words: list[str]) -> str | None:
    which = words[2].lower() if len(words) > 2 else "all"
    if which not in ("current", "all", "async"):
        return None
    member = room.find(words[3]) if len(words) == 4 else None
    if len(words) == 4 and member is None:
        return f"-ERR Member: {words[3]} not found.\n"
    playbacks = room.playbacks if member is None else member.playbacks
    stopped = [playbacks.popleft() for _ in range(1 if which == "current" and playbacks else len(playbacks))]
    for playback in stopped:
        if member is None:
            room.fire("play-file-done", playback.ending())
        else:
            member.fire("play-file-member-done", playback.ending())
    return f"+OK Stopped {len(stopped)} files.\n"


def _transfer(room: Room, words: list[str]) -> str | None:
    if len(words) < 4:
        return None
    target = words[2]
    address = target if "@" in target else f"{target}@default"
    replies = []
    for who in words[3:]:
        member = room.find(who)
        if member is None:
            replies.append(f"-ERR No Member {who} in conference {room.name}.\n")
            continue
        asyncio.get_running_loop().call_later(LEAVING_SECONDS, room.switch.move, member.leg, address)
        member.leg.variables["last_transfered_conference"] = target.partition("@")[0]
        replies.append(f"+OK Member '{member.number}' sent to conference {target}.\n")
        member.fire("transfer", {"Old-Conference-Name": room.name, "New-Conference-Name": target})
    return "".join(replies)


def _record(room: Room, words: list[str]) -> str | None:
    """The reply comes before the file is opened: only start-recording tells whether it was."""
    if len(words) < 3:
        return None
    path = words[2]
    if any(strip_parameters(path) == strip_parameters(known) for known in room.recordings):
        return f"-ERR file [{path}] is already being used for recording.\n"
    asyncio.get_running_loop().call_soon(room.record, path)
    return f"+OK Record file {path}\n"


def _no_record(room: Room, words: list[str]) -> str | None:
    if len(words) < 3:
        return None
    paths = tuple(room.recordings) if words[2].lower() == "all" else (words[2],)
    reply = ""
    count = 0
    for path in paths:
        if path in room.recordings:
            room.stop_recording(path)
            reply += f"Stopped recording file {path}\n"
            count += 1
        else:
            reply += f"-ERR non-existant recording '{path}'\n"
    return f"{reply}+OK Stopped recording {count} file{'' if count == 1 else 's'}\n"


def _pause_record(room: Room, words: list[str]) -> str | None:
    if len(words) < 3:
        return None
    verb, path = words[1].lower(), words[2]
    reply = f"+OK {verb.capitalize()} recording file {path}\n"
    recording = room.recordings.get(path)
    if recording is None:
        return f"{reply}-ERR non-existant recording '{path}'\n"
    recording.paused = verb == "pause"
    room.fire(f"{verb}-recording", {"Path": path, "Other-Recordings": "true"})
    return reply


def _recording(room: Room, words: list[str]) -> str | None:
    """The newer spelling of the same (conference_api.c:3877)."""
    verb = words[2].lower() if len(words) > 2 else ""
    rest = words[3:] or (["all"] if verb == "stop" else [])
    if verb == "check":
        checked = "".join(f"+OK Record file {path}\n" for path in room.recordings)
        return checked or "-ERR Conference is not being recorded.\n"
    commands: dict[str, RoomCommand] = {
        "start": _record,
        "stop": _no_record,
        "pause": _pause_record,
        "resume": _pause_record,
    }
    if verb not in commands or not rest:
        log.error("conference recording %r is not supported", words[2:])
        return None
    return commands[verb](room, [room.name, verb, *rest])


def _get(room: Room, words: list[str]) -> str | None:
    values = {
        "run_time": str(room.switch.clock() - room.started),
        "count": str(room.count),
        "count_ghosts": str(room.ghosts),
        "max_members": str(room.max_members),
        "rate": str(room.profile.rate),
        "profile_name": room.profile.name,
        "is_locked": "locked" if room.locked else "",
        "endconference_grace_time": str(room.grace_seconds),
        "uuid": room.uuid,
        "wait_mod": "",
    }
    return values.get(words[2].lower()) if len(words) == 3 else None


def _set(room: Room, words: list[str]) -> str | None:
    """Answers the old value."""
    if len(words) != 4 or whole_number(words[3]) < 0:
        return None
    value = whole_number(words[3])
    match words[2].lower():
        case "max_members":
            old, room.max_members = room.max_members, value
        case "endconference_grace_time":
            old, room.grace_seconds = room.grace_seconds, value
        case _:
            return None
    return str(old)


_ROOM: Final[Mapping[str, tuple[RoomCommand, str]]] = {
    "lock": (_lock, ""),
    "unlock": (_lock, ""),
    "play": (_play, "<file_path> [async|<member_id> [nomux]]"),
    "stop": (_stop, "<[current|all|async|last]> [<member_id>]"),
    "transfer": (_transfer, "<conference_name> <member id> [...<member id>]"),
    "record": (_record, "<filename>"),
    "norecord": (_no_record, "<[filename|all]>"),
    "pause": (_pause_record, "<filename>"),
    "resume": (_pause_record, "<filename>"),
    "recording": (_recording, "[start|stop|check|pause|resume] [<filename>|all]"),
    "get": (_get, "<parameter-name>"),
    "set": (_set, "<max_members|sound_prefix|caller_id_name|caller_id_number|endconference_grace_time> <value>"),
}
