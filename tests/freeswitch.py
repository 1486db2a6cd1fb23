"""The configuration of a FreeSWITCH for tests."""

from __future__ import annotations

from apps.switch.freeswitch.render import Configuration
from sparkle.local.freeswitch import FreeSwitch

NODE = "under-test"
XML_PASSWORD = "of-the-node-and-of-nobody-else"
#: Nobody answers there: the control plane is away.
NO_XML_URL = "http://127.0.0.1:9"


def configuration_of(switch: FreeSwitch, *, xml_url: str = NO_XML_URL) -> Configuration:
    return Configuration(
        name=NODE,
        domain=switch.domain,
        realm="sparkle",
        sip_address=switch.domain,
        external_address=switch.domain,
        sip_tls_port=switch.sip_port,
        wss_port=switch.wss_port,
        trunk_tls_port=switch.trunk_port,
        rtp_start_port=10_000,
        rtp_end_port=19_998,
        esl_port=switch.esl_port,
        esl_password=switch.esl_password,
        max_sessions=2000,
        sessions_per_second=1000,
        xml_url=xml_url,
        xml_password=XML_PASSWORD,
    )
