"""The documents that FreeSWITCH understands. Standard library only.

Source: switch_xml.c (switch_xml_locate) of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Trunk:
    """A gateway: its parameters, and the variables of each leg that goes out through it."""

    name: str
    params: Mapping[str, str]
    variables: Mapping[str, str]


def trunks(found: Iterable[Trunk]) -> bytes:
    """Gateways of a profile. FreeSWITCH looks for them in users of domains (sofia.c, parse_domain_tag)."""
    content = ET.Element("domain", name="gateways")
    gateways = ET.SubElement(ET.SubElement(content, "user", id="gateways"), "gateways")
    for trunk in found:
        gateway = ET.SubElement(gateways, "gateway", name=trunk.name)
        for key, value in trunk.params.items():
            ET.SubElement(gateway, "param", name=key, value=value)
        variables = ET.SubElement(gateway, "variables")
        for key, value in trunk.variables.items():
            ET.SubElement(variables, "variable", name=key, value=value, direction="outbound")
    return document("directory", content)


def networks(domain: str, found: Mapping[str, str]) -> bytes:
    """Accounts by name, each with the network whose calls are its calls (switch_core.c, switch_load_network_lists)."""
    content = ET.Element("domain", name=domain)
    users = ET.SubElement(content, "users")
    for name, network in found.items():
        ET.SubElement(users, "user", id=name, cidr=network)
    return document("directory", content)
