"""Typed events of a switch: what `esl/translation.py` makes of ESL, and all that the rest of the project sees of it.

Standard library and msgspec only. The headers of FreeSWITCH stand with the fields, so that an event is decoded in one
step; what needs more than a decoder is a property. Fields are in about the order in which FreeSWITCH writes them: so
they are found fastest.

`at` is the event's own time in seconds since the epoch: by the switch's clock as it comes (Event-Date-Timestamp), by
the switchboard's once it is dated (`clock.py`). `core` is the Core-UUID of the running switch, `sequence` its
Event-Sequence: (core, sequence) names an event once and for all (switch_event.c:1973).
Every event may come twice, late, in another order, or never.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import field

Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Leg(UUID):
    """The name of a leg, its Unique-ID. In events it is the same object for the same leg, for as long as translation
    remembers it: dictionaries find that at once, while comparing UUIDs is slow."""


def is_loopback(channel: str) -> bool:
    """Whether a channel of this name has the switch itself at its other end. Only our own commands make such."""
    return channel.startswith("loopback/")


class Event(msgspec.Struct, frozen=True, gc=False):
    core: str = field(name="Core-UUID")
    microseconds: Natural = field(name="Event-Date-Timestamp")
    sequence: Natural = field(name="Event-Sequence")

    @property
    def at(self) -> float:
        return self.microseconds / 1e6


class Heartbeat(Event, frozen=True):
    """HEARTBEAT, each 20 s (switch_core.c:95). `sessions_per_second` is the limit (Session-Per-Sec), not the load."""

    sessions: Natural = field(name="Session-Count")
    max_sessions: Natural = field(name="Max-Sessions")
    sessions_per_second: Natural = field(name="Session-Per-Sec")
    idle_cpu: float = field(name="Idle-CPU")
    version: str = field(name="FreeSWITCH-Version")


class ShutdownRequested(Event, frozen=True):
    pass


class JobDone(Event, frozen=True):
    """BACKGROUND_JOB."""

    job: UUID = field(name="Job-UUID")
    body: str = field(name="_body", default="")

    @property
    def cause(self) -> str | None:
        """None for `+OK`, else what follows `-ERR`, or UNSPECIFIED where nothing does."""
        status, _, cause = self.body.partition(" ")
        return None if status.strip() == "+OK" else cause.strip() or "UNSPECIFIED"


class LegEvent(Event, frozen=True):
    leg: Leg = field(name="Unique-ID")


class LegCreated(LegEvent, frozen=True):
    pass


class LegRinging(LegEvent, frozen=True):
    """CHANNEL_PROGRESS or CHANNEL_PROGRESS_MEDIA."""


class LegAnswered(LegEvent, frozen=True):
    """`codec` and `rate` (Hz, of what it decodes to) are what we send, which is what was agreed on: what we read is
    shown as decoded once the leg is in a room (L16). "" and 0 for a leg without sound.
    """

    codec: str = field(name="Channel-Write-Codec-Name", default="")
    rate: Natural = field(name="Channel-Write-Codec-Rate", default=0)


class LegEnded(LegEvent, frozen=True):
    """CHANNEL_HANGUP_COMPLETE. `sip_code` is 0 where there was none."""

    cause: str = field(name="Hangup-Cause")
    sip_code: Natural = field(name="variable_sip_term_status", default=0)


class LegSecured(Event, frozen=True):
    """CALL_SECURE: a context of SRTP stands (switch_rtp.c:4384); fires for each direction."""

    leg: Leg = field(name="caller-unique-id")
    secure_type: str
    """`srtp:sdes:SUITE` or `srtp:dtls:SUITE`."""


class LegReport(LegEvent, frozen=True):
    """SEND_RTCP_MESSAGE: what we tell the other side of what has come from it, each few seconds. `fraction` of 256
    packets were lost since the last report; `jitter` is that of RFC 3550, in units of the RTP clock.
    """

    fraction: Natural = field(name="Source-Fraction")
    jitter: Natural = field(name="Source-Jitter")


class TrackStarted(LegEvent, frozen=True):
    """RECORD_START, at the first sample, to a frame (switch_ivr_async.c:1482). A leg with stereo Opus is recorded with
    both channels.
    """

    path: str = field(name="Record-File-Path")
    channels: Natural = field(name="variable_rtp_use_codec_channels", default=1)


class TrackEnded(LegEvent, frozen=True):
    """RECORD_STOP, after the file is closed (switch_ivr_async.c:1694)."""

    path: str = field(name="Record-File-Path")


class RoomEvent(Event, frozen=True):
    room: str = field(name="Conference-Name")


class RoomCreated(RoomEvent, frozen=True):
    pass


class RoomDestroyed(RoomEvent, frozen=True):
    pass


class RoomLocked(RoomEvent, frozen=True):
    pass


class RoomUnlocked(RoomEvent, frozen=True):
    pass


class MemberEvent(RoomEvent, frozen=True):
    """The member's whole state."""

    leg: Leg = field(name="Unique-ID")
    can_hear: bool = field(name="Hear")
    can_speak: bool = field(name="Speak")
    talking: bool = field(name="Talking")
    held: bool = field(name="Hold")
    member_type: str = field(name="Member-Type")
    channel: str = field(name="Channel-Name", default="")
    external_id: str = field(name="Session-External-ID", default="")

    @property
    def moderator(self) -> bool:
        return self.member_type == "moderator"

    @property
    def loopback(self) -> bool:
        return is_loopback(self.channel)

    @property
    def participant(self) -> UUID | None:
        """Whom we called; None for whoever came by themselves."""
        try:
            return UUID(self.external_id)
        except ValueError:
            return None


