"""What a caller with an account could do to the legs of others, and how a caller has to encrypt.

Where calls are answered, which the control plane does not do yet: here the static dialplan does.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from apps.switch.xml.documents import ADMIT
from sparkle.local.freeswitch import FreeSwitch, find_freeswitch
from tests.live.conftest import NUMBERS, password
from tests.live.phones import Phones
from tests.live.sip import Line, Response, sdp
from tests.live.switch import Esl, running_freeswitch
from tests.servers import wait_until
from tests.web import Answers

SUITE = "AEAD_AES_256_GCM"
CALLER = NUMBERS[0]

ANSWERING = f"""<include>
<context name="public">
<extension name="admitted"><condition field="destination_number" expression="^admitted$">
<action application="{ADMIT[0]}" data="{ADMIT[1]}"/><action application="answer"/><action application="park"/>
</condition></extension>
<extension name="answered"><condition field="destination_number" expression="^answered$">
<action application="answer"/><action application="park"/>
</condition></extension>
</context>
</include>"""


@pytest.fixture(scope="module")
def freeswitch(answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FreeSwitch, int]]:
    """One that answers two numbers by itself, and has its accounts from the control plane."""
    binary = find_freeswitch()
    assert binary is not None
    with running_freeswitch(tmp_path_factory.mktemp("freeswitch"), binary, answers.url, dialplan=ANSWERING) as running:
        yield running


@pytest.fixture
def line(switch: FreeSwitch) -> Iterator[Line]:
    with Line((switch.domain, switch.sip_port), switch.authority) as line:
        yield line


def call(line: Line, to: str, *suites: str, **headers: str) -> Response:
    offer = sdp(*suites) if suites else sdp()
    return line.request("INVITE", to, user=CALLER, password=password(CALLER), body=offer, **headers)


@pytest.mark.parametrize(
    "suites",
    [
        (),
        ("AES_CM_128_NULL_AUTH",),
        ("AES_CM_128_HMAC_SHA1_32",),
        ("AES_CM_256_HMAC_SHA1_80",),
    ],
)
def test_a_caller_who_does_not_encrypt_well_is_refused(line: Line, esl: Esl, suites: tuple[str, ...]) -> None:
    assert call(line, "admitted", *suites).status == 488
    wait_until(lambda: esl.legs() == 0, "the leg is gone")


@pytest.mark.parametrize("suite", ["AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80"])
def test_a_caller_who_encrypts_is_answered_and_stays(line: Line, esl: Esl, suite: str) -> None:
    answer = call(line, "admitted", "AES_CM_128_NULL_AUTH", suite)
    assert answer.status == 200
    assert f" {suite} inline:" in answer.body
    assert line.requests(0.5) == []
    assert esl.legs() == 1


def test_an_answered_caller_whom_nobody_admitted_does_not_stay(line: Line, esl: Esl) -> None:
    assert call(line, "answered", SUITE).status == 200
    wait_until(lambda: esl.legs() == 0, "the leg is gone")


# An INVITE with Replaces passes by all that the dialplan says (freeswitch/conf/freeswitch.xml).


@pytest.fixture
def leg(esl: Esl) -> UUID:
    """Somebody's leg in a conference."""
    leg = uuid4()
    assert esl.api(f"originate {{origination_uuid={leg}}}null/somebody &conference(c-main@sparkle)").startswith("+OK")
    return leg


@pytest.mark.parametrize(
    ("to", "headers"),
    [
        ("admitted", {"Replaces": "{leg};to-tag=a;from-tag=b"}),  # joins in its place
        ("admitted", {"Replaces": "{leg};to-tag=a;from-tag=b;a-leg=true"}),  # takes it out, to itself
        ("admitted", {"Replaces": "{leg};to-tag=a;from-tag=b", "Call_Info": "<sip:x@y>"}),  # listens and speaks
        ("conference:c-main@sparkle", {"Replaces": "{leg};to-tag=a;from-tag=b"}),
    ],
)
def test_nobody_joins_listens_or_takes_over_by_replacing_a_leg(
    line: Line, esl: Esl, leg: UUID, to: str, headers: dict[str, str]
) -> None:
    told = {name: value.format(leg=leg) for name, value in headers.items()}
    call(line, to.replace(":", "%3A").replace("@", "%40"), SUITE, **told)
    wait_until(lambda: esl.legs() <= 1, "the caller is gone")
    assert set(esl.members("c-main")) <= {leg}
    assert esl.api(f"uuid_buglist {leg}").count("<media-bug>") == 0


def test_nobody_runs_what_they_dial_by_replacing_a_leg_that_rings(
    line: Line, esl: Esl, phones: Phones, switch: FreeSwitch
) -> None:
    phone = phones.register(NUMBERS[1], password(NUMBERS[1]))
    phone.answers = False
    ringing = uuid4()
    esl.send(f"bgapi originate {{origination_uuid={ringing}}}sofia/internal/{phone.number}%{switch.domain} &park()")
    wait_until(lambda: phone.called == 1, "it rings")
    called = esl.variable(ringing, "sip_call_id").strip()
    call(line, "set_global%3Areplaced=yes", SUITE, Replaces=f"{called};to-tag=a;from-tag=b")
    wait_until(lambda: esl.legs() == 0, "both legs are gone")
    assert esl.api("global_getvar replaced").strip() != "yes"
    phones.forget()
