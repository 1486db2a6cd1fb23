"""The only place where text for the Event Socket is made: typed commands in, checked ESL out. Pure.

What may pass is a whitelist for each kind of value; all else raises UnsafeValue before anything is sent. Display names
are the one free text: what FreeSWITCH would interpret is replaced, not refused.

Room commands are `api` (one connection runs them in order, mod_event_socket.c:2280); only `originate`, which lasts as
long as it rings, and `Restart`, which waits, are `bgapi` (a thread each, mod_event_socket.c:2325).
Source of the forms: conference_api.c:45-130, mod_commands.c (originate, uuid_kill, uuid_setvar), switch_event.c:1664
and switch_utils.c (how `{name=value,…}` and arguments are split) of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address
from typing import assert_never
from uuid import UUID

from apps.switch.commands import (
    Command,
    Deaf,
    HangupRoom,
    Hold,
    Kill,
    Lock,
    MaskTrack,
    MemberFlag,
    Move,
    Mute,
    MuteNonModerators,
    Originate,
    OriginateFeed,
    Play,
    PrepareMove,
    ReloadNetworks,
    RemoveGateway,
    RescanGateways,
    Restart,
    Room,
    SetHearing,
    SetVolume,
    StartMix,
    StartTrack,
    StopMix,
    StopPlay,
    StopTrack,
    Undeaf,
    Unhold,
    Unlock,
    Unmute,
)

# CUSTOM comes last: every word after it is a subclass (mod_event_socket.c:2495).
SUBSCRIBE = (
    "event json BACKGROUND_JOB HEARTBEAT SHUTDOWN_REQUESTED CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA "
    "CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE CALL_SECURE SEND_RTCP_MESSAGE RECORD_START RECORD_STOP "
    "CUSTOM conference::maintenance"
)
CORE_UUID = "api global_getvar core_uuid"
CLOCK = "api strmicroepoch"  # mod_dptools.c:2013, the clock that stamps events
LIST_ROOMS = "api conference json_list"
LIST_LEGS = "api show channels as json"
GATEWAY_EVENTS = "event json CUSTOM sofia::gateway_state"


class Question(StrEnum):
    """What can be asked of a switch beside rooms and legs; none of it changes anything."""

    VERSION = "version"
    CLOCK = "strmicroepoch"
    MAX_SESSIONS = "fsctl max_sessions"
    SESSIONS_PER_SECOND = "fsctl sps"
    API_EXPANSION = "fsctl api_expansion"
    MODULES = "show modules as json"
    SECURE_MEDIA = "global_getvar rtp_secure_media"
    PROFILES = "sofia xmlstatus"
    INTERNAL = "sofia xmlstatus profile internal"
    TRUNK = "sofia xmlstatus profile trunk"
    TRUNK_EXEMPT = "sofia xmlstatus profile trunk-exempt"
    GATEWAYS = "sofia xmlstatus gateway"
    ROOMS = "xml_locate configuration configuration name conference.conf"
    CORE = "xml_locate configuration configuration name switch.conf"
    CONTROL_PLANE = "user_exists id somebody check"


# Only what the leg says; each frame as it comes, from the first one on (fact sheet §4).
TRACK = "{RECORD_READ_ONLY=true,record_sample_rate=16000,enable_file_write_buffering=false,RECORD_PRE_BUFFER_FRAMES=1}"
MOVE_LEGS = 20  # one `conference` command has at most 25 words (conference_api.c:195)
DISPLAY_NAME_LENGTH = 64

_NAME = r"[A-Za-z0-9_.-]{1,64}"
_NUMBER = r"\+?[A-Za-z0-9_.*#-]{1,64}"
_HOST = r"[A-Za-z0-9.-]{1,253}"
_NAME_RE = re.compile(_NAME)
_NUMBER_RE = re.compile(_NUMBER)
_HOST_RE = re.compile(rf"{_HOST}(:[0-9]{{1,5}})?")
_GATEWAY_RE = re.compile(r"gw-[0-9a-f]{8}-[0-9]{1,9}")
_CAUSE_RE = re.compile(r"[A-Z][A-Z_]{0,63}")
_ENCRYPTION_RE = re.compile(r"(mandatory|optional|forbidden)(:[A-Z0-9_]{1,40}){0,8}")
# Absolute, or a prompt: below the node's own sounds (apps/switch/prompts.py).
_PATH_RE = re.compile(r"(/[A-Za-z0-9_.-]{1,100}){1,20}|[a-z]{2}(-[a-z]{4})?/[a-z0-9-]{1,64}\.wav")
_DIAL_STRING_RE = re.compile(
    rf"sofia/gateway/{_NAME}/{_NUMBER}"
    rf"|sofia/{_NAME}/{_NUMBER}%{_HOST_RE.pattern}"
    rf"|sofia/{_NAME}/sip:{_NUMBER}@{_HOST_RE.pattern};transport=tls"
    rf"|loopback/{_NUMBER}/{_NAME}"
    rf"|null/{_NAME}"
)
# Letters and digits apart, the only ASCII characters that a display name keeps. Missing on purpose: all quotes and
# brackets, `\ $ , |` and the colon (`:_:` anywhere in a dial string starts another way of dialling,
# switch_ivr_originate.c:2141; a value that begins with `ARRAY::` is taken apart, switch_event.c).
_PLAIN = frozenset("-._+/@&*#=?!")


class UnsafeValue(ValueError):  # noqa: N818 - it names the value, not an accident
    """A value that must not be sent: `field` names it, `why` says what would be right. Neither holds the value."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


