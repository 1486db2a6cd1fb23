"""A key on its way: from the switch's event to what it does, and to what the switch is told to say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError
from gevent.event import Event as Flag

from apps.conferences.actors import Phone
from apps.conferences.keypad.acts import Answer
from apps.conferences.models import Conference, Participant
from apps.conferences.rooms import main_room
from apps.conferences.services.announce import spoken
from apps.conferences.switchboard import keypad
from apps.conferences.switchboard.node import NodeLoop
from apps.core.models import AuditEntry
from tests.factories import add_participant, make_conference, make_node, make_user
from tests.unit.switchboard.desk import Desk, until
from tests.unit.switchboard.driven import driving

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Call:
    """Somebody by their telephone, alone in a conference."""

    desk: Desk
    loop: NodeLoop
    conference: Conference
    person: Participant
    leg: str = field(default_factory=lambda: str(uuid4()))

    @property
    def room(self) -> str:
        return main_room(self.conference.pk)[0]

    def tell(self, action: str, **more: str) -> None:
        told = {
            "Event_Name": "CUSTOM",
            "Conference_Name": self.room,
            "Unique_ID": self.leg,
            "Hear": "true",
            "Speak": "true",
            "Talking": "false",
            "Hold": "false",
            "Member_Type": "member",
            "Session_External_ID": str(self.person.pk),
            "Action": action,
        }
        self.desk.tell(**told | more)

    def press(self, keys: str, **more: str) -> None:
        self.tell("dtmf", DTMF_Key=keys, Data="", **more)

    @property
    def said(self) -> list[str]:
        """What the switch was told to play, and to stop playing (`stop`), to whoever pressed."""
        own, found = f" uuid={self.leg}", []
        for command in self.desk.heard:
            verb = command.removeprefix(f"api conference {self.room} ").removesuffix(own)
            if verb == "stop all" or verb.startswith("play "):
                assert command.endswith(own), "nobody else hears it"
                found.append(verb.removeprefix("play ").removesuffix(" all"))
        return found

    def now(self) -> Participant:
        return Participant.objects.get(pk=self.person.pk)


@pytest.fixture
def call() -> Iterator[Call]:
    node = make_node(name="n1")
    conference = make_conference(make_user("alice"), node=node, prompt_language="en")
    person = add_participant(conference, name="Bob 王")
    with Desk() as desk, driving(node, desk) as (loop, _, _):
        call = Call(desk, loop, conference, person)
        until(lambda: loop.observed.ready and conference.pk in loop.book.entries, "it knows the conference")
        call.tell("add-member")
        until(lambda: call.now().observed_room == call.room, "they are in")
        yield call


def test_a_key_does_what_it_stands_for_and_that_is_said_to_its_presser(call: Call) -> None:
    call.press("*6")
    until(lambda: call.said, "it is said")
    assert call.now().muted
    assert call.said == ["stop", "en/key-muted.wav"]
    call.loop.notify(call.conference.pk)  # as PostgreSQL does
    until(lambda: any(f" mute uuid={call.leg}" in command for command in call.desk.heard), "the switch mutes")
    assert AuditEntry.objects.get().detail == {"keys": "*6", "participants": ["Bob 王"]}


def test_names_are_said_by_a_voice_that_can(call: Call) -> None:
    add_participant(call.conference, name="Eve")
    call.press("*4")
    until(lambda: len(call.said) == 6, "it is said")
    names = [str(spoken("Bob 王", "zh-hans")), str(spoken("Eve", "en"))]
    assert call.said == ["stop", "en/key-people.wav", "en/number-2.wav", "en/key-people-counted.wav", *names]


def test_a_key_told_twice_counts_once(call: Call) -> None:
    """As it may be after a broken connection."""
    stamp = {"Event_Sequence": "900"}
    call.press("*9", **stamp)
    until(lambda: call.said, "it is said")
    call.desk.hang_up()
    call.loop.observed.ready = False
    until(lambda: call.loop.observed.ready, "it listens again")
    call.press("*9", **stamp)
    call.press("*6")
    until(lambda: len(call.said) == 4, "the next one is said")
    assert call.said == ["stop", "en/key-hand-raised.wav", "stop", "en/key-muted.wav"]
    assert call.now().hand_raised_at is not None


def test_late_keys_and_those_of_strangers_and_of_another_run_of_the_switch_do_nothing(call: Call) -> None:
    call.press("*9", Event_Date_Timestamp=str(int((time.time() - keypad.LATE - 1) * 1e6)))
    call.press("*9", Unique_ID=str(uuid4()))
    call.press("*9", Core_UUID=str(uuid4()))
    call.press("*6")
    until(lambda: call.said, "the next one is said")
    assert call.now().hand_raised_at is None


def test_louder_from_what_it_was(call: Call) -> None:
    for level in ("1", "2"):
        call.press("*8")
        until(lambda: any(f"volume_out uuid={call.leg} {level}" in each for each in call.desk.heard), level)  # noqa: B023
    assert call.said == ["stop", "en/key-louder.wav"] * 2


@pytest.mark.parametrize("error", [OperationalError("the database is away"), RuntimeError("a defect")])
def test_a_press_that_fails_is_lost_and_the_next_is_not(
    call: Call, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail_once(phone: Phone, room: str, hearing: int) -> Answer:
        monkeypatch.undo()
        raise error

    monkeypatch.setattr(keypad, "press", fail_once)
    call.press("*9")
    call.press("*6")
    until(lambda: call.said, "the next one is said")
    assert call.now().hand_raised_at is None


def test_the_loop_goes_on_while_a_key_waits(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = Flag()
    done: list[Any] = []

    def slow(phone: Phone, room: str, hearing: int) -> Answer:
        done.append(goes_on.wait(10))
        return Answer()

    monkeypatch.setattr(keypad, "press", slow)
    call.press("*9")
    call.tell("mute-member", Speak="false")
    until(lambda: call.now().observed_muted, "the loop has written what came after it")
    assert not done
    goes_on.set()
    until(lambda: done, "and then it is done")
