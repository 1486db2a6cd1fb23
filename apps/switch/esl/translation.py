"""From event-json, `conference json_list` and `show channels as json` to typed events and snapshots. Pure.

One decode per event, of the headers that are used and no others; what is missing, of another form or hostile raises
TranslationError, which says where, never what (events carry keys and numbers). Header names: mod_conference.c,
conference_member.c:236-274, conference_event.c:741-756, switch_channel.c:2677 and switch_core.c:95-123 of FreeSWITCH
1.10.12.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any, TypedDict, TypeVar
from uuid import UUID

import msgspec

from apps.switch.events import (
    Digit,
    Event,
    FloorChanged,
    Heartbeat,
    JobDone,
    LegAnswered,
    LegCreated,
    LegEnded,
    LegRinging,
    LegSecured,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberState,
    MemberVolume,
    PlayDone,
    PlayStarted,
    RoomCreated,
    RoomDestroyed,
    RoomLocked,
    ShutdownRequested,
    Snapshot,
    SnapshotLeg,
    SnapshotMember,
    SnapshotRoom,
    Talking,
)

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class TranslationError(Exception):
    """An event or a snapshot that is not what FreeSWITCH writes. The text names the place, and holds no content."""


# The headers of each kind of event, in about the order in which FreeSWITCH writes them: so they are found fastest.
# Those that may be missing have a default. Where events are many, a UUID stays a text here and is looked up (`_leg`).


class _Headers(msgspec.Struct, gc=False):
    core: str = msgspec.field(name="Core-UUID")
    microseconds: Natural = msgspec.field(name="Event-Date-Timestamp")
    sequence: Natural = msgspec.field(name="Event-Sequence")


class _HeartbeatHeaders(_Headers):
    sessions: Natural = msgspec.field(name="Session-Count")
    max_sessions: Natural = msgspec.field(name="Max-Sessions")
    sessions_per_second: Natural = msgspec.field(name="Session-Per-Sec")
    idle_cpu: float = msgspec.field(name="Idle-CPU")
    version: str = msgspec.field(name="FreeSWITCH-Version")


class _JobHeaders(_Headers):
    job: UUID = msgspec.field(name="Job-UUID")
    body: str = msgspec.field(name="_body", default="")


class _LegHeaders(_Headers):
    leg: UUID = msgspec.field(name="Unique-ID")


class _EndHeaders(_LegHeaders):
    cause: str = msgspec.field(name="Hangup-Cause")
    sip_code: Natural = msgspec.field(name="variable_sip_term_status", default=0)


class _SecureHeaders(_Headers):
    leg: UUID = msgspec.field(name="caller-unique-id")
    secure_type: str


class _RoomHeaders(_Headers):
    room: str = msgspec.field(name="Conference-Name")


class _RoomLegHeaders(_RoomHeaders):
    leg: str = msgspec.field(name="Unique-ID")


class _MemberHeaders(_RoomLegHeaders):
    floor: bool = msgspec.field(name="Floor")
    hear: bool = msgspec.field(name="Hear")
    speak: bool = msgspec.field(name="Speak")
    talking: bool = msgspec.field(name="Talking")
    hold: bool = msgspec.field(name="Hold")
    member_id: Natural = msgspec.field(name="Member-ID")
    member_type: str = msgspec.field(name="Member-Type")
    ghost: bool = msgspec.field(name="Member-Ghost")
    participant: str = msgspec.field(name="Session-External-ID", default="")


class _VolumeHeaders(_RoomLegHeaders):
    volume: int = msgspec.field(name="Volume-Level")


class _FloorHeaders(_RoomHeaders):
    new: str = msgspec.field(name="New-ID")
    leg: UUID | None = msgspec.field(name="Unique-ID", default=None)


class _PlayHeaders(_RoomHeaders):
    path: str = msgspec.field(name="File")
    leg: UUID | None = msgspec.field(name="Unique-ID", default=None)
    error: str = msgspec.field(name="Error", default="")


class _DigitHeaders(_RoomLegHeaders):
    key: str = msgspec.field(name="DTMF-Key")
    data: str = msgspec.field(name="Data", default="")


class _FlagsOfMember(msgspec.Struct):
    can_hear: bool
    can_speak: bool
    hold: bool
    talking: bool
    has_floor: bool
    is_moderator: bool


class _Member(msgspec.Struct):
    id: Natural = 0
    uuid: str = ""
    flags: _FlagsOfMember | None = None
    volume_in: int = 0


class _Room(msgspec.Struct):
    conference_name: str
    locked: bool
    members: list[_Member]


class _Channel(msgspec.Struct):
    uuid: str
    callstate: str


class _Channels(msgspec.Struct):
    row_count: Natural
    rows: list[_Channel] = []


H = TypeVar("H", bound=_Headers)
_Reader = tuple[Callable[[bytes], Any], Callable[[Any], Event]]


def _reader(kind: type[H], build: Callable[[H], Event]) -> _Reader:
    return msgspec.json.Decoder(kind, strict=False).decode, build  # not strict: every header value is a text


_rooms = msgspec.json.Decoder(list[_Room])
_channels = msgspec.json.Decoder(_Channels)


def translate(body: bytes) -> Event | None:
    """The typed event for the body of a text/event-json frame; None for one that is not used.

    Raises TranslationError, also for a leg whose name is no UUID (no leg of ours).
    """
    key = _ACTION
    at = body.rfind(key)
    if at < 0:
        key = _EVENT_NAME
        at = body.find(key)
        if at < 0:
            raise TranslationError("Event-Name is missing")
    at += len(key)
    reader = _READERS.get(body[at : body.find(b'"', at)])
    if reader is None:
        return None
    decode, build = reader
    try:
        return build(decode(body))
    except msgspec.MsgspecError as error:
        raise TranslationError(str(error)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise TranslationError(type(error).__name__) from None


# The kind of an event is read before it is decoded: Action, near its end, or Event-Name for those that have none.
# Inside a value every quotation mark is escaped, so these can only be the keys themselves, in the compact form in which
# FreeSWITCH writes events (switch_event_serialize_json: cJSON_PrintUnformatted).
_ACTION = b'"Action":"'
_EVENT_NAME = b'"Event-Name":"'


def parse_snapshot(core: str, rooms: bytes, legs: bytes, asked_at: float, answered_at: float) -> Snapshot:
    """The snapshot that the answers to `conference json_list` and `show channels as json` give together.

    Recordings, which json_list shows among the members, are left out, and so are members and channels whose name is no
    UUID. json_list has no mark for ghosts (mod_conference.c:1440-1463): `ghost` is False in every member of a snapshot
    and `participant` None. Of a held member it hides mute and deafness (see SnapshotMember). Raises TranslationError.
    """
    try:
        found = [] if rooms.startswith((b"+OK No active", b"-ERR No active")) else _rooms.decode(rooms)
        channels = _channels.decode(legs)
    except msgspec.MsgspecError as error:
        raise TranslationError(str(error)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise TranslationError(type(error).__name__) from None
    if channels.row_count != len(channels.rows):
        raise TranslationError("show channels: rows are missing")
    return Snapshot(
        core=core,
        asked_at=asked_at,
        answered_at=answered_at,
        rooms=tuple(
            SnapshotRoom(
                name=room.conference_name,
                locked=room.locked,
                members=tuple(member for member in map(_snapshot_member, room.members) if member),
            )
            for room in found
        ),
        legs=tuple(
            SnapshotLeg(
                leg=leg,
                ringing=channel.callstate in {"RINGING", "EARLY", "RING_WAIT"},
                answered=channel.callstate in {"ACTIVE", "HELD", "UNHELD"},
            )
            for channel in channels.rows
            if (leg := _uuid(channel.uuid))
        ),
    )


def _snapshot_member(member: _Member) -> SnapshotMember | None:
    leg, flags = _uuid(member.uuid), member.flags
    if leg is None or flags is None:  # a recording has neither
        return None
    return SnapshotMember(
        state=MemberState(
            leg=leg,
            participant=None,
            member_id=member.id,
            muted=not flags.can_speak and not flags.hold,
            deaf=not flags.can_hear and not flags.hold,
            held=flags.hold,
            talking=flags.talking,
            floor=flags.has_floor,
            moderator=flags.is_moderator,
            ghost=False,
        ),
        volume_in=member.volume_in,
    )


@lru_cache(maxsize=16_384)  # the same few legs and participants are named in event after event
def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _leg(text: str) -> UUID:
    leg = _uuid(text)
    if leg is None:
        raise TranslationError("Unique-ID is no UUID")
    return leg


class _Stamp(TypedDict):
    core: str
    sequence: int
    at: float


def _stamp(headers: _Headers) -> _Stamp:
    return {"core": headers.core, "sequence": headers.sequence, "at": headers.microseconds / 1e6}


def _heartbeat(headers: _HeartbeatHeaders) -> Event:
    return Heartbeat(
        **_stamp(headers),
        sessions=headers.sessions,
        max_sessions=headers.max_sessions,
        sessions_per_second=headers.sessions_per_second,
        idle_cpu=headers.idle_cpu,
        version=headers.version,
    )


def _job_done(headers: _JobHeaders) -> Event:
    status, _, cause = headers.body.partition(" ")
    return JobDone(
        **_stamp(headers),
        job=headers.job,
        cause=None if status.strip() == "+OK" else cause.strip() or "UNSPECIFIED",
        body=headers.body,
    )


def _leg_event(kind: type[LegCreated | LegRinging | LegAnswered]) -> _Reader:
    return _reader(_LegHeaders, lambda headers: kind(**_stamp(headers), leg=headers.leg))


def _leg_ended(headers: _EndHeaders) -> Event:
    return LegEnded(**_stamp(headers), leg=headers.leg, cause=headers.cause, sip_code=headers.sip_code)


def _leg_secured(headers: _SecureHeaders) -> Event:
    suite = headers.secure_type.rpartition(":")[2]  # "srtp:sdes:SUITE", "srtp:dtls:SUITE"
    return LegSecured(**_stamp(headers), leg=headers.leg, suite=suite)


def _room_event(kind: type[RoomCreated | RoomDestroyed]) -> _Reader:
    return _reader(_RoomHeaders, lambda headers: kind(**_stamp(headers), room=headers.room))


def _room_locked(locked: bool) -> _Reader:
    return _reader(_RoomHeaders, lambda headers: RoomLocked(**_stamp(headers), room=headers.room, locked=locked))


# The commonest events by far are made in one step each.


def _member_event(kind: type[MemberJoined | MemberLeft | MemberChanged]) -> _Reader:
    def build(headers: _MemberHeaders) -> Event:
        return kind(
            core=headers.core,
            sequence=headers.sequence,
            at=headers.microseconds / 1e6,
            room=headers.room,
            member=MemberState(
                leg=_leg(headers.leg),
                participant=_uuid(headers.participant),
                member_id=headers.member_id,
                muted=not headers.speak,
                deaf=not headers.hear,
                held=headers.hold,
                talking=headers.talking,
                floor=headers.floor,
                moderator=headers.member_type == "moderator",
                ghost=headers.ghost,
            ),
        )

    return _reader(_MemberHeaders, build)


def _talking(talking: bool) -> _Reader:
    def build(headers: _RoomLegHeaders) -> Event:
        return Talking(
            core=headers.core,
            sequence=headers.sequence,
            at=headers.microseconds / 1e6,
            room=headers.room,
            leg=_leg(headers.leg),
            talking=talking,
        )

    return _reader(_RoomLegHeaders, build)


def _member_volume(headers: _VolumeHeaders) -> Event:
    return MemberVolume(**_stamp(headers), room=headers.room, leg=_leg(headers.leg), volume_in=headers.volume)


def _floor_changed(headers: _FloorHeaders) -> Event:
    if (headers.new == "none") != (headers.leg is None):
        raise TranslationError("New-ID and Unique-ID do not agree")
    return FloorChanged(**_stamp(headers), room=headers.room, leg=headers.leg)


def _play_started(headers: _PlayHeaders) -> Event:
    return PlayStarted(**_stamp(headers), room=headers.room, path=headers.path, leg=headers.leg, error=headers.error)


def _play_done(headers: _PlayHeaders) -> Event:
    return PlayDone(**_stamp(headers), room=headers.room, path=headers.path, leg=headers.leg)


def _digit(headers: _DigitHeaders) -> Event:
    return Digit(**_stamp(headers), room=headers.room, leg=_leg(headers.leg), key=headers.key, data=headers.data)


# By Action, which only the events of conferences have, else by Event-Name.
# Left out on purpose: transfer, kick-member and hup-member (del-member follows each).
_READERS: dict[bytes, _Reader] = {
    b"HEARTBEAT": _reader(_HeartbeatHeaders, _heartbeat),
    b"SHUTDOWN_REQUESTED": _reader(_Headers, lambda headers: ShutdownRequested(**_stamp(headers))),
    b"BACKGROUND_JOB": _reader(_JobHeaders, _job_done),
    b"CHANNEL_CREATE": _leg_event(LegCreated),
    b"CHANNEL_PROGRESS": _leg_event(LegRinging),
    b"CHANNEL_PROGRESS_MEDIA": _leg_event(LegRinging),
    b"CHANNEL_ANSWER": _leg_event(LegAnswered),
    b"CHANNEL_HANGUP_COMPLETE": _reader(_EndHeaders, _leg_ended),
    b"CALL_SECURE": _reader(_SecureHeaders, _leg_secured),
    b"conference-create": _room_event(RoomCreated),
    b"conference-destroy": _room_event(RoomDestroyed),
    b"lock": _room_locked(True),
    b"unlock": _room_locked(False),
    b"add-member": _member_event(MemberJoined),
    b"del-member": _member_event(MemberLeft),
    **{
        verb + b"-member": _member_event(MemberChanged)
        for verb in (b"mute", b"unmute", b"deaf", b"undeaf", b"hold", b"unhold")
    },
    b"volume-in-member": _reader(_VolumeHeaders, _member_volume),
    b"start-talking": _talking(True),
    b"stop-talking": _talking(False),
    b"floor-change": _reader(_FloorHeaders, _floor_changed),
    b"play-file": _reader(_PlayHeaders, _play_started),
    b"play-file-member": _reader(_PlayHeaders, _play_started),
    b"play-file-done": _reader(_PlayHeaders, _play_done),
    b"play-file-member-done": _reader(_PlayHeaders, _play_done),
    b"dtmf": _reader(_DigitHeaders, _digit),
}
