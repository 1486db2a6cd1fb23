"""decide() against a model switch that loses, repeats, delays, reorders and crashes: from everywhere it converges."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid5

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apps.conferences.reconcile.desired import DesiredAnnouncement, DesiredConference, DesiredParticipant, Target
from apps.conferences.reconcile.ladder import CALL_BACKS, CallOutPolicy
from apps.conferences.reconcile.rules import Rules, over, participant_state
from apps.switch import srtp
from apps.switch.commands import Room
from tests.unit.reconcile.build import FAST, LOBBY, MAIN, OTHER, SPACE, conference, dial_string, person, target, whisper
from tests.unit.reconcile.model import AWFUL, CLEAN, DEAF, LOSSY, SLOW, TICK, Faults, ModelSwitch, World

FAULTS = st.sampled_from((LOSSY, SLOW, AWFUL, DEAF, CLEAN))
SECONDS = st.sampled_from((0.25, 1, 3, 7, 15))
POLICY = CallOutPolicy(ring_seconds=30, attempts_per_number=10, busy_retries=9, wait_seconds=5.0)
PEOPLE = ("chair", "calm", "second", "busy", "away", "detour", "rejects", "plain", "secret")
SIDE, CORNER = whisper("side"), whisper("corner", soft_main=False)
ANSWERS = {
    "chair": ["answer"],
    "calm": ["answer"],
    "second": ["NO_ANSWER"],
    "second-2": ["answer"],
    "busy": ["USER_BUSY", "USER_BUSY", "answer"],
    "away": ["USER_NOT_REGISTERED", "answer"],
    "rejects": ["CALL_REJECTED"],
    "plain": ["plain"],
    "plain-2": ["answer"],
    "secret": ["plain"],
}


def encrypted(number: str) -> Target:
    routes = target(number).routes
    return replace(target(number), routes=tuple(replace(route, encryption=srtp.MANDATORY) for route in routes))


def everybody() -> list[DesiredParticipant]:
    return [
        person("chair", "chair"),
        person("calm"),
        person("second", "member", target("second"), target("second-2")),
        person("busy", "participant"),
        person("away"),
        person("detour", "participant", target("detour", OTHER, FAST)),
        person("rejects"),
        person("plain", "member", encrypted("plain"), encrypted("plain-2")),
        person("secret", "member", encrypted("secret")),
    ]


class Conference(RuleBasedStateMachine):
    world: World
    hung_up: dict[UUID, int]

    @initialize(seed=st.integers(0, 2**32 - 1), gathering=st.booleans(), faults=FAULTS, seconds=SECONDS)
    def launch(self, seed: int, gathering: bool, faults: Faults, seconds: float) -> None:
        answers = {dial_string(number): list(outcomes) for number, outcomes in ANSWERS.items()}
        answers[dial_string("detour", OTHER)] = ["NORMAL_TEMPORARY_FAILURE"]
        answers[dial_string("detour", FAST)] = ["answer"]
        phase = "gathering" if gathering else "running"
        desired = conference(*everybody(), whispers=(SIDE, CORNER), phase=phase, lobby=LOBBY)
        switch = ModelSwitch(1000.0, answers)
        self.world = World(desired, POLICY, switch, 1000.0, chance=random.Random(seed))
        self.hung_up = {}
        self.announced = self.intruded = 0
        self.world.faults = faults
        self.run(seconds)

    # Time and accidents ---------------------------------------------------------------------------------------

    @rule(faults=FAULTS, seconds=st.sampled_from((1, 4, 12, 40)))
    def change_weather(self, faults: Faults, seconds: int) -> None:
        self.world.faults = faults
        self.run(seconds)

    @rule(seconds=SECONDS)
    def crash_switch(self, seconds: float) -> None:
        self.world.crash_switch()
        self.run(seconds)

    @rule(seconds=SECONDS)
    def crash_switchboard(self, seconds: float) -> None:
        self.world.crash_switchboard()
        self.run(seconds)

    @rule(seconds=SECONDS)
    def lose_connection(self, seconds: float) -> None:
        self.world.lose_connection()
        self.run(seconds)

    @rule(where=st.sampled_from((MAIN, SIDE.room, CORNER.room, LOBBY)), seconds=SECONDS)
    def intrude(self, where: Room, seconds: float) -> None:
        self.intruded += 1
        self.world.switch.intrude(uuid5(SPACE, f"intruder {self.intruded}"), where)
        self.run(seconds)

    @rule(name=st.sampled_from(PEOPLE), cause=st.sampled_from(("NORMAL_CLEARING", "MEDIA_TIMEOUT")))
    def hang_up(self, name: str, cause: str) -> None:
        who = uuid5(SPACE, name)
        for leg in list(self.world.switch.legs.values()):
            if leg.participant == who and leg.room is not None:
                self.world.switch.end(leg, cause)
                self.hung_up[who] = self.hung_up.get(who, 0) + (1 if cause == "MEDIA_TIMEOUT" else CALL_BACKS + 1)

    # Clicks ---------------------------------------------------------------------------------------------------

    def change(self, **facts: Any) -> None:
        """Clicks follow each other at once or with a pause, as the world's own chance has it."""
        self.world.desired = replace(self.world.desired, **facts)
        self.run(self.world.chance.choice((0, 0, TICK, 1, 2, 6)))

    def change_person(self, name: str, **facts: Any) -> None:
        people = dict(self.world.desired.participants)
        who = uuid5(SPACE, name)
        people[who] = replace(people[who], **facts)
        self.change(participants=people)

    @rule(
        name=st.sampled_from(PEOPLE),
        what=st.sampled_from(("muted", "forbidden", "granted", "deaf", "held")),
        value=st.booleans(),
    )
    def click(self, name: str, what: str, value: bool) -> None:
        self.change_person(name, **{what: value})

    @rule(value=st.booleans())
    def mute_all_but_the_chair(self, value: bool) -> None:
        for name in PEOPLE[1:]:
            self.change_person(name, muted=value)

    @rule(name=st.sampled_from(PEOPLE), volume_in=st.integers(-4, 4))
    def volume(self, name: str, volume_in: int) -> None:
        self.change_person(name, volume_in=volume_in)

    @rule(name=st.sampled_from(PEOPLE), where=st.sampled_from((None, SIDE.id, CORNER.id)))
    def whisper(self, name: str, where: UUID | None) -> None:
        self.change_person(name, whisper=where)

    @rule(which=st.sampled_from((SIDE, CORNER)), is_open=st.booleans(), soft_main=st.booleans())
    def change_whisper(self, which: Any, is_open: bool, soft_main: bool) -> None:
        whispers = {**self.world.desired.whispers, which.id: replace(which, open=is_open, soft_main=soft_main)}
        self.change(whispers=whispers)

    @rule(name=st.sampled_from(PEOPLE))
    def remove(self, name: str) -> None:
        self.change_person(name, present=False)

    @rule(name=st.sampled_from(PEOPLE))
    def call_in(self, name: str) -> None:
        who = uuid5(SPACE, name)
        if self.world.desired.phase == "running":
            self.change_person(name, present=True)
            self.world.call_in(who)
            self.hung_up.pop(who, None)
            self.run(self.world.chance.choice((0, TICK, 1)))

    @rule(name=st.sampled_from(PEOPLE), admitted=st.booleans())
    def lobby(self, name: str, admitted: bool) -> None:
        self.change_person(name, admitted=admitted)

    @rule(name=st.sampled_from(PEOPLE))
    def invite_again(self, name: str) -> None:
        who = uuid5(SPACE, name)
        self.change_person(name, present=True, round=self.world.desired.participants[who].round + 1)
        self.hung_up.pop(who, None)

    @rule(mode=st.sampled_from(("free", "moderated", "roll_call")), called=st.sampled_from((None, *PEOPLE)))
    def floor(self, mode: str, called: str | None) -> None:
        self.change(floor_mode=mode, called=uuid5(SPACE, called) if called else None)

    @rule(name=st.sampled_from(PEOPLE), role=st.sampled_from(("chair", "member", "participant")))
    def role(self, name: str, role: str) -> None:
        self.change_person(name, role=role)

    @rule(locked=st.booleans())
    def lock(self, locked: bool) -> None:
        self.change(locked=locked)

    @rule()
    def announce(self) -> None:
        self.announced += 1
        key = uuid5(SPACE, f"announcement {self.announced}")
        new = DesiredAnnouncement(key, f"/sounds/{self.announced}.wav", self.world.now)
        self.change(announcements=(*self.world.desired.announcements, new))

    @precondition(lambda self: self.world.desired.phase == "running")
    @rule(really=st.integers(0, 5))
    def end(self, really: int) -> None:
        if not really:
            self.change(phase="ended")
            self.run(self.world.chance.choice((0, 1, 5)))

    # What must hold -------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK)):
            self.world.tick()
            assert not self.world.switch.double_calls, "two live legs of one participant"
            assert not self.world.switch.locked_out, "whom we move, no lock keeps out"

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.faults = CLEAN
        # Long enough for every wait of the ladder, and for two snapshots after the last accident.
        for _ in range(12):
            self.run(75)
            if self.world.quiet() and not self.unfinished():
                break
        self.check()
        before = (self.world.switch.sequence, self.world.switch.boot)
        self.run(70)
        assert (self.world.switch.sequence, self.world.switch.boot) == before, "something still happens"
        self.check()

    def unfinished(self) -> list[str]:
        world = self.world
        return [
            each.name
            for each in world.desired.participants.values()
            if participant_state(world.desired, each, world.observed, POLICY, world.now).state
            in ("queued", "dialing", "ringing")
        ]

    def check(self) -> None:
        world, desired = self.world, self.world.desired
        assert world.quiet(), world.decision
        if desired.phase == "ended":
            assert not world.switch.legs, "an ended conference leaves nothing alive"
            assert not world.switch.rooms
            assert over(desired, world.observed)
            return
        living = world.switch.legs.values()
        assert all(leg.participant or leg.twin for leg in living), "no stranger stays"
        assert all(leg.outcome == "answer" for leg in living), "nobody stays who does not encrypt"
        rules = Rules(desired)
        for each in desired.participants.values():
            self.check_person(desired, rules, each)
        for side in desired.whispers.values():
            inside = world.switch.in_room(side.room.name)
            people = [leg for leg in inside if leg.participant is not None]
            feeds = [leg for leg in inside if leg.participant is None]
            assert len(feeds) == (1 if people and side.open and side.soft_main else 0), "one feed where it is wanted"
            assert all(leg.deaf for leg in feeds)
        if MAIN.name in world.switch.rooms:
            assert world.switch.rooms[MAIN.name] == desired.locked
        assert world.told_of.keys() == {each.id for each in desired.announcements}, "none waits for ever"

    def check_person(self, desired: DesiredConference, rules: Rules, each: DesiredParticipant) -> None:
        world = self.world
        legs = [leg for leg in world.switch.legs.values() if leg.participant == each.id]
        state = participant_state(desired, each, world.observed, POLICY, world.now).state
        if not each.present:
            assert not legs, "who was removed is gone"
            assert state in ("planned", "left")
            return
        assert len(legs) == (1 if state == "connected" else 0)
        if not legs:
            forgiven = each.name in ("rejects", "secret") or self.hung_up.get(each.id, 0) > CALL_BACKS
            assert forgiven, f"{each.name} was forgotten: {state}"
            assert state in ("left", "failed")
            return
        leg, room = legs[0], rules.room(each)
        assert leg.room == room.name
        assert leg.muted or not each.forbidden, "who is forbidden to speak is never heard"
        told = (leg.muted, leg.deaf, leg.held, leg.volume_in)
        assert told == (rules.muted(each, room), rules.deaf(each, room), each.held, each.volume_in)


TestConference = Conference.TestCase
TestConference.settings = settings(
    max_examples=120,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
