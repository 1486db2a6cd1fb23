"""Who asks: a node, by HTTP Basic authentication with its name and its own password."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from functools import lru_cache

from apps.switch.models import Node

NODE_KNOWN = 2.0
"""Seconds for which a node is not looked up again."""


def asking_node(authorization: str) -> Node | None:
    """The node whose name and password a header holds. Another password holds after two seconds at most: nodes ask all
    the time, and with the same one.
    """
    return _node_of(authorization, int(time.monotonic() / NODE_KNOWN))


@lru_cache(maxsize=64)
def _node_of(authorization: str, when: int) -> Node | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    node = None if "\0" in name else Node.objects.filter(name=name).only("name", "domain", "xml_password").first()
    right = hmac.compare_digest(password.encode(), (node.xml_password if node else "").encode())
    return node if node and node.xml_password and right else None
