"""What docker/ says, read for the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sparkle.local.environment import ROOT

DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = sorted(DOCKER.glob("*.Dockerfile"))

#: Services that end, and that others wait for until they have.
STEPS = {
    name
    for service in SERVICES.values()
    for name, how in service.get("depends_on", {}).items()
    if how["condition"] == "service_completed_successfully"
}


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Each instruction and what it is given, on one line; comments left out."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def processes(service: dict[str, Any]) -> list[list[str]]:
    """The commands of a service, each as a list of words; the default of a variable stands for it."""
    command = service.get("command")
    if command is None:
        return []
    words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in command]
    if words[:2] == ["sh", "-ec"]:
        return [line.split() for line in words[2].splitlines()]
    return [words]


def variables(text: str) -> set[str]:
    """The variables that a Compose file (`${NAME…}`) or a Caddyfile (`{$NAME…}`) takes from outside."""
    told = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    return {brace or dollar for brace, dollar in re.findall(r"\{\$(\w+)|\$\{(\w+)", told)}
