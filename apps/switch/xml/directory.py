"""What FreeSWITCH's directory holds: accounts, and gateways."""

from __future__ import annotations

from dataclasses import fields

from apps.switch import srtp
from apps.switch.digest import Digest
from apps.switch.models import Node
from apps.switch.sign_in import sign_in

from . import gateways
from .application import Question
from .documents import NOT_FOUND, user

PHONES = "internal"
"""The profile at which there are accounts."""

CHECK_DOMAIN = "check"


def directory(node: Node, question: Question) -> bytes:
    """The gateways, or the account of somebody who signs in at a profile for phones and has its password; all else is
    not found.

    An account is never `cacheable`: FreeSWITCH would not ask about later tries (decisions/0014).
    """
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
    account = sign_in(question.get("user", ""), question.get("ip", ""), _digest(question))
    if account is None:
        return NOT_FOUND
    # Browsers encrypt by DTLS, to which the rule for SDES does not apply (switch_core_media.c:1616).
    variables = {} if account.browser else {"rtp_secure_media": srtp.MANDATORY}
    return user(node.sip_domain, account.name, account.a1_hash, variables)


def _digest(question: Question) -> Digest:
    parts = (field.name for field in fields(Digest))
    return Digest(**{name: question.get(f"sip_auth_{name}", "") for name in parts})
