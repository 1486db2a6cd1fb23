"""What a conference's desired state means for each leg: waiting, rooms, mute, deaf, and where a person stands. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import UUID

from apps.conferences.reconcile.desired import LEADERS, DesiredConference, DesiredParticipant
from apps.conferences.reconcile.ladder import CallOutPolicy, Stop, next_step, round_attempts
from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg
from apps.switch.commands import MemberFlag, Room

State = Literal["planned", "queued", "dialing", "ringing", "connected", "left", "failed"]


@dataclass(frozen=True, slots=True)
class ParticipantState:
    """Where a person stands. `next_try_at` is set while a retry waits for its time; `leg` is the live or last one."""

    state: State
    cause: str = ""
    sip_code: int = 0
    next_try_at: float | None = None
    leg: UUID | None = None


def in_conference(desired: DesiredConference, observed: Observed, person: DesiredParticipant) -> bool:
    """Whether this person is in one of the rooms, or between two of them; the lobby is none."""
    known = observed.people.get(person.id)
    return not waits(desired, person) and known is not None and any(leg.joined_at is not None for leg in known.live)


def waits(desired: DesiredConference, person: DesiredParticipant) -> bool:
    """Whether this person's place is the lobby: nobody who leads waits there."""
    return desired.lobby is not None and not person.admitted and person.role not in LEADERS


def chair_connected(desired: DesiredConference, observed: Observed) -> bool:
    return any(
        person.present and person.role in LEADERS and in_conference(desired, observed, person)
        for person in desired.participants.values()
    )


def gathered(desired: DesiredConference, observed: Observed) -> bool:
    """Whether a gathering conference may run: the chair is in, and enough of those who shall be present. Who waits in
    the lobby is none of either.
    """
    wanted = [person for person in desired.participants.values() if person.present and not waits(desired, person)]
    connected = sum(in_conference(desired, observed, person) for person in wanted)
    return chair_connected(desired, observed) and connected * 100 >= (desired.quorum or 0) * len(wanted)


def over(desired: DesiredConference, observed: Observed) -> bool:
    """Whether nothing of an ended conference is alive on the switch."""
    if desired.phase != "ended" or not observed.ready:
        return False
    rooms = desired.rooms
    return (
        not any((person := observed.people.get(each)) is not None and person.live for each in desired.participants)
        and not any((room := observed.rooms.get(each.name)) is not None and room.exists for each in rooms)
        and not any(feed.live for each in rooms for feed in observed.feeds.get(each.name, ()))
    )


class Rules:
    """The rules of one conference at one moment."""

    def __init__(self, desired: DesiredConference) -> None:
        self.desired = desired
        self.main = desired.room.name
        # Until it runs, those below chair neither speak nor hear.
        self.waiting = desired.phase == "gathering"
        self.moderated = desired.floor_mode == "moderated"
        self.roll_call = desired.floor_mode == "roll_call"

    def entrance(self, person: DesiredParticipant) -> Room:
        """Where somebody who calls in comes first. No whisper: until their row is read they are a stranger there."""
        if self.desired.lobby is not None and waits(self.desired, person):
            return self.desired.lobby
        return self.desired.room

    def room(self, person: DesiredParticipant) -> Room:
        if waits(self.desired, person):
            return self.entrance(person)
        if person.whisper is not None:
            whisper = self.desired.whispers.get(person.whisper)
            if whisper is not None and whisper.open:
                return whisper.room
        return self.desired.room

    def muted(self, person: DesiredParticipant, room: Room) -> bool:
        """In a whisper only the ban on speaking counts: it is a place to talk, whatever the floor of the main room.
        In the lobby nobody speaks.
        """
        if room == self.desired.lobby:
            return True
        if person.forbidden or room.name != self.main:
            return person.forbidden
        if person.muted:
            return True
        if person.role in LEADERS:
            return False
        return (
            self.waiting
            or (self.moderated and not person.granted)
            or (self.roll_call and self.desired.called != person.id)
        )

    def deaf(self, person: DesiredParticipant, room: Room) -> bool:
        return person.deaf or (self.waiting and room.name == self.main and person.role not in LEADERS)

    def flags(self, person: DesiredParticipant, room: Room) -> frozenset[MemberFlag]:
        """What a membership starts with, so that nothing is heard before a command could come."""
        return _flags(self.muted(person, room), self.deaf(person, room), person.role in LEADERS)


@cache
def _flags(muted: bool, deaf: bool, moderator: bool) -> frozenset[MemberFlag]:
    given = {MemberFlag.MUTE: muted, MemberFlag.DEAF: deaf, MemberFlag.MODERATOR: moderator}
    return frozenset(flag for flag, holds in given.items() if holds)


def participant_state(
    desired: DesiredConference, person: DesiredParticipant, observed: Observed, policy: CallOutPolicy, now: float
) -> ParticipantState:
    """Where a person stands, for display: planned, queued, dialing, ringing, connected, left or failed."""
    known = observed.people.get(person.id)
    legs = known.legs if known is not None else []
    live = max(known.live, key=lambda leg: leg.phase) if known is not None and known.live else None
    if live is not None:
        return ParticipantState(_live_state(live), leg=live.leg)
    wanted = person.present and desired.phase != "ended"
    attempts = round_attempts(person, legs)
    missing = any(leg.phase is LegPhase.MISSING and leg.round == person.round for leg in legs)
    if wanted:
        if missing:
            return ParticipantState("dialing", leg=legs[-1].leg)
        step = next_step(person, attempts, policy)
        last = attempts[-1] if attempts else None
        cause, sip_code, leg = (last.cause, last.sip_code, last.leg) if last is not None else ("", 0, None)
        if isinstance(step, Stop):
            return ParticipantState("left" if step.joined else "failed", step.cause, step.sip_code, leg=leg)
        return ParticipantState("queued", cause, sip_code, step.at if step.at > now else None, leg)
    for attempt in reversed(attempts):
        if attempt.joined_at is not None:
            return ParticipantState("left", attempt.cause, attempt.sip_code, leg=attempt.leg)
    if desired.phase == "ended" and attempts:
        return ParticipantState("failed", attempts[-1].cause, attempts[-1].sip_code, leg=attempts[-1].leg)
    return ParticipantState("planned")


def _live_state(leg: ObservedLeg) -> State:
    if leg.joined_at is not None:
        return "connected"  # also in the moment between two rooms
    return "ringing" if leg.phase in (LegPhase.RINGING, LegPhase.ANSWERED) else "dialing"
