"""What the switch is believed to be: in memory, one object per switch.

It is changed by `observe`, and by the switchboard's notes of what was sent.
A sent command is no fact: it is only remembered so that it is not repeated at once. Persisted attempts correspond
one to one to `ObservedLeg`.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from apps.conferences.reconcile.desired import send_job
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.in_flight import InFlight
from apps.conferences.reconcile.media import MANDATORY, Media, rule
from apps.conferences.reconcile.tracks import Tracks
from apps.switch.commands import Command, Mute, MuteNonModerators, Originate, OriginateFeed, Play
from apps.switch.events import Heartbeat

SETTLE = 5.0
"""Seconds after which an originate has reached the switch or never will: only a later snapshot proves a leg absent."""

LAG = 2.0
"""Seconds by which `show channels` may trail the events (its table is written by a queue, switch_core_sqldb.c)."""

GRID = 0.05
"""Seconds by which an event's time may lie before the event (FreeSWITCH stamps on a 20 ms grid)."""

MAX_SENDS = 3
"""Originates of one leg without any sign of it, before the attempt ends as LOST."""

MEMORY = 120.0
"""Seconds for which the end of a leg that belongs to no participant is remembered."""

SEEN_EVENTS = 65_536
"""Event numbers remembered to recognise a repetition, at least; at most twice as many."""

LOST = "LOST"
SWITCH_RESTART = "SWITCH_RESTART"
NODE_LOST = "NODE_LOST"
CANCELLED = "ORIGINATOR_CANCEL"
SUPERSEDED = "LOSE_RACE"
"""Another leg of the same person took its place. Telephones and browsers are told so (mod_sofia.c:504)."""

NOT_ENCRYPTED = "NOT_ENCRYPTED"
"""What the end of a leg is called that was hung up since it was not encrypted."""

UNENCRYPTED = "BEARERCAPABILITY_NOTAUTH"
"""The cause that it is hung up with: Q.850 57, bearer capability not authorized."""


class LegPhase(enum.IntEnum):
    """How far a leg is. Up to IN_ROOM it lives or may live."""

    STORED = 0
    SENT = 1
    CREATED = 2
    RINGING = 3
    ANSWERED = 4
    IN_ROOM = 5
    MISSING = 6
    """Never seen, and absent in a snapshot that would show it: may be originated again with the same UUID."""
    ENDED = 7


_LIVE = frozenset(phase for phase in LegPhase if phase <= LegPhase.IN_ROOM)
_MISSING = frozenset({LegPhase.MISSING})


