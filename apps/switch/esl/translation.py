"""From event-json, `conference json_list` and `show channels as json` to typed events and snapshots. Pure.

One decode per event, of the headers that are used and no others; what is missing, of another form or hostile raises
TranslationError, which says where, never what (events carry keys and numbers). Header names: mod_conference.c,
conference_member.c:236-274, conference_event.c:741-756, switch_channel.c:2677 and switch_core.c:95-123 of FreeSWITCH
1.10.12.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, TypedDict, TypeVar
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


class _Headers(msgspec.Struct, gc=False):
    """The headers that most events share; None where an event lacks one."""

    name: str = msgspec.field(name="Event-Name")
    core: str = msgspec.field(name="Core-UUID")
    sequence: Natural = msgspec.field(name="Event-Sequence")
    microseconds: Natural = msgspec.field(name="Event-Date-Timestamp")
    action: str | None = msgspec.field(name="Action", default=None)
    room: str | None = msgspec.field(name="Conference-Name", default=None)
    leg: UUID | None = msgspec.field(name="Unique-ID", default=None)
    participant: str = msgspec.field(name="Session-External-ID", default="")
    member_id: Natural | None = msgspec.field(name="Member-ID", default=None)
    member_type: str | None = msgspec.field(name="Member-Type", default=None)
    speak: bool | None = msgspec.field(name="Speak", default=None)
    hear: bool | None = msgspec.field(name="Hear", default=None)
    hold: bool | None = msgspec.field(name="Hold", default=None)
    talking: bool | None = msgspec.field(name="Talking", default=None)
    floor: bool | None = msgspec.field(name="Floor", default=None)
    ghost: bool | None = msgspec.field(name="Member-Ghost", default=None)


# The headers of single kinds of event; those are rare, so they may cost a decode of their own.


class _HeartbeatHeaders(msgspec.Struct):
    sessions: Natural = msgspec.field(name="Session-Count")
    max_sessions: Natural = msgspec.field(name="Max-Sessions")
    sessions_per_second: Natural = msgspec.field(name="Session-Per-Sec")
    idle_cpu: float = msgspec.field(name="Idle-CPU")
    version: str = msgspec.field(name="FreeSWITCH-Version")


class _JobHeaders(msgspec.Struct):
    job: UUID = msgspec.field(name="Job-UUID")
    body: str = msgspec.field(name="_body", default="")


class _EndHeaders(msgspec.Struct):
    cause: str = msgspec.field(name="Hangup-Cause")
    sip_code: Natural = msgspec.field(name="variable_sip_term_status", default=0)


class _SecureHeaders(msgspec.Struct):
    leg: UUID = msgspec.field(name="caller-unique-id")
    secure_type: str


class _VolumeHeaders(msgspec.Struct):
    volume: int = msgspec.field(name="Volume-Level")


class _FloorHeaders(msgspec.Struct):
    new: str = msgspec.field(name="New-ID")


class _PlayHeaders(msgspec.Struct):
    path: str = msgspec.field(name="File")
    error: str = msgspec.field(name="Error", default="")


class _DigitHeaders(msgspec.Struct):
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


T = TypeVar("T")
_Builder = Callable[[_Headers, bytes], Event]

_headers = msgspec.json.Decoder(_Headers, strict=False)  # not strict: every header value is a text
_rooms = msgspec.json.Decoder(list[_Room])
_channels = msgspec.json.Decoder(_Channels)


def translate(body: bytes) -> Event | None:
    """The typed event for the body of a text/event-json frame; None for one that is not used.

    Raises TranslationError, also for a leg whose name is no UUID (no leg of ours).
    """
    try:
        head = _headers.decode(body)
        build = _BUILDERS.get((head.name, head.action))
        return build(head, body) if build else None
    except msgspec.MsgspecError as error:
        raise TranslationError(str(error)) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise TranslationError(type(error).__name__) from None


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


@lru_cache(maxsize=16_384)  # a handful of participants, named in event after event
def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _more(body: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind, strict=False)


class _Stamp(TypedDict):
    core: str
    sequence: int
    at: float


def _stamp(head: _Headers) -> _Stamp:
    return {"core": head.core, "sequence": head.sequence, "at": head.microseconds / 1e6}


def _leg(head: _Headers) -> UUID:
    if head.leg is None:
        raise TranslationError("Unique-ID is missing")
    return head.leg


def _room(head: _Headers) -> str:
    if head.room is None:
        raise TranslationError("Conference-Name is missing")
    return head.room


def _member(head: _Headers) -> MemberState:
    if (
        head.member_id is None
        or head.speak is None
        or head.hear is None
        or head.hold is None
        or head.talking is None
        or head.floor is None
        or head.ghost is None
    ):
        raise TranslationError("a header of the member is missing")
    return MemberState(
        leg=_leg(head),
        participant=_uuid(head.participant),
        member_id=head.member_id,
        muted=not head.speak,
        deaf=not head.hear,
        held=head.hold,
        talking=head.talking,
        floor=head.floor,
        moderator=head.member_type == "moderator",
        ghost=head.ghost,
    )


def _heartbeat(head: _Headers, body: bytes) -> Event:
    more = _more(body, _HeartbeatHeaders)
    return Heartbeat(
        **_stamp(head),
        sessions=more.sessions,
        max_sessions=more.max_sessions,
        sessions_per_second=more.sessions_per_second,
        idle_cpu=more.idle_cpu,
        version=more.version,
    )


def _shutdown_requested(head: _Headers, body: bytes) -> Event:
    return ShutdownRequested(**_stamp(head))


def _job_done(head: _Headers, body: bytes) -> Event:
    more = _more(body, _JobHeaders)
    status, _, cause = more.body.partition(" ")
    return JobDone(
        **_stamp(head),
        job=more.job,
        cause=None if status.strip() == "+OK" else cause.strip() or "UNSPECIFIED",
        body=more.body,
    )


def _leg_event(kind: type[LegCreated | LegRinging | LegAnswered]) -> _Builder:
    def build(head: _Headers, body: bytes) -> Event:
        return kind(**_stamp(head), leg=_leg(head))

    return build


def _leg_ended(head: _Headers, body: bytes) -> Event:
    more = _more(body, _EndHeaders)
    return LegEnded(**_stamp(head), leg=_leg(head), cause=more.cause, sip_code=more.sip_code)


def _leg_secured(head: _Headers, body: bytes) -> Event:
    more = _more(body, _SecureHeaders)
    return LegSecured(
        **_stamp(head),
        leg=more.leg,
        suite=more.secure_type.rpartition(":")[2],  # "srtp:sdes:SUITE", "srtp:dtls:SUITE"
    )


def _room_event(kind: type[RoomCreated | RoomDestroyed]) -> _Builder:
    def build(head: _Headers, body: bytes) -> Event:
        return kind(**_stamp(head), room=_room(head))

    return build


def _room_locked(locked: bool) -> _Builder:
    def build(head: _Headers, body: bytes) -> Event:
        return RoomLocked(**_stamp(head), room=_room(head), locked=locked)

    return build


def _member_event(kind: type[MemberJoined | MemberLeft | MemberChanged]) -> _Builder:
    def build(head: _Headers, body: bytes) -> Event:
        if head.room is None:
            raise TranslationError("Conference-Name is missing")
        return kind(
            core=head.core, sequence=head.sequence, at=head.microseconds / 1e6, room=head.room, member=_member(head)
        )

    return build


def _member_volume(head: _Headers, body: bytes) -> Event:
    return MemberVolume(**_stamp(head), room=_room(head), leg=_leg(head), volume_in=_more(body, _VolumeHeaders).volume)


def _talking(talking: bool) -> _Builder:
    def build(head: _Headers, body: bytes) -> Event:
        # The commonest event by far, so without the helpers.
        if head.room is None or head.leg is None:
            raise TranslationError("Conference-Name or Unique-ID is missing")
        return Talking(
            core=head.core,
            sequence=head.sequence,
            at=head.microseconds / 1e6,
            room=head.room,
            leg=head.leg,
            talking=talking,
        )

    return build


def _floor_changed(head: _Headers, body: bytes) -> Event:
    return FloorChanged(
        **_stamp(head), room=_room(head), leg=None if _more(body, _FloorHeaders).new == "none" else _leg(head)
    )


def _play_started(head: _Headers, body: bytes) -> Event:
    more = _more(body, _PlayHeaders)
    return PlayStarted(**_stamp(head), room=_room(head), path=more.path, leg=head.leg, error=more.error)


def _play_done(head: _Headers, body: bytes) -> Event:
    return PlayDone(**_stamp(head), room=_room(head), path=_more(body, _PlayHeaders).path, leg=head.leg)


def _digit(head: _Headers, body: bytes) -> Event:
    more = _more(body, _DigitHeaders)
    return Digit(**_stamp(head), room=_room(head), leg=_leg(head), key=more.key, data=more.data)


# By Event-Name and Action. Left out on purpose: transfer, kick-member and hup-member (del-member follows each).
_BUILDERS: dict[tuple[str, str | None], _Builder] = {
    ("HEARTBEAT", None): _heartbeat,
    ("SHUTDOWN_REQUESTED", None): _shutdown_requested,
    ("BACKGROUND_JOB", None): _job_done,
    ("CHANNEL_CREATE", None): _leg_event(LegCreated),
    ("CHANNEL_PROGRESS", None): _leg_event(LegRinging),
    ("CHANNEL_PROGRESS_MEDIA", None): _leg_event(LegRinging),
    ("CHANNEL_ANSWER", None): _leg_event(LegAnswered),
    ("CHANNEL_HANGUP_COMPLETE", None): _leg_ended,
    ("CALL_SECURE", None): _leg_secured,
    ("CUSTOM", "conference-create"): _room_event(RoomCreated),
    ("CUSTOM", "conference-destroy"): _room_event(RoomDestroyed),
    ("CUSTOM", "lock"): _room_locked(True),
    ("CUSTOM", "unlock"): _room_locked(False),
    ("CUSTOM", "add-member"): _member_event(MemberJoined),
    ("CUSTOM", "del-member"): _member_event(MemberLeft),
    **{
        ("CUSTOM", f"{verb}-member"): _member_event(MemberChanged)
        for verb in ("mute", "unmute", "deaf", "undeaf", "hold", "unhold")
    },
    ("CUSTOM", "volume-in-member"): _member_volume,
    ("CUSTOM", "start-talking"): _talking(True),
    ("CUSTOM", "stop-talking"): _talking(False),
    ("CUSTOM", "floor-change"): _floor_changed,
    ("CUSTOM", "play-file"): _play_started,
    ("CUSTOM", "play-file-member"): _play_started,
    ("CUSTOM", "play-file-done"): _play_done,
    ("CUSTOM", "play-file-member-done"): _play_done,
    ("CUSTOM", "dtmf"): _digit,
}
