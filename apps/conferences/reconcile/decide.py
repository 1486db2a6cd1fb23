"""The heart: from what shall be and what is believed to be, to the commands that close the difference. Pure.

When both agree, nothing is yielded. Nothing here remembers anything: the switchboard calls it after each change, each
event and each second, and notes in `Observed` what it sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from apps.conferences.reconcile.again import Again, decide_again
from apps.conferences.reconcile.desired import (
    LEADERS,
    DesiredAnnouncement,
    DesiredConference,
    DesiredParticipant,
    DesiredWhisper,
    Route,
    attempt_leg,
    feed_leg,
    send_job,
)
from apps.conferences.reconcile.dial import Dial
from apps.conferences.reconcile.ladder import CallOutPolicy, Stop, next_step, round_attempts
from apps.conferences.reconcile.media import PROOF_SECONDS
from apps.conferences.reconcile.observed import (
    CANCELLED,
    LAG,
    SUPERSEDED,
    UNENCRYPTED,
    LegPhase,
    Observed,
    ObservedLeg,
    ObservedParticipant,
    ObservedRoom,
)
from apps.conferences.reconcile.recording import NewTrack, Recorder
from apps.conferences.reconcile.rules import Rules
from apps.switch.commands import (
    Command,
    Deaf,
    HangupRoom,
    Hold,
    Kill,
    Lock,
    Move,
    Mute,
    MuteNonModerators,
    Originate,
    OriginateFeed,
    Play,
    PrepareMove,
    Room,
    SetVolume,
    Undeaf,
    Unhold,
    Unlock,
    Unmute,
)

BULK = 3
"""From this many on, one command for all that lack the moderator flag replaces one each."""

STRAY = 15.0
"""Seconds that an answered leg may be in no room, a snapshot agreeing, before it is hung up and called again."""

STRAY_CAUSE = "RECOVERY_ON_TIMER_EXPIRE"

REPEAT_PLAY_AFTER = 5.0
"""Seconds after which an announcement that did not start is sent a second and last time, and then given up."""

PLAY_WITHIN = 60.0
"""Seconds for which an announcement waits for a listener and a switch: nobody wants to hear an old one."""

FAREWELL = 6.0
"""Seconds for which somebody who is sent away from the lobby stays to hear what is played to them."""

NOT_STARTED = "NOT_STARTED"
NOBODY_THERE = "NOBODY_THERE"
"""Why an announcement was given up: the switch played it at neither try; there was nobody to hear it in its time."""

FEED_BACKOFF_MAX = 60.0
"""Most seconds between two tries to set up a feed that fails."""


@dataclass(slots=True)
class Decision:
    """What to do, each list in the order in which it is to be done: tracks, commands, plays, dials.

    `tracks` are to be stored before they are begun; those that are `over` are for `recorded.give_up`.
    `plays` are announcements with their id, for `Observed.played`; `unplayed` those to be given up, and why.
    `again` are to be written as decided before they are sent.
    `abandoned` are legs for `observe.abandon`.
    `snapshot`: a snapshot asked now would settle something that nothing else can. `look_up`: somebody is in a room whom
    only the rows can know; read them, then `Observed.looked_up`.
    """

    tracks: list[NewTrack] = field(default_factory=list)
    over: list[UUID] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    plays: list[tuple[UUID, Play]] = field(default_factory=list)
    unplayed: dict[UUID, str] = field(default_factory=dict)
    again: list[Again] = field(default_factory=list)
    dials: list[Dial] = field(default_factory=list)
    abandoned: list[UUID] = field(default_factory=list)
    snapshot: bool = False
    look_up: bool = False

    def __bool__(self) -> bool:
        said = (self.plays, self.unplayed, self.again)
        return any(
            (self.tracks, self.over, self.commands, *said, self.dials, self.abandoned, self.snapshot, self.look_up)
        )


def decide(desired: DesiredConference, observed: Observed, policy: CallOutPolicy, now: float) -> Decision:
    """The commands that close the difference. Empty while the switch is not known (`Observed.ready`)."""
    if not observed.ready:
        return Decision()
    work = _Work(desired, observed, policy, now)
    if desired.phase == "ended":
        work.end()
    else:
        work.run()
    return work.decision


def _preference(leg: ObservedLeg) -> tuple[bool, float, float, int]:
    """Of several legs of one person the least stays: the one on which they called in last, for that is where they are
    now; else the one that is furthest, and of those the first.
    """
    if leg.inbound:
        return (False, -leg.stored_at, 0.0, leg.ordinal)
    return (True, -leg.phase, leg.stored_at, leg.ordinal)


class _Work:
    def __init__(self, desired: DesiredConference, observed: Observed, policy: CallOutPolicy, now: float) -> None:
        self.desired, self.observed, self.policy, self.now = desired, observed, policy, now
        self.rules = Rules(desired)
        self.recorder = Recorder(desired, observed, self.rules, now)
        self.decision = Decision()
        self.kills: list[Command] = []
        self.mutes: dict[str, list[tuple[Room, ObservedLeg]]] = {}
        self.changes: list[Command] = []
        self.moves: dict[tuple[str, str], list[tuple[ObservedLeg, DesiredParticipant, Room]]] = {}
        self.speakers: set[UUID] = set()
        """Members that shall be heard, in any room."""

    # A conference that is on ----------------------------------------------------------------------------------

    def run(self) -> None:
        people = self.observed.people
        absent: list[tuple[DesiredParticipant, ObservedParticipant | None]] = []
        for person in self.desired.participants.values():
            known = people.get(person.id)
            if known is not None and known.live:
                self._live(person, known)
            elif known is not None and known.missing:
                self._missing(person, known.missing)
            elif person.present:
                absent.append((person, known))
        for whisper in self.desired.whispers.values():
            self._feed(whisper)
        for room in self.desired.rooms:
            self._strangers(room)
        self.recorder.mix()
        self.decision.tracks = self.recorder.tracks
        self.decision.over = [track.id for track in self.recorder.over]
        moves = self._moves()
        self.decision.commands = [*self.kills, *self._bulk_mutes(), *self.recorder.commands, *moves, *self.changes]
        self._lock()
        for announcement in self.desired.announcements:
            self._announce(announcement)
        self.decision.again = list(decide_again(self.desired, self.observed, self.now))
        # Whoever leads is called first: others may have to wait for them.
        absent.sort(key=lambda each: each[0].role not in LEADERS)
        for person, known in absent:
            self._dial(person, known)

    def _live(self, person: DesiredParticipant, known: ObservedParticipant) -> None:
        self.decision.abandoned += [each.leg for each in known.missing]
        leg, *others = sorted(known.live, key=_preference)
        for extra in others:
            # Who calls again stays where they are until the new call is in: it may never be.
            if leg.phase is LegPhase.IN_ROOM or extra.phase is not LegPhase.IN_ROOM or not person.present:
                self._kill(extra, SUPERSEDED)
            else:
                self._member(person, extra)
        if leg.unsettled:
            self._ask(leg)
        if not person.present:
            if not self._is_told(person, leg):
                self._kill(leg, CANCELLED if leg.joined_at is None else "NORMAL_CLEARING")
        elif not leg.encrypted and leg.answered_at is not None and self.now >= leg.answered_at + PROOF_SECONDS:
            self._unencrypted(leg, leg.answered_at + PROOF_SECONDS)
        elif leg.phase is LegPhase.IN_ROOM:
            self._member(person, leg)
            self.recorder.person(person, leg)
        elif leg.phase is LegPhase.ANSWERED and self.now - leg.roomless_since >= STRAY:
            if self.observed.snapshot_asked_at > leg.roomless_since + LAG:
                self._kill(leg, STRAY_CAUSE)
            else:
                self.decision.snapshot = True

    def _is_told(self, person: DesiredParticipant, leg: ObservedLeg) -> bool:
        """Whether something is being said in the lobby to somebody who has to go, or about to be."""
        lobby = self.desired.lobby
        if lobby is None or leg.room != lobby.name:
            return False
        asked = (each.asked_at for each in self.desired.announcements if each.participant == person.id)
        sent = (play.sent_at for play in self.observed.plays.values() if play.command.leg == leg.leg)
        return any(self.now - at < FAREWELL for at in (*asked, *sent))

    def _unencrypted(self, leg: ObservedLeg, since: float) -> None:
        """Its time is over, and no event told of its encryption; one may have been lost, so the switch is asked."""
        if self.observed.snapshot_asked_at >= since:
            self._kill(leg, UNENCRYPTED)
        else:
            self.decision.snapshot = True

    def _strangers(self, room: Room) -> None:
        """Who was neither called nor let in is hung up, once the rows have been read for them."""
        known = self.observed.rooms.get(room.name)
        for leg in known.members.values() if known is not None else ():
            if leg.stranger:
                if leg.looked_up:
                    self._kill(leg, "CALL_REJECTED")
                else:
                    self.decision.look_up = True

    def _member(self, person: DesiredParticipant, leg: ObservedLeg) -> None:
        room = self.rules.room(person)
        if leg.room != room.name:
            if not self.observed.in_flight.pending(("room", leg.leg), room.name, self.now):
                self.moves.setdefault((leg.room or "", room.name), []).append((leg, person, room))
            return
        muted = self.rules.muted(person, room)
        if not muted:
            self.speakers.add(leg.leg)
        if muted != leg.muted and not self._pending("mute", leg, muted):
            if muted:
                self.mutes.setdefault(room.name, []).append((room, leg))
            else:
                self.changes.append(Unmute(room, leg.leg))
        deaf = self.rules.deaf(person, room)
        if deaf != leg.deaf and not self._pending("deaf", leg, deaf):
            self.changes.append(Deaf(room, leg.leg) if deaf else Undeaf(room, leg.leg))
        if person.held != leg.held and not self._pending("hold", leg, person.held):
            self.changes.append(Hold(room, leg.leg) if person.held else Unhold(room, leg.leg))
        # Nothing tells the volume after a join until a snapshot does; then it is what the join was prepared with.
        volume_in = leg.volume_in or 0
        if person.volume_in != volume_in and not self._pending("volume", leg, person.volume_in):
            self.changes.append(SetVolume(room, leg.leg, person.volume_in))

    def _bulk_mutes(self) -> list[Command]:
        commands: list[Command] = []
        for name, mutes in self.mutes.items():
            room = mutes[0][0]
            plain = {leg.leg for _, leg in mutes if not leg.moderator}
            if len(plain) >= BULK and self._all_shall_be_mute(self.observed.rooms[name], plain):
                commands.append(MuteNonModerators(room))
                mutes = [(room, leg) for room, leg in mutes if leg.moderator]
            commands += [Mute(room, leg.leg) for room, leg in mutes]
        return commands

    def _all_shall_be_mute(self, room: ObservedRoom, plain: set[UUID]) -> bool:
        """Whether muting all that lack the flag does to nobody what was not meant for them."""
        return all(
            leg.moderator
            or leg.leg in plain
            or (leg.leg not in self.speakers and (leg.muted or self._pending("mute", leg, True)))
            for leg in room.members.values()
        )

    def _moves(self) -> list[Command]:
        commands: list[Command] = []
        for (source, _), moved in self.moves.items():
            target = moved[0][2]
            for leg, person, room in moved:
                flags = self.rules.flags(person, room)
                commands.append(PrepareMove(leg.leg, flags, person.volume_in, caller=leg.inbound))
            commands.append(Move(self._room_named(source), target, tuple(leg.leg for leg, _, _ in moved)))
        return commands

    def _room_named(self, name: str) -> Room:
        for room in self.desired.rooms:
            if room.name == name:
                return room
        return Room(name, self.desired.room.profile)

    # Calling --------------------------------------------------------------------------------------------------

    def _dial(self, person: DesiredParticipant, known: ObservedParticipant | None) -> None:
        legs = known.legs if known is not None else []
        step = next_step(person, round_attempts(person, legs), self.policy)
        if isinstance(step, Stop) or step.at > self.now:
            return
        ordinal = 1 + max((leg.ordinal for leg in legs if leg.round == person.round), default=0)
        leg = attempt_leg(person.id, person.round, ordinal)
        target = person.numbers[step.number]
        route = target.routes[step.route]
        originate = self._originate(person, leg, 1, route)
        self.decision.dials.append(Dial(person.id, leg, person.round, ordinal, step.number, target, route, originate))

    def _missing(self, person: DesiredParticipant, legs: list[ObservedLeg]) -> None:
        """An originate that the switch never saw is repeated under the same UUID, or given up if nobody wants it."""
        *older, leg = legs
        self.decision.abandoned += [each.leg for each in older]
        target = person.numbers[leg.number] if leg.number < len(person.numbers) else None
        route = next((each for each in target.routes if each.gateway == leg.gateway), None) if target else None
        if target is None or route is None or not person.present or leg.round != person.round:
            self.decision.abandoned.append(leg.leg)
            return
        originate = self._originate(person, leg.leg, leg.sends + 1, route)
        self.decision.dials.append(
            Dial(person.id, leg.leg, leg.round, leg.ordinal, leg.number, target, route, originate, repeat=True)
        )

    def _originate(self, person: DesiredParticipant, leg: UUID, send: int, route: Route) -> Originate:
        room = self.rules.room(person)
        return Originate(
            leg=leg,
            job=send_job(leg, send),
            participant=person.id,
            dial_string=route.dial_string,
            room=room,
            flags=self.rules.flags(person, room),
            timeout=self.policy.ring_seconds,
            caller_name=self.desired.title if route.caller_name is None else route.caller_name,
            caller_number=route.caller_number,
            callee_name=person.name,
            volume_in=person.volume_in,
            encryption=route.encryption,
        )

    # Rooms ----------------------------------------------------------------------------------------------------

    def _feed(self, whisper: DesiredWhisper) -> None:
        room = self.observed.rooms.get(whisper.room.name)
        members = list(room.members.values()) if room is not None else []
        known = self.observed.feeds.get(whisper.room.name, [])
        # A feed from before a restart is known by being nobody's and by having the switch at its other end.
        live = [leg for leg in members if leg.participant is None and not leg.stranger]
        live += [leg for leg in known if leg.live and leg.room != whisper.room.name]
        wanted = whisper.open and whisper.soft_main and any(leg.participant is not None for leg in members)
        for extra in live[1:] if wanted else live:
            self._kill(extra, "NORMAL_CLEARING")
        for leg in live:
            if leg.unsettled:
                self._ask(leg)
        if not wanted or live or not self._feed_is_due(known):
            return
        generation = 0
        while feed_leg(whisper.id, generation) in self.observed.legs:
            generation += 1
        leg_id = feed_leg(whisper.id, generation)
        self.changes.append(OriginateFeed(leg_id, send_job(leg_id, 1), self.desired.room, whisper.room))

    def _feed_is_due(self, known: list[ObservedLeg]) -> bool:
        failures = 0
        for leg in reversed(known):
            if leg.joined_at is not None:
                break
            failures += 1
        ended = known[-1].ended_at or 0.0 if known else 0.0
        return not failures or self.now >= ended + min(FEED_BACKOFF_MAX, 2.0**failures)

    def _lock(self) -> None:
        room = self.observed.rooms.get(self.desired.room.name)
        if room is None or not room.exists or room.locked == self.desired.locked:
            return
        if not self.observed.in_flight.pending(("lock", room.name), self.desired.locked, self.now):
            self.decision.commands.append(Lock(self.desired.room) if self.desired.locked else Unlock(self.desired.room))

    def _announce(self, announcement: DesiredAnnouncement) -> None:
        play = self.observed.plays.get(announcement.id)
        if play is not None and (play.started or self.now - play.sent_at < REPEAT_PLAY_AFTER):
            return
        if play is not None and play.sends > 1:
            self.decision.unplayed[announcement.id] = NOT_STARTED
        elif self.now - announcement.asked_at >= PLAY_WITHIN:
            self.decision.unplayed[announcement.id] = NOBODY_THERE if play is None else NOT_STARTED
        elif (heard := self._heard_by(announcement.participant)) is not None:
            room, leg = heard
            self.decision.plays.append((announcement.id, Play(room, announcement.path, leg)))

    def _heard_by(self, participant: UUID | None) -> tuple[Room, UUID | None] | None:
        """Where somebody is who would hear an announcement: to one, or (None) to the main room."""
        if participant is None:
            room = self.observed.rooms.get(self.desired.room.name)
            people = room is not None and any(leg.participant is not None for leg in room.members.values())
            return (self.desired.room, None) if people else None
        known = self.observed.people.get(participant)
        for leg in known.live if known is not None else ():
            if leg.room is not None:
                return self._room_named(leg.room), leg.leg
        return None

    # A conference that is over --------------------------------------------------------------------------------

    def end(self) -> None:
        rooms = self.desired.rooms
        for room in rooms:
            known = self.observed.rooms.get(room.name)
            if known is None or not (known.exists or known.members):
                continue
            if not self.observed.in_flight.pending(("hangup", room.name), True, self.now):
                self.kills.append(HangupRoom(room))
        names = {room.name for room in rooms}
        legs = [leg for each in self.desired.participants for leg in self._legs(each)]
        legs += [leg for name in names for leg in self.observed.feeds.get(name, ())]
        for leg in legs:
            if leg.live and leg.room not in names:
                self._kill(leg, CANCELLED if leg.joined_at is None else "NORMAL_CLEARING")
            if leg.unsettled:
                self._ask(leg)
            if leg.phase is LegPhase.MISSING:
                self.decision.abandoned.append(leg.leg)
        for announcement in self.desired.announcements:
            play = self.observed.plays.get(announcement.id)
            if play is None or not play.started:
                self.decision.unplayed[announcement.id] = NOBODY_THERE
        self.decision.commands = self.kills

    def _legs(self, participant: UUID) -> list[ObservedLeg]:
        known = self.observed.people.get(participant)
        return known.legs if known is not None else []

    # Small things ---------------------------------------------------------------------------------------------

    def _kill(self, leg: ObservedLeg, cause: str) -> None:
        if not self._pending("kill", leg, True):
            self.kills.append(Kill(leg.leg, cause))

    def _pending(self, what: str, leg: ObservedLeg, want: object) -> bool:
        return self.observed.in_flight.pending((what, leg.leg), want, self.now)

    def _ask(self, leg: ObservedLeg) -> None:
        """Ask for a snapshot as soon as one can tell whether the leg lives, once."""
        settled = leg.absence_counts_from
        if self.now >= settled > self.observed.snapshot_asked_at:
            self.decision.snapshot = True
