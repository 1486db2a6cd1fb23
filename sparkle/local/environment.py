"""What the processes of the one-machine installation are told: `var/environment`, written by `make run`.

A file of its own, so that a command started by hand (`manage.py createsuperuser`) finds the running servers.
Standard library only.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from apps.core.files import private_write

ROOT = Path(__file__).resolve().parents[2]


def var_directory() -> Path:
    """`SPARKLE_VAR`, or `var` in the repository."""
    return Path(os.environ.get("SPARKLE_VAR") or ROOT / "var").resolve()


def remember_installation(var: Path, values: dict[str, str]) -> None:
    private_write(var / "environment", json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def adopt_running_installation() -> None:
    """Take over the installation's variables, except those that are set already; does nothing outside `local`."""
    file = var_directory() / "environment"
    if os.environ.get("SPARKLE_ENV", "local") != "local" or not file.exists():
        return
    for name, value in json.loads(file.read_text(encoding="utf-8")).items():
        os.environ.setdefault(name, value)
