"""The control plane is away, gone or silent: nobody gets in, and whoever is in a conference notices nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from apps.switch.commands import Mute, Unmute
from sparkle.local.freeswitch import FreeSwitch
from tests.live.conftest import NUMBERS, password
from tests.live.dialling import ACCESS
from tests.live.meeting import MAIN, Meeting
from tests.live.phones import Phone, Phones, wait_until_heard
from tests.live.sip import Line, sdp
from tests.live.switch import Esl
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.web import Answers


@pytest.fixture
def three(phones: Phones) -> Iterator[list[Phone]]:
    yield [phones.register(number, password(number), frequency=TONES[i]) for i, number in enumerate(NUMBERS[:3])]
    phones.forget()


@pytest.mark.parametrize("away", [Answers.gone, Answers.silent])
def test_nobody_gets_in_and_a_conference_goes_on(
    answers: Answers,
    esl: Esl,
    switch: FreeSwitch,
    phones: Phones,
    three: list[Phone],
    away: Callable[[Answers], AbstractContextManager[None]],
) -> None:
    meeting = Meeting(esl, switch, three[:2])
    with away(answers):
        nobody_gets_in(switch)
        # Nothing has changed in the conference, and the switch obeys: also who registered before can be called.
        third = meeting.call(three[2])
        wait_until_heard({three[0]: {TONES[1], TONES[2]}, three[1]: {TONES[0], TONES[2]}})
        esl.command(Mute(MAIN, third))
        three[0].wait_to_hear({TONES[1]})
        esl.command(Unmute(MAIN, third))
        three[0].wait_to_hear({TONES[1], TONES[2]})
    phones.register(NUMBERS[5], password(NUMBERS[5]))


def test_who_is_being_asked_something_is_told_to_try_later(answers: Answers, esl: Esl, three: list[Phone]) -> None:
    esl.send("event json PLAYBACK_START")

    def expect(name: str) -> None:
        esl.take(lambda seen: seen.headers["Playback-File-Path"].endswith(f"/en/{name}.wav"), f"{name} is said")

    caller = three[0]
    caller.dial(ACCESS)
    expect("enter-number")
    with answers.gone():
        caller.press("12345678#")
        expect("try-later")
        wait_until(lambda: not caller.in_call, "the call has ended")


def nobody_gets_in(switch: FreeSwitch) -> None:
    with Line((switch.domain, switch.sip_port), switch.authority) as line:
        assert line.register(NUMBERS[5], password(NUMBERS[5])) == 403
        for number in (NUMBERS[5], "8999"):
            for word in (password(number), ""):
                called = line.request("INVITE", "9196", user=number, password=word, body=sdp("AEAD_AES_256_GCM"))
                assert called.status == 403
