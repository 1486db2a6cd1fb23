"""The documents that FreeSWITCH understands. Standard library only.

Source: switch_xml.c (switch_xml_locate) of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree as ET


def document(section: str, content: ET.Element) -> bytes:
    root = ET.Element("document", type="freeswitch/xml")
    ET.SubElement(root, "section", name=section).append(content)
    return ET.tostring(root)


NOT_FOUND: Final = document("result", ET.Element("result", status="not found"))
"""FreeSWITCH goes on with its static configuration, where there is nobody and nothing."""


GUARD: Final = {"execute_on_answer": "hangup CALL_REJECTED"}
"""Variables of whoever may call: an answered call ends at once, unless the dialplan begins with ADMIT.

An INVITE with Replaces answers without any dialplan and then joins, listens to or takes over another leg
(freeswitch/conf/freeswitch.xml); all of these begin with `answer`.
"""

ADMIT: Final = ("unset", "execute_on_answer")
"""The application, with its data, that has to come before any `answer`."""


def user(domain: str, name: str, a1_hash: str, variables: Mapping[str, str]) -> bytes:
    """An account. Whoever calls with it brings `variables` and GUARD into the leg.

    Raises ValueError without a hash: FreeSWITCH would let anybody in (sofia_reg.c:3327).
    """
    if not a1_hash:
        raise ValueError(f"{name} has no password")
    content = ET.Element("domain", name=domain)
    account = ET.SubElement(ET.SubElement(content, "users"), "user", id=name)
    params = ET.SubElement(account, "params")
    for key, value in {"a1-hash": a1_hash, "allow-empty-password": "false"}.items():
        ET.SubElement(params, "param", name=key, value=value)
    found = ET.SubElement(account, "variables")
    for key, value in {**variables, **GUARD}.items():
        ET.SubElement(found, "variable", name=key, value=value)
    return document("directory", content)
