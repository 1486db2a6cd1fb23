"""Who gets in: what the control plane knows, and nobody while it does not answer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.switch.models import SignInGuard
from apps.switch.sign_in import HERE
from sparkle.local.freeswitch import FreeSwitch
from tests.live.conftest import NUMBERS, password
from tests.live.phones import PLAIN, Phones
from tests.live.sip import Line, sdp
from tests.live.switch import Esl
from tests.servers import wait_until

SUITE = "AEAD_AES_256_GCM"


@pytest.fixture
def line(switch: FreeSwitch) -> Iterator[Line]:
    with Line((switch.domain, switch.sip_port), switch.authority) as line:
        yield line


def registered(esl: Esl, number: str) -> bool:
    return number in esl.api("sofia status profile internal reg")


def test_a_registration_needs_the_right_password(line: Line, esl: Esl) -> None:
    number = NUMBERS[0]
    assert line.register(number, None) == 401
    for wrong in ("wrong", "", password(NUMBERS[1])):
        assert line.register(number, wrong) == 403
    assert line.register("8999", "") == 403
    assert not registered(esl, number)
    assert line.register(number, password(number)) == 200
    assert registered(esl, number)
    assert line.register(number, password(number), expires=0) == 200
    assert not registered(esl, number)


def test_nobody_registers_a_number_that_is_not_theirs(line: Line, esl: Esl) -> None:
    other = NUMBERS[1]
    assert line.register(NUMBERS[0], password(NUMBERS[0]), To=f"<sip:{other}@127.0.0.1>") == 403
    assert not registered(esl, other)


def test_a_call_needs_the_right_password_too(line: Line, esl: Esl) -> None:
    assert line.request("INVITE", "9196", body=sdp(SUITE)).status == 407
    for wrong in ("wrong", ""):
        assert line.request("INVITE", "9196", user=NUMBERS[0], password=wrong, body=sdp(SUITE)).status == 403
    refused = line.request("INVITE", "9196", user=NUMBERS[0], password=password(NUMBERS[0]), body=sdp(SUITE))
    assert refused.status == 603  # by the control plane, which lets nobody dial in yet
    wait_until(lambda: esl.legs() == 0, "the legs are gone")


def test_who_guesses_is_held_up_and_the_owner_elsewhere_is_not(switch: FreeSwitch, line: Line, esl: Esl) -> None:
    """Also after a right password, which FreeSWITCH must not remember; and at calls as at registrations."""
    number, word = NUMBERS[2], password(NUMBERS[2])
    assert line.register(number, word) == 200
    with Line((switch.domain, switch.sip_port), switch.authority, source=("127.0.0.2", 0)) as stranger:
        assert stranger.register(number, word) == 200
        assert stranger.register(number, None) == 401
        assert stranger.register(number, None, Authorization=_stale(number)) == 401
        assert failures("127.0.0.2", number) == 0
        for tried in range(1, HERE.free + 2):
            if tried % 2:
                assert stranger.register(number, "wrong") == 403
            else:
                assert stranger.request("INVITE", "9196", user=number, password="wrong", body=sdp(SUITE)).status == 403
            assert failures("127.0.0.2", number) == tried
        assert stranger.register(number, word) == 403
        assert stranger.request("INVITE", "9196", user=number, password=word, body=sdp(SUITE)).status == 403
        assert stranger.register(NUMBERS[3], password(NUMBERS[3])) == 200
    assert line.register(number, word, expires=0) == 200
    wait_until(lambda: esl.legs() == 0, "the legs are gone")


def failures(source: str, account: str) -> int:
    return SignInGuard.objects.get(source=source, account=account).failures


def _stale(number: str) -> str:
    """A digest for a question that nobody asked."""
    return f'Digest username="{number}", realm="sparkle", nonce="1", uri="sip:127.0.0.1", response="{"0" * 32}"'


def test_this_machine_is_not_taken_for_the_switch_itself(switch: FreeSwitch) -> None:
    """Who calls from the profile's own address and port is not asked for a password (sofia.c:10720)."""
    with Line((switch.domain, switch.sip_port), switch.authority, source=("127.0.0.1", 5060)) as line:
        assert line.request("INVITE", "9196", body=sdp(SUITE)).status == 407


def test_nobody_but_a_gateway_calls_the_profile_for_gateways(switch: FreeSwitch, esl: Esl) -> None:
    with Line((switch.domain, switch.trunk_port), switch.authority) as line:
        number = NUMBERS[0]
        for known in (None, password(number)):
            assert line.request("INVITE", "9196", user=number, password=known, body=sdp(SUITE)).status == 403
        assert line.register(number, password(number)) == 405
        assert line.request("SUBSCRIBE", number, user=number, Event="presence").status == 405
    wait_until(lambda: esl.legs() == 0, "the legs are gone")


def test_nobody_runs_commands_by_writing_a_message(line: Line, esl: Esl) -> None:
    """mod_dptools runs what is written to `api+…` as a command of the switch (mod_dptools.c, api_chat_send)."""
    number, word = NUMBERS[0], password(NUMBERS[0])
    command = "api+global_setvar%20written%3Dyes"
    line.request("MESSAGE", command, user=number, password=word, body="x", Content_Type="text/plain")
    assert line.requests(0.5) == []
    assert esl.api("global_getvar written").strip() != "yes"


def test_a_phone_that_does_not_encrypt_gets_no_call(phones: Phones, esl: Esl, switch: FreeSwitch) -> None:
    phone = phones.register(NUMBERS[5], password(NUMBERS[5]), encryption=PLAIN)
    reply = esl.api(f"originate {{originate_timeout=10}}sofia/internal/{phone.number}%{switch.domain} &park()")
    assert reply.strip() == "-ERR INCOMPATIBLE_DESTINATION"
    phones.forget()
