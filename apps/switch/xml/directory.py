"""Accounts for FreeSWITCH's directory."""

from __future__ import annotations

from django.http import QueryDict

from apps.switch import srtp
from apps.switch.models import Extension, Node

from .documents import NOT_FOUND, user

PHONES = "internal"
"""The profile at which there are accounts."""

CHECK_DOMAIN = "check"


def directory(node: Node, question: QueryDict) -> bytes:
    """The account that somebody tries to sign in with at a profile for phones; all else is not found."""
    if question.get("domain") == CHECK_DOMAIN:
        # Asked by `manage.py freeswitch check`, through the node. No profile looks there for accounts.
        return user(CHECK_DOMAIN, "somebody", "-", {})
    if question.get("action") != "sip_auth" or question.get("sip_profile") != PHONES:
        return NOT_FOUND
    if question.get("domain") != node.sip_domain:
        return NOT_FOUND
    extension = Extension.objects.filter(number=question.get("user", ""), enabled=True).first()
    if extension is None or not extension.a1_hash:
        return NOT_FOUND
    return user(node.sip_domain, extension.number, extension.a1_hash, {"rtp_secure_media": srtp.MANDATORY})
