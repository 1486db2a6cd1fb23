"""How many browsers the pocket switch carries, and how long a word takes from mouth to ear in its mix.

    .venv/bin/python -m bench.pocket

Pages are peer connections of aiortc in another process, in one room; two of them talk, a third one's tone is timed. The
limit is two such pages without a switch between them.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.harness import Child, Report, cpu_seconds, median, memory, milliseconds, percentile
from tests.contract.switches import Pocket
from tests.doubles.control_plane import ControlPlane

SIZES = (2, 10, 25)
TRIALS = 10
SECONDS = 8.0


def main() -> int:
    report = Report("pocket switch: browsers in one room")
    accounts = {f"b-{number}": f"password {number}" for number in range(max(SIZES))}
    join = [("answer", ""), ("conference", "R@sparkle")]
    with (
        tempfile.TemporaryDirectory(prefix="sparkle-bench-") as folder,
        ControlPlane(accounts=accounts, dialplan={"join": join}) as plane,
        Child("bench.pocket_pages") as pages,
    ):
        switch = Pocket(Path(folder), plane)
        switch.start()
        try:
            direct = pages.ask("direct", trials=TRIALS)
            report.figure("mouth to ear without a switch, median", milliseconds(median(direct)))
            idle, empty = _cores(switch, SECONDS / 2), memory(switch.pid)
            report.figure("cores without anybody", f"{idle:.3f}")
            joined = 0
            for size in SIZES:
                more = dict(list(accounts.items())[joined:size])
                joined = pages.ask("join", url=switch.browsers, accounts=more)
                pages.ask("talk")
                cores = _cores(switch, SECONDS)
                gaps = pages.ask("gaps", seconds=SECONDS)
                delays = pages.ask("delays", trials=TRIALS)
                report.figure(f"{size} browsers: cores, and of one for each", f"{cores:.2f}, {cores / size:.3f}")
                figures = f"{milliseconds(median(delays))}, {milliseconds(percentile(delays, 0.9))}"
                report.figure(f"{size} browsers: mouth to ear, median and p90", figures)
                report.figure(f"{size} browsers: frames missed", f"{gaps:.2%}")
            each = (memory(switch.pid) - empty) / joined / 1e6
            report.figure("memory for each browser", f"{each:.1f} MB")
            report.at_most(f"cores for {joined} browsers", cores, 1.0)
            report.at_most("mouth to ear, seconds more than without a switch", median(delays) - median(direct), 0.2)
            report.at_most(f"frames missed by one of {joined}, per cent", gaps * 100, 1.0)
            pages.ask("leave")
        finally:
            switch.stop()
    return report.status


def _cores(switch: Pocket, seconds: float) -> float:
    """How many processor cores the switch keeps busy."""
    before, began = cpu_seconds(switch.pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(switch.pid) - before) / (time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