class MemberJoined(MemberEvent, frozen=True):
    pass


class MemberLeft(MemberEvent, frozen=True):
    """del-member. A `transfer` also leaves: the join in the other room follows."""


class MemberChanged(MemberEvent, frozen=True):
    """mute-, unmute-, deaf-, undeaf-, hold-, unhold-member."""


class MemberVolume(RoomEvent, frozen=True):
    leg: Leg = field(name="Unique-ID")
    volume_in: int = field(name="Volume-Level")


class Talking(RoomEvent, frozen=True):
    """start-talking, stop-talking."""

    leg: Leg = field(name="Unique-ID")
    talking: bool = field(name="Talking")


class FloorChanged(RoomEvent, frozen=True):
    """`leg` is None when nobody has the floor any more."""

    leg: Leg | None = field(name="Unique-ID", default=None)


class PlayStarted(RoomEvent, frozen=True):
    """play-file (leg is None) or play-file-member; `error` is empty when it plays."""

    path: str = field(name="File")
    leg: Leg | None = field(name="Unique-ID", default=None)
    error: str = field(name="Error", default="")


class PlayDone(RoomEvent, frozen=True):
    path: str = field(name="File")
    leg: Leg | None = field(name="Unique-ID", default=None)


class MixStarted(RoomEvent, frozen=True):
    """start-recording; `error` is empty when it records (conference_record.c:282, 321)."""

    path: str = field(name="Path")
    error: str = field(name="Error", default="")


class MixEnded(RoomEvent, frozen=True):
    """stop-recording."""

    path: str = field(name="Path")


class Digit(RoomEvent, frozen=True):
    """A key pressed in the room: `key` is the digits, `data` what the caller control attached
    (conference_loop.c:616)."""

    leg: Leg = field(name="Unique-ID")
    key: str = field(name="DTMF-Key")
    data: str = field(name="Data", default="")


class SnapshotMember(msgspec.Struct, frozen=True, kw_only=True):
    """One member in a snapshot.

    While `held`, json_list hides mute and deafness (mod_conference.c:1451-1453): `can_speak` and `can_hear` are True
    then and mean nothing; what the events said last stays true.
    """

    leg: UUID
    can_hear: bool
    can_speak: bool
    talking: bool
    held: bool
    floor: bool
    moderator: bool
    volume_in: int
    volume_out: int = 0


class SnapshotRoom(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    locked: bool
    members: tuple[SnapshotMember, ...]
    recordings: tuple[str, ...] = ()
    """The paths of what is recorded of its mix."""


class SnapshotLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A channel of `show channels as json`."""

    leg: UUID
    ringing: bool
    answered: bool
    loopback: bool = False
    codec: str = ""
    rate: int = 0
    secure_type: str = ""
    """These three as in LegAnswered and LegSecured."""


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
