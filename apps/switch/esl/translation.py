"""From event-json, `conference json_list` and `show channels as json` to typed events and snapshots. Pure.

One decode per event, of the headers that are used and no others; what is missing, of another form or hostile raises
TranslationError, which says where, never what (events carry keys and numbers). Header names: mod_conference.c,
conference_member.c:236-274, conference_event.c:741-756, switch_channel.c:2677 and switch_core.c:95-123 of FreeSWITCH
1.10.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

import msgspec

from apps.switch.events import (
    Digit,
    Event,
    FloorChanged,
    Heartbeat,
    JobDone,
    Leg,
    LegAnswered,
    LegCreated,
    LegEnded,
    LegReport,
    LegRinging,
    LegSecured,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MemberVolume,
    MixEnded,
    MixStarted,
    Natural,
    PlayDone,
    PlayStarted,
    RoomCreated,
    RoomDestroyed,
    RoomLocked,
    RoomUnlocked,
    ShutdownRequested,
    Snapshot,
    SnapshotLeg,
    SnapshotMember,
    SnapshotRoom,
    Talking,
    TrackEnded,
    TrackStarted,
    is_loopback,
)

E = TypeVar("E", bound=Event)


class TranslationError(Exception):
    """An event or a snapshot that is not what FreeSWITCH writes. The text names the place, and holds no content."""


# Events -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16_384)  # the same few legs are named in event after event
def _leg(kind: type[Leg], name: object) -> Leg:
    if not isinstance(name, str) or len(name) != 36:
        raise ValueError("no UUID")
    return kind(name)


def _decoder(event: type[E]) -> msgspec.json.Decoder[E]:
    return msgspec.json.Decoder(event, strict=False, dec_hook=_leg)  # not strict: the value of every header is a text


class _FloorChanged(FloorChanged, frozen=True, kw_only=True):
    new: str = msgspec.field(name="New-ID")


_floor = _decoder(_FloorChanged)


def _floor_changed(body: bytes) -> Event:
    event = _floor.decode(body)
    if (event.new == "none") != (event.leg is None):
        raise TranslationError("New-ID and Unique-ID do not agree")
    return FloorChanged(
        core=event.core, microseconds=event.microseconds, sequence=event.sequence, room=event.room, leg=event.leg
    )


# By Action, which only the events of conferences have, else by Event-Name.
# Left out on purpose: transfer, kick-member and hup-member (del-member follows each).
_TYPES: dict[bytes, type[Event]] = {
    b"HEARTBEAT": Heartbeat,
    b"SHUTDOWN_REQUESTED": ShutdownRequested,
    b"BACKGROUND_JOB": JobDone,
    b"CHANNEL_CREATE": LegCreated,
    b"CHANNEL_PROGRESS": LegRinging,
    b"CHANNEL_PROGRESS_MEDIA": LegRinging,
    b"CHANNEL_ANSWER": LegAnswered,
    b"CHANNEL_HANGUP_COMPLETE": LegEnded,
    b"CALL_SECURE": LegSecured,
    b"SEND_RTCP_MESSAGE": LegReport,
    b"RECORD_START": TrackStarted,
    b"RECORD_STOP": TrackEnded,
    b"conference-create": RoomCreated,
    b"conference-destroy": RoomDestroyed,
    b"lock": RoomLocked,
    b"unlock": RoomUnlocked,
    b"add-member": MemberJoined,
    b"del-member": MemberLeft,
    b"mute-member": MemberChanged,
    b"unmute-member": MemberChanged,
    b"deaf-member": MemberChanged,
    b"undeaf-member": MemberChanged,
    b"hold-member": MemberChanged,
    b"unhold-member": MemberChanged,
    b"volume-in-member": MemberVolume,
    b"start-talking": Talking,
    b"stop-talking": Talking,
    b"play-file": PlayStarted,
    b"play-file-member": PlayStarted,
    b"play-file-done": PlayDone,
    b"play-file-member-done": PlayDone,
    b"start-recording": MixStarted,
    b"stop-recording": MixEnded,
    b"dtmf": Digit,
}
_READERS: dict[bytes, Callable[[bytes], Event]] = {kind: _decoder(event).decode for kind, event in _TYPES.items()}
_READERS[b"floor-change"] = _floor_changed

# The kind of an event is read before it is decoded. Inside a value every quotation mark is escaped, so these can only
# be the keys themselves, in the compact form in which FreeSWITCH writes events (switch_event_serialize_json:
# cJSON_PrintUnformatted). Action is the last header of most events that have it.
_ACTION = b'"Action":"'
_EVENT_NAME = b'"Event-Name":"'
_READERS_BY_END = {b',%b%b"}' % (_ACTION, kind): reader for kind, reader in _READERS.items()}


def translate(body: bytes) -> Event | None:
    """The typed event for the body of a text/event-json frame; None for one that is not used.

    Raises TranslationError, also for a leg whose name is no UUID (no leg of ours).
    """
    errors: list[TranslationError] = []
    events = translate_all([body], errors.append)
    if errors:
        raise errors[0]
    return events[0] if events else None


def translate_all(bodies: Iterable[bytes], left_out: Callable[[TranslationError], object]) -> list[Event]:
    """The typed events for the bodies of text/event-json frames, but for those that are not used and those that cannot
    be read, among them those of a leg whose name is no UUID (no leg of ours): these `left_out` is told."""
    events: list[Event] = []
    add, reader = events.append, _READERS_BY_END.get
    for body in bodies:
        try:
            if read := reader(body[body.rfind(b",") :]) or _READERS.get(_kind(body)):
                add(read(body))
        except TranslationError as error:
            left_out(error)
        except msgspec.MsgspecError as error:
            left_out(TranslationError(str(error)))
        except (UnicodeDecodeError, RecursionError) as error:
            left_out(TranslationError(type(error).__name__))
    return events


def _kind(body: bytes) -> bytes:
    key = _ACTION
    at = body.rfind(key)
    if at < 0:
        key = _EVENT_NAME
        at = body.find(key)
        if at < 0:
            raise TranslationError("Event-Name is missing")
    at += len(key)
    return body[at : body.find(b'"', at)]


# Snapshots --------------------------------------------------------------------------------------------------------


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
    volume_out: int = 0
    record_path: str = ""


class _Room(msgspec.Struct):
    conference_name: str
    locked: bool
    members: list[_Member]


class _Channel(msgspec.Struct):
    uuid: str
    callstate: str
    name: str = ""
    write_codec: str = ""
    write_rate: str = ""
    secure: str = ""


class _Channels(msgspec.Struct):
    row_count: Natural
    rows: list[_Channel] = []


_rooms = msgspec.json.Decoder(list[_Room])
_channels = msgspec.json.Decoder(_Channels)


def parse_snapshot(core: str, rooms: bytes, legs: bytes, asked_at: float, answered_at: float) -> Snapshot:
    """The snapshot that the answers to `conference json_list` and `show channels as json` give together.

    json_list shows recordings among the members (mod_conference.c:1424). Members and channels whose name is no UUID are
    left out. Of a held member json_list hides mute and deafness (see SnapshotMember). Raises TranslationError.
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
                recordings=tuple(member.record_path for member in room.members if member.record_path),
            )
            for room in found
        ),
        legs=tuple(
            SnapshotLeg(
                leg=leg,
                ringing=channel.callstate in {"RINGING", "EARLY", "RING_WAIT"},
                answered=channel.callstate in {"ACTIVE", "HELD", "UNHELD"},
                loopback=is_loopback(channel.name),
                codec=channel.write_codec,
                rate=int(channel.write_rate) if channel.write_rate.isdecimal() else 0,
                secure_type=channel.secure,
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
        leg=leg,
        can_hear=flags.can_hear or flags.hold,
        can_speak=flags.can_speak or flags.hold,
        talking=flags.talking,
        held=flags.hold,
        floor=flags.has_floor,
        moderator=flags.is_moderator,
        volume_in=member.volume_in,
        volume_out=member.volume_out,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
