"""A FreeSWITCH that dies, starts anew and is checked, and gateways that come and go, while there are calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.authority import sign_for_carrier
from tests.contract.esl import Client
from tests.live.administration import Gateways
from tests.live.carrier import Carrier
from tests.live.phones import Phone
from tests.live.sip import Line, sdp
from tests.live.system.installation import manage
from tests.live.system.meeting import Meeting
from tests.servers import wait_until
from tests.system.plans import launch, person, states
from tests.system.stack import Stack


def test_a_restart_of_the_switch_calls_everybody_back(stack: Stack, meeting: Meeting) -> None:
    meeting.act("mute", 1)
    meeting.hears(0, 2, 3, 4)
    calls = [phone.called for phone in meeting.phones]
    stack.kill("freeswitch")
    meeting.everybody_is_called_back()
    meeting.hear({0: {2, 3, 4}, 1: {0, 2, 3, 4}})
    assert [phone.called for phone in meeting.phones] == [before + 1 for before in calls]


def test_the_node_is_as_it_should_be(stack: Stack) -> None:
    manage(stack, "freeswitch", "check", "local")


@pytest.fixture(scope="module")
def carriers(stack: Stack) -> Iterator[tuple[Carrier, Carrier]]:
    """Two that are there; the first does not take calls."""
    certificate = sign_for_carrier(stack.var / "freeswitch" / "certs", "127.0.0.1", stack.var / "carrier.pem")
    with Carrier(certificate, answer=503) as first, Carrier(certificate) as second:
        yield first, second


def test_gateways_are_added_changed_and_removed_without_a_restart(
    stack: Stack, carriers: tuple[Carrier, Carrier]
) -> None:
    first, second = carriers
    api = stack.sign_in()
    gateways, home = Gateways(api), stack.var / "freeswitch"
    esl = Client("127.0.0.1", int((home / "esl-port").read_text()), (home / "esl-password").read_text().strip())

    def known() -> set[str]:
        return set(re.findall(r"<name>(gw-.*?)</name>", esl.api("sofia xmlstatus gateway")))

    def called() -> tuple[list[str], list[str]]:
        return [call.number for call in first.calls], [call.number for call in second.calls]

    def shows(name: str, word: str) -> None:
        wait_until(lambda: word in gateways.listed(name), f"{name} is shown as {word}", 20)

    common = {
        "handles": ["mobile"],
        "prefix": "+86",
        "host": "127.0.0.1",
        "username": "acme",
        "caller_number": "+862155550000",
        "rules-0-prefix": "+86",
    }
    trunk_port = int((home / "trunk-port").read_text())

    def calling() -> int:
        """What somebody is told who calls from here as a carrier would."""
        with Line(("127.0.0.1", trunk_port), home / "certs" / "cafile.pem") as line:
            return line.request("INVITE", "02155550000", body=sdp("AEAD_AES_256_GCM")).status

    assert calling() == 403
    page = gateways.add(name="first", priority="1", port=str(first.port), networks="127.0.0.1", **common)
    gateways.add(
        name="second",
        priority="2",
        port=str(second.port),
        register="on",
        password=second.password,
        identity="asserted",
        **{**common, "rules-0-replacement": "0"},
    )
    shows("first", "ready")
    shows("second", "registered")
    assert len(second.registered) == 1
    assert calling() not in (403, 480)  # it is known whose call it is; what becomes of it says the dialplan
    manage(stack, "freeswitch", "check", "local")

    # The first one says 503: the second gets the call at once, as it wants numbers to be.
    conference = launch(api, [person("赵六", "+8613800138000")])
    wait_until(lambda: states(api, conference) == {"赵六": "connected"}, "the second carrier took the call", 15)
    assert called() == (["13800138000"], ["013800138000"])
    told = second.calls[0].headers
    assert "<sip:acme@127.0.0.1" in told["from"]
    assert "<sip:+862155550000@127.0.0.1>" in told["p-asserted-identity"]
    assert "<sip:+862155550000@127.0.0.1>" in first.calls[0].headers["from"]
    attempts = stack.rows(
        "SELECT gateway_name, cause, sip_code FROM conferences_attempt WHERE conference_id = %s ORDER BY ordinal",
        conference,
    )
    assert [(each["gateway_name"], each["cause"], each["sip_code"]) for each in attempts] == [
        ("first", "NORMAL_TEMPORARY_FAILURE", 503),
        ("second", "", 0),
    ]

    # Another revision is another gateway; that of a call stays as long as the call. One that is down is passed over.
    before = known()
    gateways.change(page, register="on", password="wrong")
    shows("first", "sign-in failed")
    second_page = stack.rows("SELECT id FROM switch_gateway WHERE name = 'second'")[0]["id"]
    gateways.change(page.replace(page.split("/")[-3], str(second_page)), expire_seconds="700")
    wait_until(lambda: len(second.registered) == 2, "the second gateway signs in anew")
    shows("second", "registered")
    wait_until(lambda: len(known()) == 3, "the first gateway's old revision is gone")
    assert len(known() & before) == 1
    another = launch(api, [person("孙七", "+8613800138001")])
    wait_until(lambda: states(api, another) == {"孙七": "connected"}, "it is called", 15)
    assert called() == (["13800138000"], ["013800138000", "013800138001"])
    assert stack.rows("SELECT gateway_name FROM conferences_attempt WHERE conference_id = %s", another) == [
        {"gateway_name": "second"}
    ]

    api.act(conference, "end")
    api.act(another, "end")
    wait_until(lambda: second.ended == 2, "the calls are over")
    for each in stack.rows("SELECT id FROM switch_gateway WHERE host <> ''"):
        gateways.delete(page.replace(page.split("/")[-3], str(each["id"])))
    wait_until(lambda: known() == set(), "no gateway is left, nor an old revision", 20)
    assert calling() == 403
    esl.close()


def test_a_restart_that_is_wanted_waits_for_the_conference(stack: Stack, five: list[Phone]) -> None:
    def restart_wanted() -> bool:
        return bool(stack.rows("SELECT restart_wanted FROM switch_node WHERE name = 'local'")[0]["restart_wanted"])

    meeting = Meeting(stack.sign_in(), five, stack.var / "freeswitch" / "sounds")
    core = stack.rows("SELECT core_uuid FROM switch_node WHERE name = 'local'")
    home = str(stack.var / "freeswitch" / "certs")
    manage(stack, "freeswitch", "certificates", home, "--host", "127.0.0.1", "--renew", "--node", "local")
    stack.hand_over()  # to one that reads the node at once
    meeting.everybody_hears_the_others()
    assert restart_wanted()
    meeting.api.act(meeting.id, "end")
    wait_until(lambda: not restart_wanted(), "the switch has started anew", 90)
    assert stack.rows("SELECT core_uuid FROM switch_node WHERE name = 'local'") != core
