"""What a switch says of its gateways, and what follows from it for those that it should have. Standard library only.

Sources: mod_sofia.c (xml_gateway_status), sofia.c (sofia_state_names) and sofia_reg.c of FreeSWITCH 1.10.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from xml.etree import ElementTree as ET

PROFILES: Final = ("trunk", "trunk-exempt")
"""The SIP profiles that have gateways: over TLS, and over what does not encrypt."""

ABSENT: Final = "ABSENT"
"""A state beside those of FreeSWITCH: the switch does not have it, or not yet."""

NO_PROFILE: Final = "NO_PROFILE"
"""The SIP profile that it belongs to does not run there."""

BEGINNING: Final = frozenset({"UNREGED", "TRYING", "REGISTER"})
"""States of a gateway that signs in and was neither refused nor ignored yet."""

_OURS = re.compile(r"gw-([0-9a-f]{8})-([0-9]{1,9})")


def switch_name(gateway: UUID, revision: int) -> str:
    """What a gateway is called on a switch. (Of an identifier the last digits are random; the first are the time.)"""
    return f"gw-{gateway.hex[-8:]}-{revision}"


def profile_of(transport: str) -> str:
    """The SIP profile of a gateway."""
    return PROFILES[transport != "tls"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A gateway as a switch has it. `up`: the switch would call through it. `ping_ms` is 0 where nobody was asked."""

    name: str
    profile: str
    state: str
    up: bool
    ping_ms: float = 0.0
    calls_in: int = 0
    calls_out: int = 0
    failed_out: int = 0

    @property
    def key(self) -> str:
        """What all revisions of a gateway have in common in their names; empty for one that is not ours."""
        return _key(self.name)

    @property
    def revision(self) -> int:
        found = _OURS.fullmatch(self.name)
        return int(found[2]) if found else 0


def _key(name: str) -> str:
    found = _OURS.fullmatch(name)
    return found[1] if found else ""


class UnreadableStatus(ValueError):  # noqa: N818 - an answer, not an accident
    """It is not what `sofia xmlstatus gateway` answers; the text holds none of it."""


def read_gateways(answer: str) -> list[Sighting]:
    """All gateways of a switch, from its answer to `sofia xmlstatus gateway`. Raises UnreadableStatus."""
    try:
        root = ET.fromstring(answer)  # noqa: S314 - the switch's own words
        if root.tag != "gateways":
            raise UnreadableStatus("no list of gateways")
        return [_sighting(each) for each in root.iterfind("gateway")]
    except (ET.ParseError, ValueError) as error:
        raise UnreadableStatus(str(error) if isinstance(error, UnreadableStatus) else type(error).__name__) from None


def read_profiles(answer: str) -> set[str]:
    """The SIP profiles that run, from the answer to `sofia xmlstatus`."""
    try:
        root = ET.fromstring(answer)  # noqa: S314 - the switch's own words
    except ET.ParseError:
        return set()
    return {
        profile.findtext("name", "")
        for profile in root.iterfind("profile")
        if profile.findtext("type") == "profile" and profile.findtext("state", "").startswith("RUNNING")
    }


def _sighting(gateway: ET.Element) -> Sighting:
    def number(tag: str) -> int:
        return int(gateway.findtext(tag, "0"))

    return Sighting(
        name=gateway.findtext("name", ""),
        profile=gateway.findtext("profile", ""),
        state=gateway.findtext("state", "")[:16],
        up=gateway.findtext("status") == "UP",
        ping_ms=float(gateway.findtext("pingtime", "0")),
        calls_in=number("calls-in"),
        calls_out=number("calls-out"),
        failed_out=number("failed-calls-out"),
    )


def standing(wanted: str, sightings: Iterable[Sighting]) -> str | None:
    """The name by which a gateway can be called through now, or None where it is down.

    While the revision that is `wanted` is not there yet, or signs in, the latest one before it still serves.
    """
    revisions = [each for each in sightings if each.key == _key(wanted)]
    current = next((each for each in revisions if each.name == wanted), None)
    if current is not None and current.up:
        return current.name
    if current is not None and current.state not in BEGINNING:
        return None
    serving = max((each for each in revisions if each.up), key=lambda each: each.revision, default=None)
    return serving.name if serving is not None else None
