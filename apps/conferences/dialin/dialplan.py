"""What becomes of a call from outside: refused, so far."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from django.http import QueryDict

from apps.switch.models import Node
from apps.switch.xml.documents import NOT_FOUND, document

OUTSIDE = "public"
"""The context in which all calls from outside arrive."""


def dialplan(node: Node, question: QueryDict) -> bytes:
    if question.get("Hunt-Context") != OUTSIDE:
        return NOT_FOUND
    context = ET.Element("context", name=OUTSIDE)
    condition = ET.SubElement(ET.SubElement(context, "extension", name="refuse"), "condition")
    ET.SubElement(condition, "action", application="hangup", data="CALL_REJECTED")
    return document("dialplan", context)
