"""The dialplan: what becomes of a call, asked of the control plane step by step (mod_dialplan_xml.c, mod_dptools.c)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from .applications import ApplicationError, Transfer, execute
from .xml_curl import XmlCurl

if TYPE_CHECKING:
    from .legs import Leg

log = logging.getLogger(__name__)

MOST_TRANSFERS: Final = 100
"""Of one call, beyond which its dialplan is taken to go in circles."""

_VARIABLE = re.compile(r"\$\{(?P<name>[^}]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class DialplanError(Exception):
    """The answer has something that the pocket switch does not know."""


@dataclass(frozen=True, slots=True)
class Action:
    application: str
    data: str


def read_actions(section: ET.Element, context: str) -> list[Action]:
    """What the first extension of `context` does. Conditions have to hold always: the control plane decides, not XML.

    Raises DialplanError.
    """
    found = section.find(f"context[@name='{context}']") if _NAME.fullmatch(context) else None
    extension = None if found is None else found.find("extension")
    if extension is None:
        return []
    actions = []
    for condition in extension:
        if condition.tag != "condition" or condition.attrib:
            raise DialplanError(f"only conditions without a field are supported, not {_spell(condition)}")
        for action in condition:
            if action.tag != "action" or set(action.attrib) > {"application", "data"}:
                raise DialplanError(f"only plain actions are supported, not {_spell(action)}")
            actions.append(Action(action.get("application", ""), action.get("data", "")))
    return actions


def _spell(element: ET.Element) -> str:
    return f"<{element.tag} {element.attrib}>"


def expand(text: str, variables: Mapping[str, str]) -> str:
    """`${name}` becomes the variable's value, or nothing (switch_channel_expand_variables). Raises DialplanError."""

    def value(match: re.Match[str]) -> str:
        if not _NAME.fullmatch(match["name"]):
            raise DialplanError(f"only plain variables are supported, not {match[0]}")
        return variables.get(match["name"], "")

    return _VARIABLE.sub(value, text)


class Dialplan:
    def __init__(self, xml: XmlCurl) -> None:
        self._xml = xml

    async def run(self, leg: Leg) -> None:
        """Lead a call through the dialplan until it ends. A call that has nothing left to do is hung up."""
        try:
            for _ in range(MOST_TRANSFERS):
                actions = await self._ask(leg)
                if not actions:
                    leg.hangup("CALL_REJECTED")  # as freeswitch/conf/dialplan/public.xml, which stands behind it
                    return
                try:
                    for action in actions:
                        await execute(leg, action.application, expand(action.data, leg.variables))
                        if leg.cause is not None:
                            return
                except Transfer as transfer:
                    leg.number, leg.context = transfer.number, transfer.context or leg.context
                    continue
                leg.hangup("NORMAL_CLEARING")
                return
            raise DialplanError(f"{MOST_TRANSFERS} transfers")
        except (DialplanError, ApplicationError) as error:
            log.error("the dialplan of %s: %s", leg.name, error)
            leg.hangup("DESTINATION_OUT_OF_ORDER")

    async def _ask(self, leg: Leg) -> list[Action]:
        caller = leg.headers(variables=True)
        hunt = {name.replace("Caller-", "Hunt-", 1): value for name, value in caller.items() if name[:7] == "Caller-"}
        section = await self._xml.ask("dialplan", leg.switch.bus.request_parameters() | caller | hunt)
        return [] if section is None else read_actions(section, leg.context)
