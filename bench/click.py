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
        conference, participants = make_conference(max(CONSOLES), "ours")
        # One of its own: ours would tell of what happens in it, and take time from the other.
        other, others = make_conference(max(CONSOLES), "others")
        keys = keys_file(var, participants)
        named = participants[-1], others[-1]
        ours, theirs = f"/ws/conferences/{conference.pk}/", f"/ws/conferences/{other.pk}/"
        builds = {
            "ours": (stack.enter_context(asgi("sparkle.asgi:application"))[0] + ours, named[0]),
            "bare hub": (stack.enter_context(bare())[0] + ours, named[0]),
            "group_send": (stack.enter_context(asgi("bench.group_send:application"))[0] + theirs, named[1]),
        }
        fleets = {
            name: stack.enter_context(Child("bench.consoles", url, str(keys))) for name, (url, _) in builds.items()
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
                        person = builds[name][1]
                        body = {"participants": [str(person.pk)]}
                        found[name].append(fleet.ask("click", action="unmute" if person.muted else "mute", body=body))
                        if name != "bare hub":
                            person.muted = not person.muted
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
