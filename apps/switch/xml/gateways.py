"""The gateways of a node for FreeSWITCH's directory, and who may call through them.

Asked when a profile starts, at `sofia profile NAME rescan` (purpose=gateways), at the start of the switch and
`reloadacl` (purpose=network-list), and for each call that an address of the list makes: whose is it?
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network

from django.db.models import Q
from django.db.models.query import QuerySet

from apps.switch import srtp
from apps.switch.gateway_status import PROFILES
from apps.switch.models import Gateway, Node
from apps.switch.trunk import SipTrunk

from .documents import NOT_FOUND, Trunk, networks, trunks, user

DOMAIN = "gateways"
"""Where the addresses of gateways are accounts (freeswitch/conf/autoload_configs/acl.conf.xml)."""

_ACCOUNT = re.compile(r"([0-9a-f]{32})(-[0-9]{1,3})?")

# Which header shows the number beside From (sofia_glue.c, sip_cid_type), and whether From shows it.
_IDENTITY = {
    SipTrunk.Identity.FROM: ("none", True),
    SipTrunk.Identity.ASSERTED: ("pid", False),
    SipTrunk.Identity.BOTH: ("pid", True),
    SipTrunk.Identity.REMOTE_PARTY: ("rpid", False),
    SipTrunk.Identity.ACCOUNT: ("none", False),
}


def trunks_of(node: Node) -> QuerySet[Gateway]:
    """The SIP trunks that a node shall have."""
    mine = Q(node=node) | Q(node=None)
    return Gateway.objects.filter(mine, enabled=True).exclude(host="").order_by("pk")


def gateways(node: Node, profile: str) -> bytes:
    """What `profile` of the node needs to sign in and call: with passwords, so only what it asks for."""
    if profile not in PROFILES:
        return NOT_FOUND
    return trunks([_trunk(each) for each in trunks_of(node) if each.profile == profile])


def network_list(node: Node) -> bytes:
    """Each network from which a gateway calls is an account, named after the gateway."""
    found = {
        f"{gateway.id.hex}-{number}": str(IPv4Network(network))
        for gateway in trunks_of(node)
        for number, network in enumerate(gateway.networks)
    }
    return networks(DOMAIN, found)


def caller(node: Node, name: str) -> bytes:
    """What a call brings along that came from an address of a gateway."""
    gateway = _gateway(node, name)
    if gateway is None:
        return NOT_FOUND
    variables = {"rtp_secure_media": srtp.EXEMPT if _is_exempt(gateway) else srtp.MANDATORY}
    return user(DOMAIN, name, "-", variables)  # no password fits, and none is asked for


def calls_in_the_clear(node: Node, name: str) -> bool:
    """Whether a call with this account comes from a gateway that cannot encrypt."""
    gateway = _gateway(node, name)
    return gateway is not None and _is_exempt(gateway)


def _gateway(node: Node, name: str) -> Gateway | None:
    found = _ACCOUNT.fullmatch(name)
    return trunks_of(node).filter(pk=found[1]).first() if found else None


def _is_exempt(gateway: Gateway) -> bool:
    return gateway.encryption == Gateway.Encryption.EXEMPT


def _trunk(gateway: Gateway) -> Trunk:
    shown, in_from = _IDENTITY[SipTrunk.Identity(gateway.identity)]
    proxy = f"{gateway.host}:{gateway.port}" if gateway.port else gateway.host
    params = {
        "proxy": proxy,
        "realm": gateway.sip_domain,
        "from-domain": gateway.sip_domain,
        "register": str(gateway.register).lower(),
        "register-transport": gateway.transport,
        "expire-seconds": str(gateway.expire_seconds),
        "retry-seconds": "15",
        "timeout-seconds": "10",
        "caller-id-in-from": str(in_from).lower(),
        # Who calls in through a registration dialled us: whom they want is in To.
        "extension": "auto_to_user",
    }
    if gateway.username:
        params["username"] = gateway.username
    if gateway.password:
        params["password"] = gateway.password
    if gateway.ping_seconds:
        # Down after two that are not answered, up with the first that is (sofia.c, sofia_handle_sip_r_options).
        params |= {"ping": str(gateway.ping_seconds), "ping-min": "1", "ping-max": "2"}
    return Trunk(gateway.switch_name, params, {"sip_cid_type": shown})
