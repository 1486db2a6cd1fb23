"""Events and snapshots by hand, for table tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from apps.conferences.reconcile.decide import Decision, decide
from apps.conferences.reconcile.desired import DesiredConference, DesiredParticipant
from apps.conferences.reconcile.ladder import CallOutPolicy
from apps.conferences.reconcile.observe import Changes, apply, apply_snapshot, connect
from apps.conferences.reconcile.observed import Observed, ObservedLeg
from apps.conferences.reconcile.rules import ParticipantState, participant_state
from apps.switch import events as e
from tests.unit.reconcile.build import MAIN, SPACE

POLICY = CallOutPolicy()


def member(
    leg: UUID,
    who: UUID | None,
    *,
    muted: bool = False,
    deaf: bool = False,
    held: bool = False,
    talking: bool = False,
    moderator: bool = False,
) -> dict[str, Any]:
    """What an event says of a member: of who is nobody, that it is the switch itself."""
    return {
        "leg": leg,
        "can_hear": not deaf,
        "can_speak": not muted,
        "talking": talking,
        "held": held,
        "member_type": "moderator" if moderator else "member",
        "channel": "loopback/feed-b" if who is None else "sofia/internal/somebody",
        "external_id": str(who or ""),
    }


def listed(
    leg: UUID,
    *,
    muted: bool = False,
    deaf: bool = False,
    held: bool = False,
    floor: bool = False,
    moderator: bool = False,
    volume_in: int = 0,
) -> e.SnapshotMember:
    """What a snapshot says of a member."""
    return e.SnapshotMember(
        leg=leg,
        can_hear=not deaf,
        can_speak=not muted,
        talking=False,
        held=held,
        floor=floor,
        moderator=moderator,
        volume_in=volume_in,
    )


class Feed:
    """A switchboard with a clock: `tell` one event, `snapshot`, `decide` and what is sent."""

    def __init__(self, desired: DesiredConference) -> None:
        self.desired = desired
        self.observed = Observed()
        self.now = 1000.0
        self.sequence = 0
        connect(self.observed, "core", self.now)
        self.snapshot()

    def tell(
        self, kind: type[e.Event], *, at: float | None = None, sequence: int | None = None, **facts: Any
    ) -> Changes:
        """One event; its sequence number is the next one unless given."""
        if sequence is None:
            self.sequence += 10
            sequence = self.sequence
        core = facts.pop("core", "core")
        microseconds = round((self.now if at is None else at) * 1e6)
        return apply(self.observed, kind(core=core, sequence=sequence, microseconds=microseconds, **facts))

    def snapshot(
        self,
        rooms: dict[str, list[e.SnapshotMember]] | None = None,
        *,
        legs: tuple[UUID, ...] = (),
        asked_at: float | None = None,
        core: str = "core",
    ) -> Changes:
        told = tuple(
            e.SnapshotRoom(name=name, locked=False, members=tuple(members)) for name, members in (rooms or {}).items()
        )
        inside = tuple(member.leg for room in told for member in room.members)
        ours = {leg.leg for person in self.observed.people.values() for leg in person.legs}
        channels = tuple(
            e.SnapshotLeg(leg=leg, ringing=True, answered=leg in inside, loopback=leg not in ours)
            for leg in (*legs, *inside)
        )
        asked = self.now if asked_at is None else asked_at
        return self.apply(e.Snapshot(core=core, asked_at=asked, answered_at=asked, rooms=told, legs=channels))

    def apply(self, snapshot: e.Snapshot) -> Changes:
        return apply_snapshot(self.observed, snapshot)

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def decide(self) -> Decision:
        return decide(self.desired, self.observed, POLICY, self.now)

    def act(self) -> Decision:
        """Decide, and note everything as sent."""
        decision = self.decide()
        for new in decision.tracks:
            self.observed.tracks.add(new.track)
        for command in decision.commands:
            self.observed.sent(command, self.now)
        for announcement, play in decision.plays:
            self.observed.played(announcement, play, self.now)
        for dial in decision.dials:
            if not dial.repeat:
                self.observed.store(dial, self.now)
            self.observed.sent(dial.originate, self.now)
        return decision

    def change(self, **facts: Any) -> None:
        self.desired = replace(self.desired, **facts)

    def change_person(self, name: str, **facts: Any) -> None:
        people = dict(self.desired.participants)
        people[uuid5(SPACE, name)] = replace(people[uuid5(SPACE, name)], **facts)
        self.change(participants=people)

    def person(self, name: str) -> DesiredParticipant:
        return self.desired.participants[uuid5(SPACE, name)]

    def leg(self, name: str) -> ObservedLeg:
        """The last leg of a person."""
        return self.observed.people[uuid5(SPACE, name)].legs[-1]

    def state(self, name: str) -> ParticipantState:
        return participant_state(self.desired, self.person(name), self.observed, POLICY, self.now)

    def join(self, *names: str, room: str = MAIN.name, **facts: Any) -> None:
        """The people called come in."""
        for name in names:
            leg = self.leg(name)
            self.tell(e.LegCreated, leg=leg.leg)
            self.tell(e.LegAnswered, leg=leg.leg)
            state = member(leg.leg, leg.participant, **facts)
            self.tell(e.MemberJoined, room=room, **state)

    def changed(self, name: str, *, room: str = MAIN.name, **facts: Any) -> Changes:
        leg = self.leg(name)
        return self.tell(e.MemberChanged, room=room, **member(leg.leg, leg.participant, **facts))
