"""The steps that a leg can take in what is believed of the switch, whatever told of them.

Each step notes in `Changes` what became different, so that the switchboard writes just that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from apps.conferences.reconcile.observed import LOST, SETTLE, LegPhase, Observed, ObservedLeg
from apps.switch.events import Digit, MemberEvent, SnapshotMember

# Asked at each event: a member of an enumeration is found by a function of Python's.
_UNSEEN = (LegPhase.STORED, LegPhase.SENT, LegPhase.MISSING)
_IN_ROOM, _ENDED = LegPhase.IN_ROOM, LegPhase.ENDED


@dataclass(slots=True)
class Changes:
    """What became different. `legs` holds those whose attempt went on, and those of no participant; `participants`
    those of whom anything else may have changed too; `reports` those of whose sound more or less gets lost, which can
    wait; `talking` legs whose speaking indicator changed and nothing else;
    `announcements` those that started, with the error ("" when it plays); `digits` the keys that were pressed, each
    once; `tracks` those that began or ended.
    """

    legs: set[UUID] = field(default_factory=set)
    participants: set[UUID] = field(default_factory=set)
    reports: set[UUID] = field(default_factory=set)
    rooms: set[str] = field(default_factory=set)
    talking: set[UUID] = field(default_factory=set)
    announcements: dict[UUID, str] = field(default_factory=dict)
    digits: list[Digit] = field(default_factory=list)
    tracks: set[UUID] = field(default_factory=set)

    def __bool__(self) -> bool:
        told = self.legs or self.participants or self.reports or self.rooms or self.talking
        return bool(told or self.announcements or self.digits or self.tracks)

    def leg(self, leg: ObservedLeg) -> None:
        """The attempt went on, or ended."""
        self.legs.add(leg.leg)
        if leg.participant is not None:
            self.participants.add(leg.participant)

    def member(self, leg: ObservedLeg) -> None:
        """Only what the leg is in its room changed, nothing of the attempt."""
        if leg.participant is None:
            self.legs.add(leg.leg)
        else:
            self.participants.add(leg.participant)

    def merge(self, later: Changes) -> None:
        self.legs |= later.legs
        self.participants |= later.participants
        self.reports |= later.reports
        self.rooms |= later.rooms
        self.talking |= later.talking
        self.announcements |= later.announcements
        self.digits += later.digits
        self.tracks |= later.tracks


def sound(
    observed: Observed, name: UUID, changes: Changes, *, codec: str = "", rate: int = 0, secure_type: str = ""
) -> None:
    """Note how a leg, whosever it is, is coded and encrypted; "" where that is not told."""
    media = observed.media(name)
    news = media.coded(codec, rate)
    news = media.secured(secure_type) or news
    if news and (leg := observed.legs.get(name)) is not None:
        changes.leg(leg)


def adopt(observed: Observed, name: UUID, participant: UUID | None, at: float) -> ObservedLeg:
    """A member that nobody here called: of one of our participants (its row was lost), a feed, or a stranger, who may
    be somebody that called in. Who was not given another external id is called by their own (switch_core_session.c).
    """
    participant = participant if participant != name else None
    leg = ObservedLeg(
        UUID(int=name.int),  # an event's own kind of UUID must not get into the rows
        participant,
        observed.core,
        at,
        phase=LegPhase.ANSWERED,
        roomless_since=at,
    )
    person = observed.people.get(participant) if participant is not None else None
    if person is not None and person.legs:
        leg.round, leg.ordinal = person.legs[-1].round, person.legs[-1].ordinal + 1
    observed.add(leg)
    return leg


def known_alive(observed: Observed, leg: ObservedLeg, at: float, changes: Changes) -> bool:
    """Note a sign of life. False when the leg is over and the sign is only late."""
    if leg.phase is _IN_ROOM and leg.seen_at is not None:  # the commonest by far
        if leg.seen_at < at:
            leg.seen_at = at
        return True
    if leg.phase is _ENDED:
        if not (leg.repeated or leg.cause == LOST) or at <= (leg.ended_at or 0.0):
            return False
        revive(observed, leg)
        changes.leg(leg)
    alive(observed, leg, at, changes)
    return True


def alive(observed: Observed, leg: ObservedLeg, at: float, changes: Changes) -> None:
    if leg.seen_at is None:
        # A hang-up sent before the channel existed went nowhere.
        observed.in_flight.shown(("kill", leg.leg), True)
    if leg.seen_at is None or leg.seen_at < at:
        leg.seen_at = at
    if leg.phase in _UNSEEN:
        observed.set_phase(leg, LegPhase.CREATED)
        changes.leg(leg)


def revive(observed: Observed, leg: ObservedLeg) -> None:
    leg.ended_at, leg.cause, leg.sip_code, leg.doubt = None, "", 0, None
    leg.joined_at = leg.answered_at = leg.ringing_at = None
    observed.set_phase(leg, LegPhase.CREATED)


def advance(observed: Observed, leg: ObservedLeg, phase: LegPhase, at: float, changes: Changes) -> None:
    if leg.phase >= phase:
        return
    if phase is LegPhase.RINGING:
        leg.ringing_at = at
    elif phase is LegPhase.ANSWERED:
        leg.answered_at = leg.roomless_since = at
    observed.set_phase(leg, phase)
    changes.leg(leg)


def enter(
    observed: Observed, leg: ObservedLeg, room: str, state: MemberEvent | SnapshotMember, at: float, changes: Changes
) -> None:
    muted, deaf, held, moderator = not state.can_speak, not state.can_hear, state.held, state.moderator
    if leg.room != room:
        observed.place(leg, room)
        leg.looked_up = False
        changes.member(leg)
    if leg.muted is not muted or leg.deaf is not deaf or leg.held is not held or leg.moderator is not moderator:
        leg.muted, leg.deaf, leg.held, leg.moderator = muted, deaf, held, moderator
        changes.member(leg)
    if leg.phase is not _IN_ROOM or leg.joined_at is None:
        advance(observed, leg, LegPhase.ANSWERED, at, changes)
        leg.joined_at = leg.joined_at or at
        observed.set_phase(leg, LegPhase.IN_ROOM)
        changes.leg(leg)
    # The switch tells no end of speech when it mutes or holds (conference_api.c:323, 411).
    talking = state.talking and not muted and not held
    if leg.talking != talking:
        leg.talking = talking
        changes.talking.add(leg.leg)
    if leg.as_of < at:
        leg.as_of = at
    if observed.in_flight.concerns(leg.leg):
        observed.in_flight.shown(("room", leg.leg), room)
        observed.in_flight.shown(("mute", leg.leg), muted)
        observed.in_flight.shown(("deaf", leg.leg), deaf)
        observed.in_flight.shown(("hold", leg.leg), held)


def leave(observed: Observed, leg: ObservedLeg, at: float, changes: Changes) -> None:
    observed.place(leg, None)
    if leg.phase is LegPhase.IN_ROOM:
        observed.set_phase(leg, LegPhase.ANSWERED)
    leg.roomless_since = at
    leg.talking = False
    changes.leg(leg)


def fail(observed: Observed, leg: ObservedLeg, at: float, cause: str, sip_code: int, changes: Changes) -> None:
    """The switch says that the leg is over. If it was originated twice, that may be true of the first time only."""
    if leg.repeated and leg.live and at < leg.last_send + SETTLE:
        leg.doubt = (cause, sip_code)
    else:
        end(observed, leg, at, cause, sip_code, changes)


def end(observed: Observed, leg: ObservedLeg, at: float, cause: str, sip_code: int, changes: Changes) -> None:
    leg.ended_at, leg.cause, leg.sip_code, leg.doubt = at, cause, sip_code, None
    observed.set_phase(leg, LegPhase.ENDED)
    changes.tracks |= observed.tracks.end_all(leg.leg, at)
    changes.leg(leg)