def render(command: Command) -> list[str]:
    """The ESL commands for one typed command, in the order to send, each without its closing empty line.

    An `originate` is two lines, the second is its Job-UUID. Raises UnsafeValue.
    """
    match command:
        case Originate():
            return [_originate(command)]
        case OriginateFeed():
            return [_originate_feed(command)]
        case Kill():
            cause = _matching("cause", command.cause, _CAUSE_RE, "capital letters and _")
            return [f"api uuid_kill {_uuid('leg', command.leg)} {cause}"]
        case Mute():
            return [_member(command.room, "mute", command.leg, " quiet")]
        case MuteNonModerators():
            return [_room(command.room, "mute non_moderator quiet")]
        case Unmute():
            return [_member(command.room, "unmute", command.leg, " quiet")]
        case Deaf():
            return [_member(command.room, "deaf", command.leg)]
        case Undeaf():
            return [_member(command.room, "undeaf", command.leg)]
        case Hold():
            return [_member(command.room, "hold", command.leg)]
        case Unhold():
            return [_member(command.room, "unhold", command.leg)]
        case SetVolume():
            return [_member(command.room, "volume_in", command.leg, f" {_number('level', command.level, -4, 4)}")]
        case SetHearing():
            level = _number("level", command.level, -4, 4)
            return [
                _member(command.room, "volume_out", command.leg, f" {level}"),
                f"api uuid_setvar {_uuid('leg', command.leg)} conference_join_volume_out {level}",
            ]
        case Lock():
            return [_room(command.room, "lock")]
        case Unlock():
            return [_room(command.room, "unlock")]
        case PrepareMove():
            return _prepare_move(command)
        case Move():
            target = conference_target(command.target, command.flags)
            legs = [f" uuid={_uuid('legs', leg)}" for leg in command.legs]
            return [
                _room(command.source, f"transfer {target}{''.join(legs[i : i + MOVE_LEGS])}")
                for i in range(0, len(legs), MOVE_LEGS)
            ]
        case Play():
            to = "" if command.leg is None else f" uuid={_uuid('leg', command.leg)}"
            return [_room(command.room, f"play {_path(command.path)}{to}")]
        case StopPlay():
            return [_room(command.room, f"stop all uuid={_uuid('leg', command.leg)}")]
        case StartTrack():
            return [f"{_record('start', command.leg, command.path)} 0 {TRACK}"]
        case StopTrack():
            return [_record("stop", command.leg, command.path)]
        case MaskTrack():
            return [_record("mask" if command.masked else "unmask", command.leg, command.path)]
        case StartMix():
            return [_room(command.room, f"record {_file(command.path)}")]
        case StopMix():
            return [_room(command.room, f"norecord {_file(command.path)}")]
        case HangupRoom():
            return [_room(command.room, "hup all")]
        case Restart():
            # Waits in a thread of its own until there is no session (switch_core.c:2819).
            return [f"bgapi fsctl shutdown elegant restart\nJob-UUID: {_uuid('job', command.job)}"]
        case RescanGateways():
            return [f"api sofia profile {_name('profile', command.profile)} rescan"]
        case RemoveGateway():
            # One of ours and no other: `_all_` is a name, too.
            gateway = _matching("gateway", command.gateway, _GATEWAY_RE, "gw-, 8 hexadecimal digits, - and a number")
            return [f"api sofia profile {_name('profile', command.profile)} killgw {gateway}"]
        case ReloadNetworks():
            return ["api reloadacl"]
    assert_never(command)


