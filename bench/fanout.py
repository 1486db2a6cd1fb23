"""Deltas from Redis to 1000 WebSockets: our hub and a bare picows hub (README.md)."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.bare_hub import CHANNEL
from bench.harness import Child, Report, cpu_seconds, installation, median, until
from bench.viewers import asgi, bare, keys_file, make_conference

CONSOLES = 1000
ROUNDS = 7
#: Fewer than may wait for one socket (viewer.MOST_WAITING): more would be answered with snapshots.
DELTAS = 40
#: Deltas at once, far more than sockets take at a time.
BURST = 3000
OURS = "ours, merging off"


def main() -> int:
    report = Report(f"deltas to {CONSOLES} WebSockets")
    with installation() as var, ExitStack() as stack:
        import redis
        from django.conf import settings

        from apps.conferences.live.changes import channel, message
        from apps.conferences.models import Conference

        conference, participants = make_conference(CONSOLES, "fanout")
        keys = keys_file(var, participants)
        path = f"/ws/conferences/{conference.pk}/"
        client = redis.Redis.from_url(settings.REDIS_URL)
        changes = {"participants": {str(participants[-1].pk): {"muted": True, "hand_raised_at": None, "state": "left"}}}
        servers = {
            OURS: (*stack.enter_context(asgi("bench.merging_off:application")), channel(conference.pk)),
            "bare hub": (*stack.enter_context(bare()), CHANNEL),
        }
        fleets = {}
        for name, (url, _, _) in servers.items():
            fleets[name] = stack.enter_context(Child("bench.consoles", f"{url}{path}", str(keys)))
            assert fleets[name].ask("open", count=CONSOLES) == CONSOLES
        numbers = dict.fromkeys(servers, 0)

        def publish(name: str, count: int) -> float:
            """Seconds until every console has been told of all of them."""
            with client.pipeline(transaction=False) as pipe:
                for _ in range(count):
                    numbers[name] += 1
                    pipe.publish(servers[name][2], message(numbers[name], changes))
                # The rows, as far as a snapshot tells of them, are what they will have been.
                Conference.objects.update(seq=numbers[OURS])
                fleets[name].tell("wait", seq=numbers[name])
                time.sleep(0.05)  # the fleet counts first
                began = time.monotonic()
                pipe.execute()
            told: float = fleets[name].answer()
            return told - began

        rates: dict[str, list[float]] = {name: [] for name in servers}
        work: dict[str, list[float]] = {name: [] for name in servers}
        for turn in range(ROUNDS + 1):
            for name, (_, pid, _) in servers.items():
                before = cpu_seconds(pid)
                seconds = publish(name, DELTAS)
                if turn:  # the first warms up
                    rates[name].append(CONSOLES * DELTAS / seconds)
                    work[name].append(CONSOLES * DELTAS / (cpu_seconds(pid) - before))
        for name in servers:
            report.figure(
                f"{name}: deliveries/s (per CPU-second of the server)",
                f"{median(rates[name]):,.0f} ({median(work[name]):,.0f})",
            )
        report.at_least("ours to the bare hub, deliveries/s", median(rates[OURS]) / median(rates["bare hub"]), 0.5)
        report.figure("the same per CPU-second", f"{median(work[OURS]) / median(work['bare hub']):.2f}")
        # From here on as in production, where changes within 100 ms go together.
        del servers["bare hub"]
        for fleet in fleets.values():
            fleet.ask("drop")
        url, pid = stack.enter_context(asgi("sparkle.asgi:application"))
        fleets[OURS] = stack.enter_context(Child("bench.consoles", f"{url}{path}", str(keys)))
        assert fleets[OURS].ask("open", count=CONSOLES) == CONSOLES
        burst(report, fleets[OURS], publish, numbers)
        disconnect(report, client, fleets[OURS], pid, conference, publish)
    return report.status


def burst(report: Report, fleet: Child, publish: Any, numbers: dict[str, int]) -> None:
    """Far more deltas than sockets take at a time: everybody comes to the last one, without a gap that nobody told."""
    before = fleet.ask("count")
    seconds = publish(OURS, BURST)
    after = fleet.ask("count")
    frames, snapshots = (after[each] - before[each] for each in ("frames", "snapshots"))
    report.figure(f"burst of {BURST:,} deltas, as in production: told after", f"{seconds:.1f} s")
    report.figure("frames and snapshots that told of them", f"{frames:,} and {snapshots:,}")
    report.holds(
        f"no silent drop: all {CONSOLES} at {after['lowest']:,}, {after['gaps']} gaps",
        after["lowest"] == numbers[OURS] and after["gaps"] == 0,
    )


def disconnect(report: Report, client: Any, fleet: Child, pid: int, conference: Any, publish: Any) -> None:
    """All leave at once without a word; then they come again."""
    from apps.conferences.live.changes import channel

    def descriptors() -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    before = descriptors()
    began = time.monotonic()
    fleet.ask("drop")
    until(lambda: descriptors() < before - CONSOLES + 20, "the sockets are closed")
    until(lambda: client.pubsub_numsub(channel(conference.pk))[0][1] == 0, "nobody is subscribed")
    report.figure("all gone and unsubscribed after", f"{time.monotonic() - began:.1f} s")
    opened = fleet.ask("open", count=CONSOLES)
    publish(OURS, 10)
    report.holds(f"mass disconnect clean: {opened} came again and were told", opened == CONSOLES)


if __name__ == "__main__":
    sys.exit(main())
