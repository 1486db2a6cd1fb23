"""What FreeSWITCH's directory holds: accounts, and gateways."""

from __future__ import annotations

from django.http import QueryDict

from apps.switch import srtp
from apps.switch.accounts import find_account
from apps.switch.models import Node

from . import gateways
from .documents import NOT_FOUND, user

PHONES = "internal"
"""The profile at which there are accounts."""

CHECK_DOMAIN = "check"


def directory(node: Node, question: QueryDict) -> bytes:
    """The gateways, or the account with which somebody signs in at a profile for phones; all else is not found."""
    match question.get("purpose", ""):
        case "gateways":
            return gateways.gateways(node, question.get("profile", ""))
        case "network-list":
            return gateways.network_list(node) if question.get("domain") == gateways.DOMAIN else NOT_FOUND
    if question.get("domain") == gateways.DOMAIN:
        return NOT_FOUND if question.get("action") else gateways.caller(node, question.get("user", ""))
    if question.get("domain") == CHECK_DOMAIN:
        # Asked by `manage.py freeswitch check`, through the node. No profile looks there for accounts.
        return user(CHECK_DOMAIN, "somebody", "-", {})
    if question.get("action") != "sip_auth" or question.get("sip_profile") != PHONES:
        return NOT_FOUND
    if question.get("domain") != node.sip_domain:
        return NOT_FOUND
    account = find_account(question.get("user", ""))
    if account is None:
        return NOT_FOUND
    # Browsers encrypt by DTLS, to which the rule for SDES does not apply (switch_core_media.c:1616).
    variables = {} if account.browser else {"rtp_secure_media": srtp.MANDATORY}
    return user(node.sip_domain, account.name, account.a1_hash, variables)