def may_call(address: IPv4Address) -> str:
    """The question whether somebody at this address may call as a gateway: `true` or `false`."""
    return f"acl {address} gateways"


def gateways_of(leg: UUID) -> list[str]:
    """The questions through which gateway a leg was called, and through which it called; `_undef_` for none."""
    return [f"uuid_getvar {_uuid('leg', leg)} {name}" for name in ("sip_gateway_name", "sip_gateway")]


def authenticate(password: str) -> str:
    """The first command of a connection. Raises UnsafeValue for a password that could carry more than itself."""
    if not password or any(unicodedata.category(character) == "Cc" for character in password):
        raise UnsafeValue("password", "at least one character, no control characters")
    return f"auth {password}"


def dial_string(template: str, number: str, domain: str) -> str:
    """Fill a gateway's dial string: `{number}` and `{domain}` are replaced, the whole checked. Raises UnsafeValue."""
    _matching("number", number, _NUMBER_RE, "digits, letters, * # . _ - and a leading +, at most 64")
    if "{domain}" in template:
        _matching("domain", domain, _HOST_RE, "a host name or address, with a port or not")
    return _dial_string(template.replace("{number}", number).replace("{domain}", domain))


def display_name(text: str) -> str:
    """A name as FreeSWITCH may carry it in a channel variable: at most DISPLAY_NAME_LENGTH characters, maybe none.

    ASCII that is syntax somewhere on the way becomes its full-width twin, every space U+00A0 (a real one would end
    the argument), and what is invisible or steers the display (controls, line breaks, bidirectional marks) goes.
    """
    return "".join(map(_display_character, text))[:DISPLAY_NAME_LENGTH].strip("\u00a0")


@lru_cache(maxsize=4096)
def _display_character(character: str) -> str:
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return "\u00a0"
    if character.isascii():
        if character.isalnum() or character in _PLAIN:
            return character
        return chr(ord(character) + 0xFEE0) if character.isprintable() else ""
    return "" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else character


def _record(verb: str, leg: UUID, path: str) -> str:
    return f"api uuid_record {_uuid('leg', leg)} {verb} {_file(path)}"


def _originate(command: Originate) -> str:
    target, common = _alike(
        command.room,
        command.flags,
        command.timeout,
        command.caller_name,
        command.caller_number,
        command.volume_in,
        command.encryption,
    )
    leg, participant = _uuid("leg", command.leg), _uuid("participant", command.participant)
    callee = display_name(command.callee_name)
    name = f"origination_callee_id_name={callee}," if callee else ""
    variables = f"origination_uuid={leg},origination_external_id={participant},{name}{common}"
    return _bgapi_originate(variables, _dial_string(command.dial_string), target, command.job)


@lru_cache(maxsize=256, typed=True)
def _alike(
    room: Room,
    flags: frozenset[MemberFlag],
    timeout: int,
    caller_name: str,
    caller_number: str,
    volume_in: int,
    encryption: str | None,
) -> tuple[str, str]:
    """The target and those variables of an originate that a conference's calls have in common."""
    variables = {
        # Without it, ringback is taken for an answer and mixed into the room.
        "ignore_early_media": "true",
        "originate_timeout": str(_number("timeout", timeout, 1, 600)),
        # Otherwise the other end's updates replace the name that the roster shows.
        "ignore_display_updates": "true",
        "origination_caller_id_name": display_name(caller_name),
    }
    if caller_number:
        variables["origination_caller_id_number"] = _matching(
            "caller_number", caller_number, _NUMBER_RE, "digits, letters, * # . _ - and a leading +, at most 64"
        )
    if _number("volume_in", volume_in, -4, 4):
        variables["conference_join_volume_in"] = str(volume_in)
    if encryption is not None:
        variables["rtp_secure_media"] = _matching(
            "encryption", encryption, _ENCRYPTION_RE, "mandatory, optional or forbidden, then :SUITE each"
        )
    return conference_target(room, flags), _joined(variables)


