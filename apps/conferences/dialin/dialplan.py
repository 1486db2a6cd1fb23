"""What becomes of a call from outside: a browser goes to its place; all else is refused, so far."""

from __future__ import annotations

import logging
from uuid import UUID
from xml.etree import ElementTree as ET

from django.http import QueryDict

from apps.conferences.services.arrivals import arrive
from apps.core.errors import Problem
from apps.switch.esl.rendering import conference_target
from apps.switch.models import Node
from apps.switch.xml.documents import ADMIT, NOT_FOUND, document

logger = logging.getLogger(__name__)

OUTSIDE = "public"
"""The context in which all calls from outside arrive."""

JOIN = "join"
"""What browsers call (services/joining.py)."""

Application = tuple[str, str]
UNLOCKED: Application = ("set", "conference_enforce_security=false")
"""Whom we let in, the lock of a room lets in: also who comes back (mod_conference.c:2094)."""
REFUSE: Application = ("hangup", "CALL_REJECTED")


def dialplan(node: Node, question: QueryDict) -> bytes:
    if question.get("Hunt-Context") != OUTSIDE:
        return NOT_FOUND
    if question.get("Hunt-Destination-Number") == JOIN:
        return _answer(*_joining(node, question))
    return _answer(REFUSE)


def _joining(node: Node, question: QueryDict) -> list[Application]:
    leg = UUID(question.get("Unique-ID"))
    try:
        place = arrive(account=question.get("variable_user_name", ""), leg=leg, node=node.pk)
    except Problem as problem:
        logger.info("leg %s is refused: %s", leg, problem.code)
        return [REFUSE]
    return [ADMIT, UNLOCKED, ("answer", ""), ("conference", conference_target(place.room, place.flags))]


def _answer(*applications: Application) -> bytes:
    context = ET.Element("context", name=OUTSIDE)
    condition = ET.SubElement(ET.SubElement(context, "extension", name="caller"), "condition")
    for application, data in applications:
        ET.SubElement(condition, "action", application=application, data=data)
    return document("dialplan", context)
