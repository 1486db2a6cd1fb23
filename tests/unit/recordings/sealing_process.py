"""Sealers that a test kills: `python -m tests.unit.recordings.sealing_process NODE`.

For each line that it reads, it forks one that seals without end, and answers with its process id: so a new sealer is
there at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django


def main() -> None:
    django.setup()
    from django.conf import settings

    from apps.recordings.sealing.sealer import Sealer
    from apps.recordings.sealing.spool import Spool
    from sparkle.local.supervise import dies_with_parent

    arrange = dies_with_parent()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            arrange()
            sealer = Sealer(sys.argv[1], Spool(Path(settings.SPARKLE_SPOOL_DIR)))
            while True:
                sealer.round()
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
