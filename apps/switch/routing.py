"""From a number to the gateways that lead to it, and to what is dialled there. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.switch import srtp
from apps.switch.esl.rendering import UnsafeValue, dial_string
from apps.switch.gateway_status import switch_name

logger = logging.getLogger(__name__)

TRUNK = "sofia/gateway/{name}/{{number}}"
"""The dial string of a SIP trunk that has this name on the switch."""


@dataclass(frozen=True, slots=True)
class Way:
    """A gateway as far as dialling needs it.

    `template` is its dial string. A SIP trunk has a `trunk` instead: the name by which the switch knows it, or will.
    `rules` say by what the beginning of a number is replaced. `owner_number`: the number shown is `caller_number` and
    the extension of the conference's owner. `caller_name`: None for the title of the conference.
    """

    id: UUID
    name: str
    handles: frozenset[str]
    prefix: str = ""
    priority: int = 0
    template: str = ""
    trunk: str = ""
    rules: Mapping[str, str] = field(default_factory=dict)
    caller_number: str = ""
    owner_number: bool = False
    caller_name: str | None = None
    encryption: str | None = None
    calls_per_second: float = 10.0
    max_calls: int = 200

    def rewritten(self, number: str) -> str:
        """The number as this gateway wants it."""
        prefix = max((each for each in self.rules if number.startswith(each)), key=len, default=None)
        return number if prefix is None else self.rules[prefix] + number[len(prefix) :]

    def shown(self, owner: str) -> str:
        """The caller's number for a conference whose owner has the extension `owner`, or none."""
        return self.caller_number + owner if self.owner_number else self.caller_number


_ENCRYPTION = {"mandatory": srtp.MANDATORY, "exempt": srtp.EXEMPT, "internal": None}


def way_of(row: Mapping[str, Any]) -> Way:
    """From the columns of a row of switch_gateway, and its `rules` (replacement by prefix)."""
    trunk = bool(row["host"])
    names = {"fixed": row["caller_name"], "none": "", "title": None}
    return Way(
        id=row["id"],
        name=row["name"],
        handles=frozenset(row["handles"]),
        prefix=row["prefix"],
        priority=row["priority"],
        template="" if trunk else row["dial_string"],
        trunk=switch_name(row["id"], row["revision"]) if trunk else "",
        rules=row["rules"],
        caller_number=row["caller_number"],
        owner_number=row["caller"] == "owner",
        caller_name=names[row["caller_name_shown"]],
        encryption=_ENCRYPTION[row["encryption"]],
        calls_per_second=row["calls_per_second"],
        max_calls=row["max_calls"],
    )


def ways_to(
    ways: Iterable[Way], kind: str, number: str, domain: str, standing: Mapping[UUID, str | None]
) -> Iterator[tuple[Way, str]]:
    """The ways to a number, each with its dial string: longest matching prefix first, then priority.

    `standing` has the name by which a SIP trunk can be called through now, or None where it is down. Such a one is left
    out, unless all are down: then they are tried nevertheless. So is one whose dial string cannot be filled.
    """
    fitting = sorted(
        (way for way in ways if kind in way.handles and number.startswith(way.prefix)),
        key=lambda way: (-len(way.prefix), way.priority, way.name),
    )
    up = [way for way in fitting if standing.get(way.id, "") is not None]
    for way in up or fitting:
        template = way.template or TRUNK.format(name=standing.get(way.id) or way.trunk)
        try:
            yield way, dial_string(template, way.rewritten(number), domain)
        except UnsafeValue as error:
            logger.warning("gateway %s cannot be dialled: %s", way.name, error)
