"""What becomes of a call from outside: a browser goes to its place, a telephone is asked where it wants to, and all
else is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID
from xml.etree import ElementTree as ET

from apps.conferences.services.arrivals import arrive
from apps.conferences.services.dial_in import PhoneCaller
from apps.core.errors import Problem
from apps.switch.accounts import is_browser
from apps.switch.esl.rendering import conference_target
from apps.switch.models import Node
from apps.switch.xml.application import Question
from apps.switch.xml.documents import ADMIT, NOT_FOUND, document
from apps.switch.xml.gateways import calls_in_the_clear

from .phone import DIGITS, INSIDE, STATE, UNLOCKED, Application, Call, begin, go_on

logger = logging.getLogger(__name__)

OUTSIDE = "public"
"""The context in which all calls from outside arrive."""

JOIN = "join"
"""What browsers call (services/joining.py)."""

REFUSE: Application = ("hangup", "CALL_REJECTED")


def dialplan(node: Node, question: Question) -> bytes:
    context, dialled = question.get("Hunt-Context", ""), question.get("Hunt-Destination-Number", "")
    if context == INSIDE:
        return _answer(INSIDE, go_on(_call(node, question), question.get(f"variable_{STATE}", "")))
    if context != OUTSIDE:
        return NOT_FOUND
    if dialled == JOIN:
        return _answer(OUTSIDE, _joining(node, question))
    # An account of a browser is good for joining only.
    answer = None if is_browser(question.get("variable_user_name", "")) else begin(_call(node, question), dialled)
    return _answer(OUTSIDE, answer or [REFUSE])


def _call(node: Node, question: Question) -> Call:
    account = question.get("variable_user_name", "")
    caller = PhoneCaller.of(
        number=question.get("Hunt-Caller-ID-Number", ""),
        address=question.get("Hunt-Network-Addr", ""),
        profile=question.get("variable_sofia_profile_name", ""),
        account=account,
    )
    digits = question.get(f"variable_{DIGITS}", "")
    return Call(UUID(question.get("Unique-ID")), node.pk, caller, calls_in_the_clear(node, account), digits)


def _joining(node: Node, question: Question) -> list[Application]:
    leg = UUID(question.get("Unique-ID"))
    try:
        place = arrive(account=question.get("variable_user_name", ""), leg=leg, node=node.pk)
    except Problem as problem:
        logger.info("leg %s is refused: %s", leg, problem.code)
        return [REFUSE]
    return [ADMIT, UNLOCKED, ("answer", ""), ("conference", conference_target(place.room, place.flags))]


def _answer(name: str, applications: Sequence[Application]) -> bytes:
    context = ET.Element("context", name=name)
    condition = ET.SubElement(ET.SubElement(context, "extension", name="caller"), "condition")
    for application, data in applications:
        ET.SubElement(condition, "action", application=application, data=data)
    return document("dialplan", context)
