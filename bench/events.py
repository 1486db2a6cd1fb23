"""Events: parse and dispatch per CPU-second; socket to committed rows; a feed faster than the database (README.md)."""

from __future__ import annotations

import sys
import threading
import time
from datetime import timedelta
from typing import Any

from bench import stream
from bench.acceptor import PASSWORD
from bench.harness import Child, Report, installation, median, memory, until

ROUNDS = 3
PARSED, PARSED_BY_PEER = 200_000, 20_000
STORED, STORED_BY_PEER = 200_000, 2_000
FLOOD = 300_000
#: Seconds for which nothing can be written while the flood comes.
BLOCKED = 4.0
TALK_AND_MUTE = ["start-talking", "stop-talking", "mute-member", "unmute-member"]
MUTE = ["mute-member", "unmute-member"]
MEGABYTE = 1 << 20


def parsing(report: Report) -> None:
    with Child("bench.replay") as replay:
        port = str(replay.ask("port"))
        rates: dict[str, list[float]] = {"ours": [], "observed": [], "greenswitch": []}
        counts = {"ours": PARSED, "observed": PARSED, "greenswitch": PARSED_BY_PEER}
        for _ in range(ROUNDS):
            for name, found in rates.items():
                until(lambda: not replay.ask("subscribed"), "the one before is gone")
                with Child("bench.listeners", "parse", name, port) as listener:
                    listener.tell("read", count=counts[name])
                    until(lambda: replay.ask("subscribed"), "subscribed")
                    replay.ask("blast", actions=TALK_AND_MUTE, count=counts[name])
                    answer = listener.answer()
                    found.append(answer["events"] / answer["cpu"])
    ours, observed, peer = (median(found) for found in rates.values())
    report.figure("ours: parsed and dispatched per CPU-second", f"{ours:,.0f}")
    report.figure("ours, observing too (the state of every leg and room)", f"{observed:,.0f}")
    report.figure("bare greenswitch: parsed and dispatched per CPU-second", f"{peer:,.0f}")
    report.figure("ours, observing too, to bare greenswitch", f"{observed / peer:.1f}")
    report.at_least("ours to bare greenswitch", ours / peer, 12)


def prepare(port: int) -> None:
    """Conferences in which everybody is, as the rows of their attempts say."""
    from django.utils import timezone

    from apps.accounts.models import User
    from apps.conferences.models import Attempt, Conference, Participant
    from apps.switch.models import Node

    user = User.objects.create(username="bench")
    node = Node.objects.create(name="bench", esl_port=port, esl_password=PASSWORD)
    now = timezone.now()
    for index in range(stream.PEOPLE):
        conference = stream.conference_id(index)
        if index % stream.MEMBERS == 0:
            Conference.objects.create(
                id=conference,
                node=node,
                owner=user,
                title=f"bench {index}",
                started_at=now,
                ends_at=now + timedelta(hours=2),
            )
    participants = [
        Participant(
            id=stream.participant_id(index),
            conference_id=stream.conference_id(index),
            name=f"与会者{index}",
            position=index,
            numbers=[{"kind": "mobile", "number": f"+86138{index:04d}9000"}],
            state="connected",
            leg=stream.leg_id(index),
        )
        for index in range(stream.PEOPLE)
    ]
    Participant.objects.bulk_create(participants)
    Attempt.objects.bulk_create(
        Attempt(
            leg=stream.leg_id(each.position),
            conference_id=each.conference_id,
            participant=each,
            round=1,
            ordinal=0,
            number_index=0,
            kind="mobile",
            number=each.numbers[0]["number"],
            phase="in_room",
            stored_at=now,
            sent_at=now,
            answered_at=now,
            joined_at=now,
        )
        for each in participants
    )


def deaf() -> int:
    from apps.conferences.models import Participant

    return Participant.objects.filter(observed_deaf=True).count()


def last_to_rows(replay: Child) -> float:
    """Events that make everybody deaf, the last of a stream: when all of them are committed."""
    replay.ask("blast", actions=["deaf-member"], count=stream.PEOPLE)
    until(lambda: deaf() == stream.PEOPLE, "the last events are committed")
    return time.monotonic()


def undo(replay: Child) -> None:
    replay.ask("blast", actions=["undeaf-member"], count=stream.PEOPLE)
    until(lambda: deaf() == 0, "nobody is deaf")


