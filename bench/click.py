"""From one console's click to the last console that shows it: ours, a bare hub, and a build with group_send."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack

from bench.harness import Child, Report, installation, median, milliseconds, percentile
from bench.viewers import asgi, bare, keys_file, make_conference

CONSOLES = (1, 100, 1000)
ROUNDS, CLICKS = 3, 15
#: Between clicks: more than the time for which the hub gathers changes (hub.MERGE).
PAUSE = 0.15


def main() -> int:
    report = Report("click to all consoles, p50 / p99")
    with installation() as var, ExitStack() as stack:
        conference, participants = make_conference(max(CONSOLES))
        keys = keys_file(var, participants)
        path = f"/ws/conferences/{conference.pk}/"
        builds = {
            "ours": stack.enter_context(asgi("sparkle.asgi:application")),
            "bare hub": stack.enter_context(bare()),
            "group_send": stack.enter_context(asgi("bench.group_send:application")),
        }
        fleets = {
            name: stack.enter_context(Child("bench.consoles", f"{url}{path}", str(keys)))
            for name, (url, _) in builds.items()
        }
        p50 = {}
        for count in CONSOLES:
            found: dict[str, list[float]] = {name: [] for name in builds}
            for fleet in fleets.values():
                assert fleet.ask("open", count=count) == count
            for _ in range(ROUNDS):
                for name, fleet in fleets.items():
                    for _ in range(CLICKS):
                        time.sleep(PAUSE)
                        # Each build acts on the database by itself, so it must find the other state there.
                        action = "unmute" if participants[-1].muted else "mute"
                        found[name].append(
                            fleet.ask("click", action=action, body={"participants": [str(participants[-1].pk)]})
                        )
                        if name != "bare hub":
                            participants[-1].muted = not participants[-1].muted
            for name, seconds in found.items():
                p50[name, count] = median(seconds)
                report.figure(
                    f"{name}, {count} consoles",
                    f"{milliseconds(median(seconds))} / {milliseconds(percentile(seconds, 0.99))}",
                )
    most = CONSOLES[-1]
    report.at_most(f"ours to the bare hub, {most} consoles, p50", p50["ours", most] / p50["bare hub", most], 3)
    report.at_least(f"group_send to ours, {most} consoles, p50", p50["group_send", most] / p50["ours", most], 8)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