@dataclass(slots=True, eq=False)
class ObservedLeg:
    """One attempt as far as it is known. `number` is an index into the participant's numbers. On an `inbound` one the
    person called us.

    `participant` is None for a feed and for strangers; whether the switch itself is at the other end (`loopback`) is
    None while nothing told it, and `looked_up` says that the rows know nobody of this name. `encryption` is what is
    asked of the leg (media.py). `volume_in` is None while nothing told it. `volume_out` is what was
    sent last, or what a snapshot told; `heard` are the prompts that decide() had played to this leg. `sequence` and
    `as_of` say how new the membership facts are; `seen_at` is the last sign of life.
    """

    leg: UUID
    participant: UUID | None
    core: str
    stored_at: float
    round: int = 1
    ordinal: int = 0
    number: int = 0
    gateway: UUID | None = None
    inbound: bool = False
    phase: LegPhase = LegPhase.STORED
    sends: int = 0
    sent_at: float = 0.0
    ringing_at: float | None = None
    answered_at: float | None = None
    joined_at: float | None = None
    ended_at: float | None = None
    cause: str = ""
    sip_code: int = 0
    encryption: str = MANDATORY
    media: Media = field(default_factory=Media)
    room: str | None = None
    muted: bool = False
    deaf: bool = False
    held: bool = False
    talking: bool = False
    moderator: bool = False
    volume_in: int | None = None
    volume_out: int = 0
    heard: set[str] = field(default_factory=set)
    feeds: str = ""
    loopback: bool | None = None
    looked_up: bool = False
    repeated: bool = False
    doubt: tuple[str, int] | None = None
    seen_at: float | None = None
    roomless_since: float = 0.0
    as_of: float = 0.0
    sequence: int = -1
    talk_sequence: int = -1
    volume_sequence: int = -1

    @property
    def live(self) -> bool:
        return self.phase <= LegPhase.IN_ROOM

    @property
    def stranger(self) -> bool:
        """Whether nobody knows who is at its other end: not one of our people, and not the switch, as with feeds."""
        return self.participant is None and not self.feeds and self.loopback is False

    @property
    def encrypted(self) -> bool:
        """Whether all is well with its encryption: proved, or not asked."""
        return self.encryption != MANDATORY or bool(self.media.proof)

    @property
    def last_send(self) -> float:
        """When an originate of this leg may last have left."""
        return max(self.stored_at, self.sent_at)

    @property
    def unsettled(self) -> bool:
        """Whether only a snapshot can tell if this leg lives."""
        return self.live and (self.seen_at is None or self.doubt is not None)

    @property
    def absence_counts_from(self) -> float:
        """A snapshot asked at or after this moment proves, by not showing the leg, that it is no more."""
        seen = self.seen_at + LAG if self.seen_at is not None else 0.0
        sent = self.last_send + SETTLE if self.seen_at is None or self.repeated else 0.0
        return max(seen, sent)


@dataclass(slots=True, eq=False)
class ObservedParticipant:
    """The legs of one participant, in order of (round, ordinal), and those of them that live and that are missing."""

    legs: list[ObservedLeg] = field(default_factory=list)
    live: list[ObservedLeg] = field(default_factory=list)
    missing: list[ObservedLeg] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ObservedRoom:
    """A room, kept after its end so that late events do not bring it back. `floor` is the leg that has the floor."""

    name: str
    exists: bool = False
    locked: bool = False
    members: dict[UUID, ObservedLeg] = field(default_factory=dict)
    floor: UUID | None = None
    as_of: float = 0.0
    lock_sequence: int = -1
    floor_sequence: int = -1
    destroyed_sequence: int = -1


@dataclass(slots=True, eq=False)
class ObservedPlay:
    """An announcement that was sent; `started` once the switch said so, with or without an error."""

    command: Play
    sent_at: float
    sends: int = 1
    started: bool = False


