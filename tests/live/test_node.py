"""What an administrator does with a node that runs: check it, and give it other certificates."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from uuid import uuid4

from apps.switch.commands import Restart
from apps.switch.freeswitch.certificates import install_certificates
from apps.switch.freeswitch.check import check
from apps.switch.models import Node
from sparkle.local.freeswitch import FreeSwitch
from tests.authority import deliver
from tests.freeswitch import NODE, XML_PASSWORD
from tests.live.conftest import NUMBERS, password
from tests.live.meeting import MAIN, Meeting
from tests.live.phones import Phones
from tests.live.switch import Esl, settled
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.web import Answers


def node_of(switch: FreeSwitch, **other: object) -> Node:
    return Node(
        name=NODE,
        esl_port=switch.esl_port,
        esl_password=switch.esl_password,
        domain=switch.domain,
        sip_tls_port=switch.sip_port,
        wss_port=switch.wss_port,
        trunk_tls_port=switch.trunk_port,
        xml_password=XML_PASSWORD,
        **other,
    )


def bad(node: Node) -> dict[str, str]:
    return {finding.what: finding.found for finding in check(node) if not finding.ok}


def test_a_node_as_rendered_has_nothing_bad(switch: FreeSwitch) -> None:
    findings = check(node_of(switch))
    assert [finding for finding in findings if not finding.ok] == []
    assert len(findings) > 40


def test_a_node_that_is_not_as_it_should_be_is_told_of(switch: FreeSwitch, answers: Answers) -> None:
    assert bad(node_of(switch, max_legs=10)) == {"most sessions": "2000"}
    assert set(bad(node_of(switch, exempt_sip_port=5060))) > {"SIP profiles running", "trunk-exempt: ports"}
    elsewhere = bad(node_of(switch, external_address="203.0.113.7"))
    assert set(elsewhere.values()) == {"127.0.0.1"}
    assert "port for phones: certificate for" not in elsewhere
    with answers.gone():
        assert bad(node_of(switch)) == {"asks the control plane": "not answered"}
    wrong = node_of(switch)
    wrong.esl_password = "not-that-of-the-switch"
    assert bad(wrong) == {"event socket": "the switch refuses the password"}


def test_a_new_certificate_is_served_when_the_last_call_is_over(
    switch: FreeSwitch, phones: Phones, tmp_path: Path
) -> None:
    """Not before: FreeSWITCH 1.10.12 reads it when a profile starts, and a profile that restarts ends its calls."""
    esl = Esl(switch)
    core = esl.api("global_getvar core_uuid")
    two = [phones.register(number, password(number), frequency=TONES[i]) for i, number in enumerate(NUMBERS[:2])]
    meeting = Meeting(esl, switch, two)
    delivered = deliver(tmp_path / "real", switch.domain)
    install_certificates(switch.authority.parent, delivered.chain, delivered.key)
    esl.command(Restart(uuid4()))
    two[0].wait_to_hear({TONES[1]})
    assert meeting.present(MAIN) == set(meeting.legs)
    for port in (switch.sip_port, switch.wss_port, switch.trunk_port):
        assert accepted(switch, port, switch.authority)
        assert not accepted(switch, port, delivered.root)

    esl.api("hupall")
    esl.close()
    wait_until(lambda: restarted(switch, core), "FreeSWITCH has started anew", 40)
    for port in (switch.sip_port, switch.wss_port, switch.trunk_port):
        assert accepted(switch, port, delivered.root)  # with the one in between, which nobody knows beforehand
    phones.forget()


def accepted(switch: FreeSwitch, port: int, authority: Path) -> bool:
    """Whether somebody who trusts this authority and no other connects."""
    context = ssl.create_default_context(cafile=str(authority))
    try:
        with (
            socket.create_connection((switch.domain, port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=switch.domain),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False


def restarted(switch: FreeSwitch, core: str) -> bool:
    try:
        esl = Esl(switch)
    except (OSError, AssertionError):
        return False
    try:
        return esl.api("global_getvar core_uuid") != core and settled(switch)
    except ConnectionError:
        return False
    finally:
        esl.close()
