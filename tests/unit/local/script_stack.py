"""`python -m tests.unit.local.script_stack DIRECTORY PROGRAMS`: small scripts under the supervisor.

PROGRAMS is JSON: a list of stages, each a list of objects: `name`, `script` (Python) and, if wanted, `kind` and `ready`
(a file in DIRECTORY whose appearance is readiness). `DIRECTORY/started` appears when all are ready.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from sparkle.local.supervise import Kind, Lock, Program, StartError, Supervisor


def _program(var: Path, name: str, script: str, kind: str = "SERVICE", ready: str = "") -> Program:
    check = (var / ready).exists if ready else None
    return Program(name, [sys.executable, "-c", script], kind=Kind[kind], ready=check)


def main(var: Path, stages: list[list[dict[str, str]]]) -> None:
    programs = [[_program(var, **one) for one in stage] for stage in stages]
    try:
        with Lock(var):
            asyncio.run(Supervisor(var, programs).run((var / "started").touch))
    except StartError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