def _originate_feed(command: OriginateFeed) -> str:
    # Variables go to both sides of a loopback (mod_loopback.c:311), so `mute` and `deaf` stand inline, each on its own
    # side. Without the `deaf`, unmuting all of the main room would let the whisper out into it. To the main room its
    # end of the pair is somebody who calls, whom a lock would keep out.
    variables = {
        "origination_uuid": _uuid("leg", command.leg),
        "conference_member_flags": f"{MemberFlag.GHOST}|{MemberFlag.NOMOH}",
        "conference_join_volume_in": str(_number("volume", command.volume, -4, 0)),
        "conference_join_energy_level": "0",
        "conference_enforce_security": "false",
    }
    main = conference_target(command.main, [MemberFlag.MUTE])
    whisper = conference_target(command.whisper, [MemberFlag.DEAF])
    return _bgapi_originate(_joined(variables), f"loopback/app=conference:{main}", whisper, command.job)


def _joined(variables: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in variables.items() if value)


def _bgapi_originate(variables: str, endpoint: str, target: str, job: UUID) -> str:
    return f"bgapi originate {{{variables}}}{endpoint} &conference({target})\nJob-UUID: {_uuid('job', job)}"


def _prepare_move(command: PrepareMove) -> list[str]:
    # An empty value removes the variable (mod_commands.c, uuid_setvar with two arguments). Several flags may be joined
    # by `|` here, since a variable does not pass the inline dialplan (conference_utils.c:95).
    leg = _uuid("leg", command.leg)
    flags = _flags(command.flags)
    volume = _number("volume_in", command.volume_in, -4, 4)
    lines = [
        f"api uuid_setvar {leg} conference_member_flags {flags}".rstrip(" "),
        f"api uuid_setvar {leg} conference_join_volume_in {volume or ''}".rstrip(" "),
    ]
    if command.caller:
        # Locks are for legs with security enforced, which is every caller unless this says otherwise
        # (mod_conference.c:2094, 2340).
        lines.append(f"api uuid_setvar {leg} conference_enforce_security false")
    return lines


def _room(room: Room, verb: str) -> str:
    return f"api conference {_name('room', room.name)} {verb}"


def _member(room: Room, verb: str, leg: UUID, data: str = "") -> str:
    return _room(room, f"{verb} uuid={_uuid('leg', leg)}{data}")


def conference_target(room: Room, flags: Iterable[MemberFlag]) -> str:
    """The argument of the application `conference`. Raises UnsafeValue."""
    joined = _flags(flags)
    return f"{_name('room', room.name)}@{_name('profile', room.profile)}" + (f"+flags{{{joined}}}" if joined else "")


def _flags(flags: Iterable[MemberFlag]) -> str:
    try:
        return "|".join(sorted(MemberFlag(flag).value for flag in flags))
    except ValueError:
        raise UnsafeValue("flags", "members of MemberFlag") from None


def _dial_string(text: str) -> str:
    why = "sofia/gateway/NAME/NUMBER, sofia/PROFILE/NUMBER%DOMAIN, sofia/PROFILE/sip:USER@HOST:PORT;transport=tls, "
    return _matching("dial_string", text, _DIAL_STRING_RE, why + "loopback/NUMBER/CONTEXT or null/NAME")


def _path(path: str) -> str:
    checked = _matching("path", path, _PATH_RE, "absolute or LANGUAGE/NAME.wav, of letters, digits and . _ -")
    if ".." in checked.split("/"):
        raise UnsafeValue("path", "no way up (..)")
    return checked


def _file(path: str) -> str:
    """What the switch is to write: nowhere but where it is told."""
    if not path.startswith("/"):
        raise UnsafeValue("path", "an absolute path")
    return _path(path)


def _name(field: str, value: str) -> str:
    return _matching(field, value, _NAME_RE, "letters, digits and . _ -, at most 64")


def _matching(field: str, value: object, pattern: re.Pattern[str], why: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UnsafeValue(field, why)
    return value


def _uuid(field: str, value: UUID) -> str:
    if not isinstance(value, UUID):
        raise UnsafeValue(field, "a UUID")
    return str(value)


def _number(field: str, value: int, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise UnsafeValue(field, f"a whole number from {low} to {high}")
    return value
