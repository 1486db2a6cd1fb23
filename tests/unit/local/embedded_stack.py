"""`python -m tests.unit.local.embedded_stack DIRECTORY`: PostgreSQL and Valkey under the supervisor, nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from apps.core.files import private_write
from sparkle.local.embedded import prepare_postgres, prepare_valkey
from sparkle.local.supervise import Lock, Supervisor


def main(var: Path) -> None:
    with Lock(var):
        postgres, valkey = prepare_postgres(var / "postgres"), prepare_valkey(var / "valkey")
        urls = {"postgres": postgres.url, "valkey": valkey.url}

        def started() -> None:
            private_write(var / "urls.json", json.dumps(urls))

        asyncio.run(Supervisor(var, [[postgres.program, valkey.program]]).run(started))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
