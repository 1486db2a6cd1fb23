"""From a node's row and the settings to its configuration."""

from __future__ import annotations

from django.conf import settings

from apps.switch.models import Node

from .render import LOBBY_TONES, Configuration

# Of the core's walls behind the control plane's own pacing: a leg may be a loopback pair, whose other side counts too.
SESSIONS_A_LEG = 2
SESSIONS_A_CALL = 4
LEAST_SESSIONS_PER_SECOND = 1000


def configuration(node: Node) -> Configuration:
    """What `render_configuration` writes for the node and `check` expects of it."""
    own = settings.SPARKLE_SOUNDS_DIR / "custom"
    own_sound = own / "lobby.wav"
    return Configuration(
        name=node.name,
        domain=node.sip_domain,
        realm=settings.SPARKLE_SIP_REALM,
        sip_address=node.sip_address,
        external_address=node.external_address or node.sip_address,
        sip_tls_port=node.sip_tls_port,
        wss_port=node.wss_port,
        trunk_tls_port=node.trunk_tls_port,
        exempt_sip_port=node.exempt_sip_port,
        rtp_start_port=node.rtp_start_port,
        rtp_end_port=node.rtp_end_port,
        esl_port=node.esl_port,
        esl_password=node.esl_password,
        max_sessions=SESSIONS_A_LEG * node.max_legs,
        sessions_per_second=max(LEAST_SESSIONS_PER_SECOND, SESSIONS_A_CALL * node.calls_per_second),
        xml_url=settings.SPARKLE_XML_URL,
        xml_password=node.xml_password,
        xml_ca_file=settings.SPARKLE_XML_CA_FILE,
        lobby_sound=str(own_sound) if own_sound.exists() else LOBBY_TONES,
        recordings=own,
    )