def storing(report: Report) -> None:
    with installation(), Child("bench.replay") as replay:
        port = replay.ask("port")
        prepare(port)
        rates: dict[str, list[float]] = {"ours": [], "greenswitch": []}
        with Child("bench.listeners", "store", "ours", str(port)) as ours:
            ready(replay)
            for _ in range(ROUNDS):
                before = ours.ask("taken")
                blast = replay.ask("blast", actions=MUTE, count=STORED)
                seconds = last_to_rows(replay) - blast["began"]
                sent = STORED + stream.PEOPLE
                assert ours.ask("taken") - before == sent
                rates["ours"].append(sent / seconds)
                undo(replay)
            flood(report, replay, ours)
        with Child("bench.listeners", "store", "greenswitch", str(port)) as peer:
            until(lambda: replay.ask("subscribed"), "subscribed")
            for _ in range(ROUNDS):
                began = time.monotonic()
                replay.ask("blast", actions=MUTE, count=STORED_BY_PEER)
                seconds = last_to_rows(replay) - began
                rates["greenswitch"].append((STORED_BY_PEER + stream.PEOPLE) / seconds)
                undo(replay)
            peer_memory(report, replay, peer)
    report.figure("ours: socket to committed rows, events/s", f"{median(rates['ours']):,.0f}")
    report.figure("greenswitch and one ORM save per event, events/s", f"{median(rates['greenswitch']):,.0f}")
    report.at_least("ours to greenswitch with the ORM", median(rates["ours"]) / median(rates["greenswitch"]), 200)


def ready(replay: Child) -> None:
    """The loop has its snapshot and has written it."""
    from apps.conferences.models import Participant

    def all_in() -> bool:
        return Participant.objects.filter(observed_room__startswith="c-").count() == stream.PEOPLE

    until(lambda: replay.ask("subscribed") and all_in(), "everybody is in a room")
    time.sleep(1)


class Watch(threading.Thread):
    """The most memory that a process has while this runs."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()

    def run(self) -> None:
        while not self.over.wait(0.02):
            self.most = max(self.most, memory(self.pid))


def flood(report: Report, replay: Child, ours: Child) -> None:
    """While another session holds the conferences' rows, nothing can be written, and the switch has to wait."""
    from django.db import transaction

    from apps.conferences.models import Conference

    resting, before = memory(ours.pid), ours.ask("taken")
    with Watch(ours.pid) as watch:
        with transaction.atomic():
            list(Conference.objects.select_for_update().values_list("pk"))
            replay.tell("blast", actions=MUTE, count=FLOOD)
            time.sleep(BLOCKED)
            waiting = ours.ask("taken") - before
        blast: Any = replay.answer()
        last_to_rows(replay)
    taken = ours.ask("taken") - before
    undo(replay)
    volume = blast["bytes"] / MEGABYTE
    grown = (watch.most - resting) / MEGABYTE
    report.figure(f"flood of {FLOOD:,} events ({volume:,.0f} MB), rows held for", f"{BLOCKED:.0f} s")
    report.figure("taken from the socket while nothing could be written", f"{waiting:,}")
    report.figure("the sender was held back for", f"{blast['ended'] - blast['began']:.1f} s")
    report.figure("memory grew by at most", f"{grown:.0f} MB, to {watch.most / MEGABYTE:.0f} MB")
    report.holds("back-pressure: the sender was held back", blast["ended"] - blast["began"] >= BLOCKED)
    report.holds("bounded memory: under a tenth of what was sent", grown < volume / 10)
    report.holds(f"nothing lost: {taken:,} of {FLOOD + stream.PEOPLE:,}", taken == FLOOD + stream.PEOPLE)


def peer_memory(report: Report, replay: Child, peer: Child) -> None:
    """For comparison: the peer takes everything into memory. It is not waited for."""
    resting = memory(peer.pid)
    with Watch(peer.pid) as watch:
        blast = replay.ask("blast", actions=MUTE, count=20_000)
    volume = blast["bytes"] / MEGABYTE
    grown = (watch.most - resting) / MEGABYTE
    report.figure(f"greenswitch: memory grew, for {volume:.0f} MB, by", f"{grown:.0f} MB")


def main() -> int:
    report = Report("events: ours and bare greenswitch")
    parsing(report)
    storing(report)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