class Observed:
    """One switch. `ready` says whether decisions may be based on it: connected, and a snapshot taken since."""

    def __init__(self) -> None:
        self.core = ""
        self.core_since = 0.0
        self.connected = False
        self.ready = False
        self.snapshot_asked_at = 0.0
        self.heartbeat: Heartbeat | None = None
        """The last one, until somebody takes it."""
        self.legs: dict[UUID, ObservedLeg] = {}
        self.people: dict[UUID, ObservedParticipant] = {}
        self.rooms: dict[str, ObservedRoom] = {}
        self.strangers: dict[UUID, ObservedLeg] = {}
        self.feeds: dict[str, list[ObservedLeg]] = {}
        self.jobs: dict[UUID, ObservedLeg] = {}
        self.unclaimed: dict[UUID, Media] = {}
        """What was said of the sound of legs that are nobody's yet."""
        self.plays: dict[UUID, ObservedPlay] = {}
        self.tracks = Tracks()
        self.in_flight = InFlight()
        self._seen: set[int] = set()
        self._seen_before: set[int] = set()

    # What the switchboard notes -------------------------------------------------------------------------------

    def disconnected(self) -> None:
        """The connection broke: nothing is decided until a snapshot over a new one has been applied."""
        self.connected = self.ready = False

    def restore(self, leg: ObservedLeg, now: float) -> None:
        """Take in a persisted attempt after a start, before anything is applied; the next snapshot says where it is.

        `leg.core` is the core that ran when the rows were written. One without any sign may have been originated by
        the process before this one a moment ago.
        """
        if leg.phase is LegPhase.IN_ROOM:
            leg.phase = LegPhase.ANSWERED
        leg.room = None
        if leg.phase >= LegPhase.CREATED:
            leg.seen_at = leg.stored_at
        elif leg.seen_at is None:
            leg.repeated = True
            leg.sends = max(leg.sends, 1)
            leg.sent_at = now
        leg.roomless_since = now
        self.add(leg)
        if leg.phase is not LegPhase.ENDED:
            self.jobs.update((send_job(leg.leg, send), leg) for send in range(1, MAX_SENDS + 1))

    def take_in(self, leg: ObservedLeg, now: float) -> bool:
        """Take in a persisted attempt that may be known already. That of somebody who called in is, as a stranger, if
        they were in the room before their row was read: then there is news to write.
        """
        known = self.legs.get(leg.leg)
        if known is None:
            if leg.inbound and not leg.core:
                leg.core = self.core
            self.restore(leg, now)
            return False
        if known.participant is not None or not leg.inbound:
            return False
        del self.strangers[known.leg]
        known.participant, known.inbound = leg.participant, True
        known.round, known.ordinal, known.number = leg.round, leg.ordinal, leg.number
        known.stored_at, known.answered_at = leg.stored_at, leg.answered_at
        self.add(known)
        return True

    def store(self, dial: Dial, now: float) -> None:
        """Note that the row of a new attempt is committed; its originate may leave from now on."""
        self.add(
            ObservedLeg(
                leg=dial.leg,
                participant=dial.participant,
                core=self.core,
                stored_at=now,
                round=dial.round,
                ordinal=dial.ordinal,
                number=dial.number,
                gateway=dial.route.gateway,
                encryption=rule(dial.route.encryption),
            )
        )

    def sent(self, command: Command, now: float) -> None:
        """Note that a command left, so that it is not repeated before its time. For the Play of an announcement, use
        `played`.
        """
        if isinstance(command, MuteNonModerators):
            # One for each who is there now: who joins later is not reached by it.
            for member in self.room(command.room.name).members.values():
                if not member.moderator:
                    self.in_flight.note(Mute(command.room, member.leg), now)
        self.in_flight.note(command, now)
        self.tracks.sent(command, now)
        if isinstance(command, Play) and command.leg in self.legs:
            self.legs[command.leg].heard.add(command.path)
        if isinstance(command, OriginateFeed) and command.leg not in self.legs:
            self.add(ObservedLeg(command.leg, None, self.core, now, feeds=command.whisper.name))
        if isinstance(command, (Originate, OriginateFeed)):
            leg = self.legs[command.leg]
            leg.sends += 1
            leg.sent_at = now
            leg.repeated = leg.repeated or leg.sends > 1
            self.jobs[command.job] = leg
            if leg.phase in (LegPhase.STORED, LegPhase.MISSING):
                self.set_phase(leg, LegPhase.SENT)

    def played(self, announcement: UUID, command: Play, now: float) -> None:
        """Note that the Play of an announcement left."""
        play = self.plays.get(announcement)
        if play is None:
            self.plays[announcement] = ObservedPlay(command, now)
        else:
            play.command, play.sent_at, play.sends = command, now, play.sends + 1

    def forget(self, conference: UUID, participants: Iterable[UUID], rooms: Iterable[str]) -> None:
        """Drop all that belongs to a conference that is over."""
        self.tracks.forget([conference])
        for participant in participants:
            person = self.people.pop(participant, None)
            for leg in person.legs if person else ():
                self.tracks.forget([leg.leg])
                self.legs.pop(leg.leg, None)
                self._release(leg)
        for name in rooms:
            self.rooms.pop(name, None)
            for announcement in [each for each, play in self.plays.items() if play.command.room.name == name]:
                del self.plays[announcement]
            for leg in self.feeds.pop(name, ()):
                self.strangers.pop(leg.leg, None)
                self.legs.pop(leg.leg, None)
                self._release(leg)

    # What decide() asks ---------------------------------------------------------------------------------------

    def calls_per_gateway(self) -> Counter[UUID]:
        """Live or possibly live calls of each gateway, for the pacer."""
        return Counter(leg.gateway for person in self.people.values() for leg in person.live if leg.gateway is not None)

    def looked_up(self, rooms: Iterable[str]) -> None:
        """Note that the rows of those who called in were read after all who are in these rooms were seen there."""
        for name in rooms:
            room = self.rooms.get(name)
            for leg in room.members.values() if room is not None else ():
                leg.looked_up = leg.participant is None

    # What observe changes -------------------------------------------------------------------------------------

    def add(self, leg: ObservedLeg) -> None:
        self.legs[leg.leg] = leg
        if (media := self.unclaimed.pop(leg.leg, None)) is not None:
            leg.media = media
        if leg.participant is None:
            self.strangers[leg.leg] = leg
            if leg.feeds:
                self.feeds.setdefault(leg.feeds, []).append(leg)
            return
        person = self.people.setdefault(leg.participant, ObservedParticipant())
        person.legs.append(leg)
        person.legs.sort(key=lambda each: (each.round, each.ordinal))
        if leg.live:
            person.live.append(leg)

    def media(self, leg: UUID) -> Media:
        """That of a leg of the switch, whoever it belongs to."""
        known = self.legs.get(leg)
        return known.media if known is not None else self.unclaimed.setdefault(leg, Media())

    def room(self, name: str) -> ObservedRoom:
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = ObservedRoom(name)
        return room

    def place(self, leg: ObservedLeg, name: str | None) -> None:
        """Put a leg into a room, or into none."""
        if leg.room is not None and (old := self.rooms.get(leg.room)) is not None:
            old.members.pop(leg.leg, None)
        leg.room = name
        if name is not None:
            self.room(name).members[leg.leg] = leg

    def set_phase(self, leg: ObservedLeg, phase: LegPhase) -> None:
        before = leg.phase
        leg.phase = phase
        if not leg.live:
            self.place(leg, None)
            leg.talking = False
        if phase is LegPhase.ENDED:
            self._release(leg)
        if leg.participant is None:
            return
        person = self.people[leg.participant]
        for legs, phases in ((person.live, _LIVE), (person.missing, _MISSING)):
            if before in phases and phase not in phases:
                legs.remove(leg)
            elif phase in phases and before not in phases:
                legs.append(leg)

    def first_time(self, sequence: int) -> bool:
        """Whether this event of the running core was not applied before."""
        seen = self._seen
        if sequence in seen or sequence in self._seen_before:
            return False
        seen.add(sequence)
        if len(seen) == SEEN_EVENTS:
            self._seen, self._seen_before = set(), seen
        return True

    def start_core(self, core: str, now: float) -> None:
        """Another core runs: what was under way and the rooms went with the old one."""
        self.core, self.core_since = core, now
        self.ready = False
        self.rooms.clear()
        self.unclaimed.clear()
        self.in_flight.clear()
        self._seen.clear()
        self._seen_before.clear()

    def drop_old_strangers(self, now: float) -> None:
        for leg in [each for each in self.strangers.values() if each.ended_at is not None]:
            if leg.ended_at is not None and now - leg.ended_at > MEMORY:
                del self.strangers[leg.leg], self.legs[leg.leg]
                if leg.feeds:
                    self.feeds[leg.feeds].remove(leg)

    def _release(self, leg: ObservedLeg) -> None:
        for send in range(1, MAX_SENDS + 1):
            self.jobs.pop(send_job(leg.leg, send), None)
        self.in_flight.drop_leg(leg.leg)
