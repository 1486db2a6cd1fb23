"""Typed events of a switch: what `esl/translation.py` makes of ESL, and all that the rest of the project sees of it.

Standard library and msgspec only. `at` is the event's own time in seconds since the epoch: by the switch's clock as it
comes (Event-Date-Timestamp), by the switchboard's once it is dated (`clock.py`). `core` is the Core-UUID of the running
switch, `sequence` its Event-Sequence: (core, sequence) names an event once and for all (switch_event.c:1973).
Every event may come twice, late, in another order, or never.
"""

from __future__ import annotations

from uuid import UUID

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    core: str
    sequence: int
    at: float


class Heartbeat(Event, frozen=True):
    """HEARTBEAT, each 20 s (switch_core.c:95). `sessions_per_second` is the limit (Session-Per-Sec), not the load."""

    sessions: int
    max_sessions: int
    sessions_per_second: int
    idle_cpu: float
    version: str


class ShutdownRequested(Event, frozen=True):
    pass


class JobDone(Event, frozen=True):
    """BACKGROUND_JOB. `cause` is None for `+OK`, else what follows `-ERR`, or UNSPECIFIED where nothing does."""

    job: UUID
    cause: str | None
    body: str


class LegEvent(Event, frozen=True):
    leg: UUID


class LegCreated(LegEvent, frozen=True):
    pass


class LegRinging(LegEvent, frozen=True):
    """CHANNEL_PROGRESS or CHANNEL_PROGRESS_MEDIA."""


class LegAnswered(LegEvent, frozen=True):
    pass


class LegEnded(LegEvent, frozen=True):
    """CHANNEL_HANGUP_COMPLETE. `sip_code` is 0 where there was none."""

    cause: str
    sip_code: int


class LegSecured(LegEvent, frozen=True):
    """CALL_SECURE: fires twice on success. `suite` is the last part of secure_type (`srtp:sdes:SUITE`)."""

    suite: str


class RoomEvent(Event, frozen=True):
    room: str


class RoomCreated(RoomEvent, frozen=True):
    pass


class RoomDestroyed(RoomEvent, frozen=True):
    pass


class RoomLocked(RoomEvent, frozen=True):
    locked: bool


class MemberState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a member event or a snapshot says of one member."""

    leg: UUID
    participant: UUID | None
    member_id: int
    muted: bool
    deaf: bool
    held: bool
    talking: bool
    floor: bool
    moderator: bool
    ghost: bool


class MemberJoined(RoomEvent, frozen=True):
    member: MemberState


class MemberLeft(RoomEvent, frozen=True):
    """del-member. A `transfer` also leaves: the join in the other room follows."""

    member: MemberState


class MemberChanged(RoomEvent, frozen=True):
    """mute-, unmute-, deaf-, undeaf-, hold-, unhold-member: the member's whole state."""

    member: MemberState


class MemberVolume(RoomEvent, frozen=True):
    leg: UUID
    volume_in: int


class Talking(RoomEvent, frozen=True):
    leg: UUID
    talking: bool


class FloorChanged(RoomEvent, frozen=True):
    leg: UUID | None


class PlayStarted(RoomEvent, frozen=True):
    """play-file (leg is None) or play-file-member; `error` is empty when it plays."""

    path: str
    leg: UUID | None
    error: str


class PlayDone(RoomEvent, frozen=True):
    path: str
    leg: UUID | None


class Digit(RoomEvent, frozen=True):
    """A key pressed in the room: `key` is the digits, `data` what the caller control attached
    (conference_loop.c:616)."""

    leg: UUID
    key: str
    data: str


class SnapshotMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member in a snapshot.

    `state.participant` is None and `state.ghost` False: json_list has neither. While `state.held`, json_list hides
    mute and deafness (mod_conference.c:1451-1453): `state.muted` and `state.deaf` are False then and mean nothing;
    what the events said last stays true.
    """

    state: MemberState
    volume_in: int


class SnapshotRoom(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    locked: bool
    members: tuple[SnapshotMember, ...]


class SnapshotLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of `show channels as json`."""

    leg: UUID
    ringing: bool
    answered: bool


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole truth of a switch at one moment: `conference json_list` and `show channels as json`.

    `asked_at` and `answered_at` are the switchboard's clock, seconds since the epoch: what was commanded after
    `asked_at` may be missing in it.
    """

    core: str
    asked_at: float
    answered_at: float
    rooms: tuple[SnapshotRoom, ...]
    legs: tuple[SnapshotLeg, ...]
