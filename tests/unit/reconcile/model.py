"""A model of a switch and of the world around decide(): in memory, with a clock of its own and faults on demand."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from apps.conferences.reconcile.decide import Decision, decide
from apps.conferences.reconcile.desired import DesiredConference
from apps.conferences.reconcile.ladder import CallOutPolicy
from apps.conferences.reconcile.observe import Changes, abandon, apply, apply_snapshot, connect
from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg
from apps.conferences.reconcile.rules import Rules
from apps.switch import commands as c
from apps.switch import events as e
from tests.unit.reconcile.feed import listed, member

REFUSED = "DESTINATION_OUT_OF_ORDER"


@dataclass(eq=False)
class ModelLeg:
    uuid: UUID
    participant: UUID | None
    created_at: float
    job: UUID | None = None
    join: c.Room | None = None
    flags: frozenset[c.MemberFlag] = frozenset()
    join_volume: int = 0
    volume_in: int = 0
    outcome: str = "answer"
    ringing_at: float | None = None
    due_at: float | None = None
    answered: bool = False
    room: str | None = None
    muted: bool = False
    deaf: bool = False
    held: bool = False
    moderator: bool = False
    twin: UUID | None = None
    inbound: bool = False
    passes_locks: bool = False
    secure_type: str = ""


class ModelSwitch:
    """What mod_conference does with the commands of this project; `out` collects its events."""

    def __init__(self, now: float, answers: dict[str, list[str]]) -> None:
        self.now = now
        self.answers = answers
        """Per dial string what becomes of its calls, one after the other; the last one stays."""
        self.out: list[e.Event] = []
        self.boot = 0
        self.plays: list[c.Play] = []
        self.double_calls = 0
        self.locked_out = 0
        """Callers who were moved into a locked room without what lets them pass."""
        self.start()

    def start(self) -> None:
        self.boot += 1
        self.core = f"core-{self.boot}"
        self.sequence = 0
        self.legs: dict[UUID, ModelLeg] = {}
        self.rooms: dict[str, bool] = {}
        self.ended: list[tuple[float, UUID]] = []

    # Time -----------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        self.now = now
        for leg in list(self.legs.values()):
            if leg.ringing_at is not None and now >= leg.ringing_at:
                leg.ringing_at = None
                self._tell(e.LegRinging, leg=leg.uuid)
            if leg.due_at is not None and now >= leg.due_at and leg.uuid in self.legs:
                leg.due_at = None
                if leg.outcome in ("answer", "plain"):
                    leg.answered = True
                    if leg.outcome == "answer":
                        self._secure(leg)
                    self._tell(e.LegAnswered, leg=leg.uuid)
                    self._join(leg, leg.join.name if leg.join else "", leg.flags, leg.join_volume)
                    self._tell(e.JobDone, job=leg.job, body="+OK")
                else:
                    self.end(leg, leg.outcome)

    # Commands -------------------------------------------------------------------------------------------------

    def execute(self, command: c.Command) -> None:
        match command:
            case c.Originate():
                self._originate(command)
            case c.OriginateFeed():
                self._originate_feed(command)
            case c.Kill(leg=uuid, cause=cause):
                if uuid in self.legs:
                    self.end(self.legs[uuid], cause)
            case c.Mute(room=room, leg=uuid):
                self._change(room, uuid, muted=True)
            case c.Unmute(room=room, leg=uuid):
                self._change(room, uuid, muted=False)
            case c.Deaf(room=room, leg=uuid):
                self._change(room, uuid, deaf=True)
            case c.Undeaf(room=room, leg=uuid):
                self._change(room, uuid, deaf=False)
            case c.Hold(room=room, leg=uuid):
                self._change(room, uuid, held=True)
            case c.Unhold(room=room, leg=uuid):
                self._change(room, uuid, held=False)
            case c.MuteNonModerators(room=room):
                for leg in self.in_room(room.name):
                    if not leg.moderator:
                        self._change(room, leg.uuid, muted=True)
            case c.SetVolume(room=room, leg=uuid, level=level):
                if uuid in self.legs and self.legs[uuid].room == room.name:
                    self.legs[uuid].volume_in = level
                    self._tell(e.MemberVolume, room=room.name, leg=uuid, volume_in=level)
            case c.Lock(room=room) | c.Unlock(room=room):
                if room.name in self.rooms:
                    self.rooms[room.name] = isinstance(command, c.Lock)
                    self._tell(e.RoomLocked if self.rooms[room.name] else e.RoomUnlocked, room=room.name)
            case c.PrepareMove(leg=uuid, flags=flags, volume_in=volume_in, caller=caller):
                if uuid in self.legs:
                    leg = self.legs[uuid]
                    leg.flags, leg.join_volume, leg.passes_locks = flags, volume_in, leg.passes_locks or caller
            case c.Move(source=source, target=target, legs=uuids):
                for uuid in uuids:
                    if uuid in self.legs and self.legs[uuid].room == source.name:
                        leg = self.legs[uuid]
                        self._leave(leg)
                        if leg.inbound and not leg.passes_locks and self.rooms.get(target.name):
                            self.locked_out += 1
                        self._join(leg, target.name, leg.flags, leg.join_volume)
                self._tidy(source.name)
            case c.Play(room=room, path=path, leg=target_leg):
                if room.name in self.rooms:
                    self.plays.append(command)
                    self._tell(e.PlayStarted, room=room.name, path=path, leg=target_leg, error="")
            case c.HangupRoom(room=room):
                for leg in self.in_room(room.name):
                    if leg.uuid in self.legs:
                        self.end(leg, "NORMAL_CLEARING")

    def _originate(self, command: c.Originate) -> None:
        if command.leg in self.legs:
            self._tell(e.JobDone, job=command.job, body=f"-ERR {REFUSED}")
            return
        # Whoever calls in while they are being called is nobody's mistake.
        if any(leg.participant == command.participant and not leg.inbound for leg in self.legs.values()):
            self.double_calls += 1
        outcomes = self.answers[command.dial_string]
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        if outcome == "USER_NOT_REGISTERED":
            self._tell(e.JobDone, job=command.job, body=f"-ERR {outcome}")
            return
        leg = ModelLeg(command.leg, command.participant, self.now, command.job, command.room, command.flags)
        leg.join_volume, leg.outcome = command.volume_in, outcome
        leg.ringing_at, leg.due_at = self.now + 0.5, self.now + 2.0
        self.legs[leg.uuid] = leg
        self._tell(e.LegCreated, leg=leg.uuid)

    def _originate_feed(self, command: c.OriginateFeed) -> None:
        if command.leg in self.legs:
            self._tell(e.JobDone, job=command.job, body=f"-ERR {REFUSED}")
            return
        feed = ModelLeg(command.leg, None, self.now, command.job, answered=True)
        main = ModelLeg(uuid5(command.leg, f"{self.sequence}"), None, self.now, answered=True)
        feed.twin, main.twin = main.uuid, feed.uuid
        for leg, room, flag in ((main, command.main, c.MemberFlag.MUTE), (feed, command.whisper, c.MemberFlag.DEAF)):
            self.legs[leg.uuid] = leg
            self._tell(e.LegCreated, leg=leg.uuid)
            self._join(leg, room.name, frozenset({flag}), command.volume)
        self._tell(e.JobDone, job=command.job, body="+OK")

    def call_in(self, uuid: UUID, participant: UUID, room: c.Room, flags: frozenset[c.MemberFlag]) -> None:
        """Somebody has called, was let in, and goes where they belong."""
        leg = ModelLeg(uuid, participant, self.now, answered=True, inbound=True)
        self.legs[uuid] = leg
        self._tell(e.LegCreated, leg=uuid)
        self._secure(leg)
        self._tell(e.LegAnswered, leg=uuid)
        self._join(leg, room.name, flags, 0)

    def intrude(self, uuid: UUID, room: c.Room) -> None:
        """Somebody whom nobody let in is in a room."""
        leg = ModelLeg(uuid, None, self.now, answered=True, inbound=True)
        self.legs[uuid] = leg
        self._join(leg, room.name, frozenset(), 0)

    # What happens by itself -----------------------------------------------------------------------------------

    def end(self, leg: ModelLeg, cause: str) -> None:
        if leg.uuid not in self.legs:
            return
        del self.legs[leg.uuid]
        self.ended.append((self.now, leg.uuid))
        room = leg.room
        if room is not None:
            self._leave(leg)
        sip_code = {"USER_BUSY": 486, "CALL_REJECTED": 603}.get(cause, 0)
        self._tell(e.LegEnded, leg=leg.uuid, cause=cause, sip_code=sip_code)
        if not leg.answered and leg.job is not None:
            self._tell(e.JobDone, job=leg.job, body=f"-ERR {cause}")
        if leg.twin in self.legs:
            self.end(self.legs[leg.twin], cause)
        if room is not None:
            self._tidy(room)

    def in_room(self, name: str) -> list[ModelLeg]:
        return [leg for leg in self.legs.values() if leg.room == name]

    def snapshot(self, asked_at: float, answered_at: float) -> e.Snapshot:
        """`show channels` trails by half a second here."""
        rooms = []
        for name, locked in self.rooms.items():
            members = tuple(
                listed(
                    leg.uuid,
                    muted=leg.muted,
                    deaf=leg.deaf,
                    held=leg.held,
                    moderator=leg.moderator,
                    volume_in=leg.volume_in,
                )
                for leg in self.in_room(name)
            )
            rooms.append(e.SnapshotRoom(name=name, locked=locked, members=members))
        legs = [
            e.SnapshotLeg(
                leg=leg.uuid,
                ringing=leg.ringing_at is None and not leg.answered,
                answered=leg.answered,
                loopback=leg.twin is not None,
                secure_type=leg.secure_type,
            )
            for leg in self.legs.values()
            if leg.created_at < self.now - 0.5
        ]
        legs += [
            e.SnapshotLeg(leg=uuid, ringing=False, answered=True)
            for at, uuid in self.ended
            if at > self.now - 0.5 and uuid not in self.legs
        ]
        return e.Snapshot(
            core=self.core, asked_at=asked_at, answered_at=answered_at, rooms=tuple(rooms), legs=tuple(legs)
        )

    def _join(self, leg: ModelLeg, room: str, flags: frozenset[c.MemberFlag], volume_in: int) -> None:
        if room not in self.rooms:
            self.rooms[room] = False
            self._tell(e.RoomCreated, room=room)
        leg.room, leg.volume_in, leg.held = room, volume_in, False
        leg.muted, leg.deaf = c.MemberFlag.MUTE in flags, c.MemberFlag.DEAF in flags
        leg.moderator = c.MemberFlag.MODERATOR in flags
        self._tell(e.MemberJoined, room=room, **self._state(leg))

    def _secure(self, leg: ModelLeg) -> None:
        leg.secure_type = "srtp:sdes:AEAD_AES_256_GCM"
        self._tell(e.LegSecured, leg=leg.uuid, secure_type=leg.secure_type)

    def _leave(self, leg: ModelLeg) -> None:
        room, leg.room = leg.room or "", None
        self._tell(e.MemberLeft, room=room, **self._state(leg))

    def _tidy(self, room: str) -> None:
        if room in self.rooms and not self.in_room(room):
            del self.rooms[room]
            self._tell(e.RoomDestroyed, room=room)

    def _change(self, room: c.Room, uuid: UUID, **facts: bool) -> None:
        leg = self.legs.get(uuid)
        if leg is not None and leg.room == room.name:
            for name, value in facts.items():
                setattr(leg, name, value)
            self._tell(e.MemberChanged, room=room.name, **self._state(leg))

    def _state(self, leg: ModelLeg) -> dict[str, Any]:
        who = leg.uuid if leg.inbound else leg.participant  # who called has their own external id
        return member(leg.uuid, who, muted=leg.muted, deaf=leg.deaf, held=leg.held, moderator=leg.moderator)

    def _tell(self, kind: type[e.Event], **facts: object) -> None:
        self.sequence += 1
        microseconds = int(self.now * 50) * 20_000  # FreeSWITCH's 20 ms grid
        self.out.append(kind(core=self.core, sequence=self.sequence, microseconds=microseconds, **facts))


def _copy(leg: ObservedLeg) -> ObservedLeg:
    return dataclasses.replace(leg, media=dataclasses.replace(leg.media))


@dataclass(frozen=True)
class Faults:
    """What goes wrong between the switchboard and the switch. Delays in seconds."""

    lose_command: float = 0.0
    lose_event: float = 0.0
    repeat_event: float = 0.0
    lose_snapshot: float = 0.0
    command_delay: float = 0.0
    event_delay: float = 0.0
    lose_flush: float = 0.0


CLEAN = Faults()
LOSSY = Faults(lose_command=0.3, lose_event=0.3, lose_snapshot=0.3, lose_flush=0.5)
SLOW = Faults(repeat_event=0.4, command_delay=3.0, event_delay=4.0, lose_flush=0.3)
AWFUL = Faults(0.3, 0.3, 0.3, 0.3, 3.0, 4.0, 0.6)
DEAF = Faults(lose_event=1.0, lose_snapshot=0.5, lose_flush=0.3)
TICK = 0.25


@dataclass(eq=False)
class World:
    """A switchboard around decide(): rows that survive it, a wire to the switch, and a clock."""

    desired: DesiredConference
    policy: CallOutPolicy
    switch: ModelSwitch
    now: float
    faults: Faults = CLEAN
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    observed: Observed = field(default_factory=Observed)
    rows: dict[UUID, ObservedLeg] = field(default_factory=dict)
    stored_core: str = ""
    unflushed: set[UUID] = field(default_factory=set)
    commands: list[tuple[float, str, c.Command]] = field(default_factory=list)
    events: list[tuple[float, e.Event]] = field(default_factory=list)
    asked: tuple[float, float] | None = None
    answer: e.Snapshot | None = None
    next_snapshot: float = 0.0
    connect_at: float = 0.0
    decision: Decision = field(default_factory=Decision)
    look_up: bool = False
    told_of: dict[UUID, str] = field(default_factory=dict)
    arrivals: list[ObservedLeg] = field(default_factory=list)
    """Rows of calls that came in and that the switchboard has not read yet."""

    def call_in(self, who: UUID) -> None:
        """Somebody calls and is let in: their row is there before they are in the room."""
        person = self.desired.participants[who]
        ordinal = 1 + max((row.ordinal for row in self.rows.values() if row.participant == who), default=0)
        row = ObservedLeg(uuid5(who, f"in {len(self.rows)}"), who, "", self.now, round=person.round, ordinal=ordinal)
        row.inbound, row.phase, row.answered_at = True, LegPhase.ANSWERED, self.now
        self.rows[row.leg] = row
        self.arrivals.append(row)
        rules = Rules(self.desired)
        room = rules.entrance(person)
        self.switch.call_in(row.leg, who, room, rules.flags(person, room))

    def _arrive(self) -> None:
        if self.look_up or (self.arrivals and self.chance.random() < 0.5):
            for row in self.arrivals:
                self.observed.take_in(_copy(row), self.now)
                self.unflushed.add(row.leg)
            self.arrivals.clear()
        if self.look_up:
            self.observed.looked_up(room.name for room in self.desired.rooms)
            self.look_up = False

    # Accidents ------------------------------------------------------------------------------------------------

    def crash_switch(self) -> None:
        self.switch.start()
        self.observed.disconnected()
        self.connect_at = self.now + 2.0
        self.asked = self.answer = None

    def crash_switchboard(self) -> None:
        """What was sent stays sent; what was not flushed is forgotten."""
        self.observed = Observed()
        self.unflushed.clear()
        self.arrivals.clear()
        self.look_up = False
        self.connect_at = self.now + 1.0
        self.asked = self.answer = None
        for row in self.rows.values():
            leg = _copy(row)
            leg.core, leg.room, leg.doubt, leg.repeated = self.stored_core, None, None, False
            leg.seen_at, leg.as_of, leg.sequence, leg.volume_in = None, 0.0, -1, None
            if leg.phase is LegPhase.MISSING:
                leg.phase = LegPhase.SENT
            self.observed.restore(leg, self.now)

    def lose_connection(self) -> None:
        self.observed.disconnected()
        self.connect_at = self.now + 3.0
        self.asked = self.answer = None

    # Time -----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        self.now += TICK
        for command in self._due_commands():
            self.switch.execute(command)
        self.switch.advance(self.now)
        self._collect()
        self._arrive()
        self._deliver()
        self._snapshot()
        self._flush()
        self._act()

    def quiet(self) -> bool:
        return not (self.commands or self.events or self.decision or self.arrivals)

    def _due_commands(self) -> list[c.Command]:
        due = [entry for entry in self.commands if entry[0] <= self.now]
        self.commands = [entry for entry in self.commands if entry[0] > self.now]
        return [command for _, core, command in due if core == self.switch.core]

    def _collect(self) -> None:
        for event in self.switch.out:
            copies = 2 if self.chance.random() < self.faults.repeat_event else 1
            if self.chance.random() < self.faults.lose_event:
                copies = 0
            for _ in range(copies):
                self.events.append((self.now + self.chance.uniform(0.0, self.faults.event_delay), event))
        self.switch.out.clear()

    def _deliver(self) -> None:
        due = sorted((entry for entry in self.events if entry[0] <= self.now), key=lambda entry: entry[0])
        self.events = [entry for entry in self.events if entry[0] > self.now]
        if self.observed.connected:
            self._note(apply(self.observed, *(event for _, event in due)))

    def _snapshot(self) -> None:
        if not self.observed.connected:
            if self.now < self.connect_at:
                return
            self._note(connect(self.observed, self.switch.core, self.now))
            self.stored_core = self.switch.core
            self.next_snapshot = self.now
        if self.answer is not None:
            self._note(apply_snapshot(self.observed, self.answer))
            self.answer = None
        if self.asked is not None:
            asked, self.asked = self.asked, None
            if self.chance.random() >= self.faults.lose_snapshot:
                self.answer = self.switch.snapshot(asked[0], self.now)
            elif not self.observed.ready:
                self.next_snapshot = self.now
        elif self.now >= self.next_snapshot or (self.decision.snapshot and self.answer is None):
            self.asked = (self.now, self.now)
            self.next_snapshot = self.now + 30.0

    def _note(self, changes: Changes) -> None:
        self.unflushed |= {leg for leg in changes.legs if self.observed.legs[leg].participant is not None}
        self.told_of |= changes.announcements

    def _flush(self) -> None:
        if self.chance.random() >= self.faults.lose_flush:
            self._write(self.unflushed)
            self.unflushed.clear()

    def _write(self, legs: set[UUID]) -> None:
        for leg in legs:
            self.rows[leg] = _copy(self.observed.legs[leg])

    def _act(self) -> None:
        announcements = tuple(each for each in self.desired.announcements if each.id not in self.told_of)
        desired = dataclasses.replace(self.desired, announcements=announcements)
        self.decision = decision = decide(desired, self.observed, self.policy, self.now)
        self.look_up = self.look_up or decision.look_up
        for leg in decision.abandoned:
            self._note(abandon(self.observed, leg, self.now))
        for command in decision.commands:
            self._send(command)
        self.told_of |= decision.unplayed
        for announcement, play in decision.plays:
            self.observed.played(announcement, play, self.now)
            self._wire(play)
        for dial in decision.dials:
            if not dial.repeat:
                known = self.observed.people.get(dial.participant)
                self._write({leg.leg for leg in known.legs} if known is not None else set())
                alive = [row for row in self.rows.values() if row.participant == dial.participant]
                if any(row in self.arrivals and row.phase is not LegPhase.ENDED for row in alive):
                    continue  # the database admits no other beside it
                assert all(row.phase is LegPhase.ENDED for row in alive), "the database admits one live attempt"
                assert dial.leg not in self.rows, "an attempt is never made twice"
                self.observed.store(dial, self.now)
                self._write({dial.leg})
                if self.chance.random() < self.faults.lose_command:
                    continue  # stored, and died before the originate left
            self._send(dial.originate)

    def _send(self, command: c.Command) -> None:
        self.observed.sent(command, self.now)
        self._wire(command)

    def _wire(self, command: c.Command) -> None:
        if self.chance.random() < self.faults.lose_command:
            return
        at = self.now + self.chance.uniform(0.0, self.faults.command_delay)
        if self.commands:
            at = max(at, self.commands[-1][0])
        self.commands.append((at, self.observed.core, command))
