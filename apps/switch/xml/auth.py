"""Who asks: a node, by HTTP Basic authentication with its name and its own password."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.switch.models import Node

from .documents import NOT_FOUND

logger = logging.getLogger(__name__)

NODE_KNOWN = 2.0
"""Seconds for which a node is not looked up again."""

Answer = Callable[[Node, QueryDict], bytes]
View = Callable[[HttpRequest], HttpResponse]


def for_nodes(answer: Answer) -> View:
    """A view that gives a node what `answer` makes of what it posted.

    Whatever goes wrong, it is told "not found" with status 200: of an answer with another status it would log the whole
    question, digests too (mod_xml_curl.c:319). Only who is no node of ours is told so.
    """

    @csrf_exempt
    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        try:
            node = asking_node(request.headers.get("Authorization", ""))
            if node is None:
                return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="nodes"'})
            text = NOT_FOUND if _has_nul(request.POST) else answer(node, request.POST)
        except Exception:  # whatever it is: nobody gets in, and the switch has not to wait
            logger.exception("A question of a switch was not answered")
            text = NOT_FOUND
        return HttpResponse(text, content_type="text/xml")

    return view


def _has_nul(question: QueryDict) -> bool:
    """It ends a text for FreeSWITCH and is none for PostgreSQL."""
    return any("\0" in value for value in question.values() if isinstance(value, str))


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
