"""Telephones that come by themselves, by number and PIN, and those that wait in the lobby."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.dialling import ACCESS, Prompts, dial_in, is_free
from tests.live.phones import Phone, wait_until_heard
from tests.live.system.installation import NAMES, NUMBERS
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.plans import person, states
from tests.system.stack import Api, Stack


class DialledIn:
    """A conference of the first phone, which is called, and 王芳, whose phone only rings; the others dial in."""

    def __init__(self, api: Api, five: list[Phone]) -> None:
        self.api = api
        five[1].answers = False
        people = [person(NAMES[0], NUMBERS[0], "chair"), person(NAMES[1], NUMBERS[1])]
        launched = api.post("conferences/", {"title": "拨入", "people": people})
        assert launched.status_code == 201, launched.text
        self.id: str = launched.json()["id"]
        self.wait_for(NAMES[0], "connected")
        self.sheet = api.get(f"conferences/{self.id}/dial-in/")
        self.number: str = self.sheet["number"]

    def pin_of(self, name: str) -> str:
        return next(str(each["pin"]) for each in self.sheet["people"] if each["name"] == name)

    def role_pin(self, role: str) -> str:
        return next(str(each["pin"]) for each in self.sheet["roles"] if each["role"] == role)

    def wait_for(self, name: str, state: str) -> None:
        wait_until(lambda: states(self.api, self.id).get(name) == state, f"{name} is {state}")


@pytest.fixture
def dialled_in(stack: Stack, five: list[Phone]) -> Iterator[DialledIn]:
    meeting = DialledIn(stack.sign_in(), five)
    yield meeting
    meeting.api.act(meeting.id, "end")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")


def test_people_dial_in_with_their_own_pin_and_with_that_of_a_role(
    stack: Stack, dialled_in: DialledIn, five: list[Phone]
) -> None:
    meeting = dialled_in
    with Prompts(stack) as prompts:
        dial_in(five[2], prompts, meeting.number, meeting.pin_of(NAMES[1]))
        prompts.expect(five[2], "welcome")
        meeting.wait_for(NAMES[1], "connected")
        wait_until_heard({five[0]: {TONES[2]}, five[2]: {TONES[0]}})

        # The same person once more: in the place of the first call, once the second is in.
        dial_in(five[3], prompts, meeting.number, meeting.pin_of(NAMES[1]))
        prompts.expect(five[3], "welcome")
        assert five[2].in_call
        is_free(five[2])
        five[0].wait_to_hear({TONES[3]})

        # Somebody who is not on the list, named by whose telephone it is.
        dial_in(five[4], prompts, meeting.number, meeting.role_pin("member"))
        prompts.expect(five[4], "welcome")
        meeting.wait_for(NAMES[4], "connected")
        [guest] = [each for each in meeting.api.participants(meeting.id) if each["name"] == NAMES[4]]
        assert (guest["role"], guest["guest"], guest["caller_number"]) == ("member", True, NUMBERS[4])
        five[0].wait_to_hear({TONES[3], TONES[4]})

        meeting.api.act(meeting.id, "lock")
        dial_in(five[2], prompts, meeting.number, meeting.role_pin("participant"))
        prompts.expect(five[2], "locked")
        is_free(five[2])


def test_who_guesses_is_sent_away_and_then_not_heard_any_more(
    stack: Stack, dialled_in: DialledIn, five: list[Phone]
) -> None:
    guesser = five[4]
    with Prompts(stack) as prompts:
        for what in ("pin", "number", "number"):
            guesser.dial(ACCESS)
            prompts.expect(guesser, "enter-number")
            if what == "pin":
                guesser.press(f"{dialled_in.number}#")
                prompts.expect(guesser, "enter-pin")
            for _ in range(2):
                guesser.press("1#")
                prompts.expect(guesser, f"wrong-{what}", f"enter-{what}")
            guesser.press("1#")
            prompts.expect(guesser, "too-many-tries")
            guesser.hang_up()
        guesser.dial(ACCESS)
        prompts.expect(guesser, "enter-number")
        guesser.press("1#")
        prompts.expect(guesser, "blocked")
        guesser.hang_up()
        guesser.dial(ACCESS)
        prompts.expect(guesser, "blocked")
        is_free(guesser)
        # Somebody else is asked; nothing keyed is asked once more.
        five[3].dial(ACCESS)
        prompts.expect(five[3], "enter-number")
        five[3].press("#")
        prompts.expect(five[3], "nothing-entered")
        prompts.expect(five[3], "enter-number")
        five[3].hang_up()


def test_phones_wait_in_the_lobby_until_they_are_admitted_or_refused(stack: Stack, five: list[Phone]) -> None:
    """Whom a member has called waits, where everybody does who comes without those in charge."""
    chair, waits, goes = five[:3]
    api, member = stack.sign_in(), stack.sign_in("chenjing")
    users = {each["display_name"]: each["id"] for each in api.all("users/")}
    people = [person(NAMES[0], NUMBERS[0], "chair"), person("赵六", NUMBERS[3], "member", user=users["陈静"])]
    options = {"lobby": "everybody", "member_may_invite": True}
    launched = api.post("conferences/", {"title": "评审", "people": people, **options})
    assert launched.status_code == 201, launched.text
    conference = launched.json()["id"]
    invited = [person(name, number) for name, number in zip(NAMES[1:3], NUMBERS[1:3], strict=True)]
    member.act(conference, "invite", people=invited)

    def one(name: str) -> dict[str, Any]:
        return next(each for each in api.participants(conference) if each["name"] == name)

    for name in NAMES[1:3]:
        wait_until(lambda name=name: one(name)["room"] == "lobby", f"{name} is in the lobby", 30)  # type: ignore[misc]
    chair.wait_to_hear({TONES[3]}, 20)
    assert waits.hears() == goes.hears() == set()

    api.act(conference, "lock")
    api.act(conference, "refuse", participants=[one(NAMES[2])["id"]])
    api.act(conference, "admit", participants="waiting")
    waits.wait_to_hear({TONES[0], TONES[3]}, 20)
    wait_until(lambda: not goes.in_call, "who is refused is hung up", 20)
    announced = stack.rows("SELECT played_at, error FROM conferences_announcement WHERE conference_id = %s", conference)
    assert [(bool(each["played_at"]), each["error"]) for each in announced] == [(True, "")], "and was told before"
    refused = ("left", True)
    wait_until(lambda: (one(NAMES[2])["state"], one(NAMES[2])["refused"]) == refused, "who is refused is told so", 20)
    api.act(conference, "end")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")
