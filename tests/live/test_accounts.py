"""Who gets in: what the control plane knows, and nobody while it does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
import requests
from pytest_django import DjangoDbBlocker
from rest_framework.authtoken.models import Token

from apps.accounts.models import User
from apps.switch.models import Extension, Node, SignInGuard
from apps.switch.sign_in import HERE
from sparkle.local.freeswitch import FreeSwitch
from tests.live.conftest import NUMBERS, password
from tests.live.phones import PLAIN, Phones
from tests.live.sip import Line, sdp
from tests.live.switch import Esl
from tests.servers import wait_until
from tests.web import Pages

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
    """Of nobody either: who is asked for one and says none would keep the leg for 10 s, so a wrong one follows."""
    for user, wrong in (("nobody", "wrong"), (NUMBERS[0], "wrong"), (NUMBERS[0], "")):
        refused = line.request("INVITE", "9196", user=user, password=wrong, body=sdp(SUITE))
        assert (refused.asked, refused.status) == (407, 403)
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


@dataclass(frozen=True, slots=True)
class Owner:
    """The web pages, as the owner of an extension meets them."""

    token: str
    extension: UUID
    url: str

    def ask(self, what: str) -> Any:
        address = f"{self.url}/api/v1/phones/{self.extension}/{what}/"
        answer = requests.post(address, headers={"Authorization": f"Token {self.token}"}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def owner(switch: FreeSwitch, django_db_blocker: DjangoDbBlocker) -> Iterator[Owner]:
    """Of NUMBERS[6]."""
    pages = Pages()
    with django_db_blocker.unblock():
        Node.objects.update(domain=switch.domain, sip_tls_port=switch.sip_port)
        user = User.objects.create_user("owner", "a password", display_name="张三")
        token = Token.objects.create(user=user).key
        Extension.objects.filter(number=NUMBERS[6]).update(user=user)
        extension = Extension.objects.get(number=NUMBERS[6]).pk
        pages.start()
    yield Owner(token, extension, pages.url)
    pages.stop()
    with django_db_blocker.unblock():
        user.delete()


def test_a_phone_is_set_up_by_what_its_owner_is_given(
    owner: Owner, phones: Phones, line: Line, esl: Esl, switch: FreeSwitch
) -> None:
    number, old = NUMBERS[6], password(NUMBERS[6])
    link = owner.ask("link")["url"]
    assert line.register(number, old) == 200
    document = requests.get(link, timeout=10)
    assert requests.get(link, timeout=10).status_code == 404
    entries = {
        f"{section.get('name')}/{entry.get('name')}": entry.text or ""
        for section in ElementTree.fromstring(document.content)
        for entry in section
    }
    assert entries["proxy_0/reg_proxy"] == f"<sip:{phones.server};transport=tls>"
    phone = phones.register(entries["auth_info_0/username"], entries["auth_info_0/passwd"])
    assert registered(esl, number)
    assert line.register(number, old) == 403

    told = owner.ask("password")
    assert [f"{server['host']}:{server['port']}" for server in told["servers"]] == [phones.server]
    phones.forget()
    phone = phones.register(told["user"], told["password"])
    assert esl.api(f"originate {{originate_timeout=10}}sofia/internal/{number}%{switch.domain} &park()")[:3] == "+OK"
    wait_until(lambda: phone.in_call, "the phone is in a call")
    phones.forget()


def failures(source: str, account: str) -> int:
    return SignInGuard.objects.get(source=source, account=account).failures


def _stale(number: str) -> str:
    """A digest for a question that nobody asked."""
    return f'Digest username="{number}", realm="sparkle", nonce="1", uri="sip:127.0.0.1", response="{"0" * 32}"'


def test_this_machine_is_not_taken_for_the_switch_itself(switch: FreeSwitch) -> None:
    """Who calls from the profile's own address and port is not asked for a password (sofia.c:10720)."""
    with Line((switch.domain, switch.sip_port), switch.authority, source=("127.0.0.1", 5060)) as line:
        refused = line.request("INVITE", "9196", password="wrong", body=sdp(SUITE))
        assert (refused.asked, refused.status) == (407, 403)


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
