"""Typed commands to a switch: what decide() yields and what esl/ renders.

Standard library only. A command says what shall be so, never how it is spelt; the spelling, with every check of
what may be sent over ESL, is in `esl/rendering.py` and nowhere else.

Source of the forms: mod_commands.c (originate, uuid_kill, uuid_setvar) and conference_api.c of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID


class MemberFlag(enum.StrEnum):
    """Flags of a conference member (conference_utils.c:114-165) that this project sends."""

    MUTE = "mute"
    DEAF = "deaf"
    MODERATOR = "moderator"
    GHOST = "ghost"
    NOMOH = "nomoh"
    MANDATORY_MEMBER_ENDCONF = "mandatory_member_endconf"


@dataclass(frozen=True, slots=True)
class Room:
    """A mod_conference instance: its name and the profile that it is created with."""

    name: str
    profile: str


@dataclass(frozen=True, slots=True)
class Originate:
    """Call one endpoint and put it, once answered, into `room`.

    `leg` becomes the channel's UUID and `job` the Job-UUID; `participant` travels as origination_external_id and
    comes back in every member event. `dial_string` is complete (`loopback/8001/rehearsal`). `timeout`
    is seconds of ringing. `volume_in` is -4..4. `encryption` is the value of rtp_secure_media, or None for an
    endpoint without media of its own (loopback).
    """

    leg: UUID
    job: UUID
    participant: UUID
    dial_string: str
    room: Room
    flags: frozenset[MemberFlag] = frozenset()
    timeout: int = 45
    caller_name: str = ""
    caller_number: str = ""
    callee_name: str = ""
    volume_in: int = 0
    encryption: str | None = None


@dataclass(frozen=True, slots=True)
class OriginateFeed:
    """Let `whisper` hear `main` softly: a listen-only loopback pair, muted and deaf so that nothing leaks either way.

    `leg` is the UUID of the whisper side; `volume` is -4..0.
    """

    leg: UUID
    job: UUID
    main: Room
    whisper: Room
    volume: int = -3


@dataclass(frozen=True, slots=True)
class Kill:
    """Hang a leg up, ringing or answered, with a hang-up cause (`ORIGINATOR_CANCEL` while it rings)."""

    leg: UUID
    cause: str = "NORMAL_CLEARING"


@dataclass(frozen=True, slots=True)
class Mute:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class MuteNonModerators:
    """One command for all members of the room that lack the moderator flag."""

    room: Room


@dataclass(frozen=True, slots=True)
class Unmute:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class Deaf:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class Undeaf:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class Hold:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class Unhold:
    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class SetVolume:
    """How loud the room hears this leg: `volume_in`, -4..4."""

    room: Room
    leg: UUID
    level: int


@dataclass(frozen=True, slots=True)
class SetHearing:
    """How loud this leg hears the room and what is played to it: `volume_out`, -4..4. It holds for the rooms that the
    leg comes to afterwards, too.
    """

    room: Room
    leg: UUID
    level: int


@dataclass(frozen=True, slots=True)
class Lock:
    room: Room


@dataclass(frozen=True, slots=True)
class Unlock:
    room: Room


@dataclass(frozen=True, slots=True)
class PrepareMove:
    """Store what a leg's next membership starts with: mute, deaf and volume do not survive `transfer` (§0.9).

    `caller`: the leg called us, and a locked room would keep it out, whoever moves it.
    """

    leg: UUID
    flags: frozenset[MemberFlag]
    volume_in: int
    caller: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """`conference SOURCE transfer TARGET uuid=…`; at most 20 legs a command (rendering splits)."""

    source: Room
    target: Room
    legs: tuple[UUID, ...]
    flags: frozenset[MemberFlag] = frozenset()


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound file to the whole room, or to one leg of it (mixed with what it hears)."""

    room: Room
    path: str
    leg: UUID | None = None


@dataclass(frozen=True, slots=True)
class StopPlay:
    """End what is being played to one leg, and what waits to be."""

    room: Room
    leg: UUID


@dataclass(frozen=True, slots=True)
class StartTrack:
    """Record what a leg says, and nothing that it hears, into a file that does not exist: 16,000 samples a second,
    signed, 16 bits, little-endian and nothing else. Mute does not silence it (fact sheet §0.1): `MaskTrack` does.
    """

    leg: UUID
    path: str


@dataclass(frozen=True, slots=True)
class StopTrack:
    leg: UUID
    path: str


@dataclass(frozen=True, slots=True)
class MaskTrack:
    """Record silence in place of what the leg says, or no longer; the track keeps its time."""

    leg: UUID
    path: str
    masked: bool


@dataclass(frozen=True, slots=True)
class StartMix:
    """Record what a room hears, at the room's rate, else as StartTrack."""

    room: Room
    path: str


@dataclass(frozen=True, slots=True)
class StopMix:
    room: Room
    path: str


@dataclass(frozen=True, slots=True)
class HangupRoom:
    """`hup all`: every member leaves and the room is gone."""

    room: Room


@dataclass(frozen=True, slots=True)
class Restart:
    """Start anew as soon as there is no leg at all, with the configuration and certificates of then."""

    job: UUID


@dataclass(frozen=True, slots=True)
class RescanGateways:
    """A SIP profile asks the control plane for its gateways, and begins with those that it does not know."""

    profile: str


@dataclass(frozen=True, slots=True)
class RemoveGateway:
    """A SIP profile signs a gateway off and forgets it. Calls through it go on."""

    profile: str
    gateway: str


@dataclass(frozen=True, slots=True)
class ReloadNetworks:
    """Ask the control plane who may call without a password, by address."""


Command = (
    Originate
    | OriginateFeed
    | Kill
    | Mute
    | MuteNonModerators
    | Unmute
    | Deaf
    | Undeaf
    | Hold
    | Unhold
    | SetVolume
    | SetHearing
    | Lock
    | Unlock
    | PrepareMove
    | Move
    | Play
    | StopPlay
    | StartTrack
    | StopTrack
    | MaskTrack
    | StartMix
    | StopMix
    | HangupRoom
    | Restart
    | RescanGateways
    | RemoveGateway
    | ReloadNetworks
)
