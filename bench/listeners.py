"""Those who read a stream of events, ours and bare greenswitch. Child processes of bench.events, under gevent.

`parse ours|observed|greenswitch PORT`: answers `read` (so many events; CPU seconds of this process).
`store ours|greenswitch PORT`: write them to the database; ours answers `taken` (events so far).
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import contextlib  # noqa: E402 - patched first
import logging  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402
from uuid import UUID  # noqa: E402

import gevent  # noqa: E402
from greenswitch import InboundESL  # noqa: E402

from apps.switch.events import Event, MemberChanged, Talking  # noqa: E402
from bench import stream  # noqa: E402
from bench.acceptor import CORE, PASSWORD  # noqa: E402
from bench.harness import answer_questions, set_up_django  # noqa: E402

BATCH = 500


def read_line() -> str:
    """A line of the parent's without holding up the other greenlets."""
    line: str = gevent.get_hub().threadpool.apply(sys.stdin.readline)
    return line


class OursParsed:
    """Framing and translation, and the same least that a handler does."""

    def __init__(self, port: int) -> None:
        from apps.switch.esl.connection import EventConnection

        self.seen: dict[UUID, str] = {}
        self.handlers = {Talking: self._talking, MemberChanged: self._member}
        self.events = EventConnection("127.0.0.1", port, PASSWORD)
        self.began = time.process_time()
        self.events.connect()

    def _talking(self, event: Any) -> None:
        self.seen[event.leg] = "talking"

    def _member(self, event: Any) -> None:
        self.seen[event.leg] = "changed"

    def _dispatch(self, events: list[Event]) -> None:
        for event in events:
            self.handlers[type(event)](event)

    def read(self, count: int) -> dict[str, float]:
        got = 0
        while got < count:
            batch = self.events.read_batch(BATCH, timeout=5.0)
            self._dispatch(batch)
            got += len(batch)
        return {"cpu": time.process_time() - self.began, "events": got}


class OursObserved(OursParsed):
    """Framing, translation and observing, as the switchboard does."""

    def __init__(self, port: int) -> None:
        from apps.conferences.reconcile.observe import apply, connect
        from apps.conferences.reconcile.observed import LegPhase, Observed, ObservedLeg

        self.observed = Observed()
        connect(self.observed, CORE, 1.0)
        for index in range(stream.PEOPLE):
            leg = ObservedLeg(stream.leg_id(index), stream.participant_id(index), CORE, 1.0, phase=LegPhase.ANSWERED)
            self.observed.restore(leg, 1.0)
        self.apply = apply
        super().__init__(port)

    def _dispatch(self, events: list[Event]) -> None:
        self.apply(self.observed, *events)


class GreenswitchParsed:
    """Bare greenswitch, with the least that a handler does: it takes two headers."""

    def __init__(self, port: int) -> None:
        logging.disable()
        self.got = 0
        self.seen: dict[str, str] = {}
        self.esl = InboundESL("127.0.0.1", port, PASSWORD)
        self.esl.connect()
        self.esl.register_handle("conference::maintenance", self._handle)
        self.began = time.process_time()
        self.esl.send("event plain CUSTOM conference::maintenance")

    def _handle(self, event: Any) -> None:
        self.seen[event.headers["Unique-ID"]] = event.headers["Action"]
        self.got += 1

    def read(self, count: int) -> dict[str, float]:
        while self.got < count:
            gevent.sleep(0.05)
        return {"cpu": time.process_time() - self.began, "events": count}


class OursStored:
    """The switchboard's loop on the one node there is."""

    def __init__(self, port: int) -> None:
        set_up_django()
        from apps.conferences.switchboard import database
        from apps.conferences.switchboard.lease import acquire, renew
        from apps.conferences.switchboard.link import Address
        from apps.conferences.switchboard.node import NodeLoop
        from apps.conferences.switchboard.publish import Publisher
        from apps.switch.models import Node

        node = Node.objects.get()
        connection = database.connect(application_name="bench", autocommit=True)
        lease = acquire(connection, node.pk, "bench")
        assert lease is not None
        publisher = Publisher()
        gevent.spawn(publisher.run)

        def keep() -> None:
            while True:
                gevent.sleep(1)
                renew(connection, lease)

        gevent.spawn(keep)
        self.got = 0
        self.loop = NodeLoop("bench", Address("127.0.0.1", port, PASSWORD), lease, publisher)
        put = self.loop.link._put

        def counted(item: Any) -> None:
            self.got += len(item) if isinstance(item, list) else 0
            put(item)

        self.loop.link._put = counted  # type: ignore[method-assign] # the only place where all events pass
        gevent.spawn(self.loop.run)

    def taken(self) -> int:
        return self.got


class GreenswitchStored:
    """Bare greenswitch and one ORM save per event."""

    def __init__(self, port: int) -> None:
        set_up_django()
        logging.disable()
        from apps.conferences.models import Participant

        self.got = 0
        self.participants = Participant.objects
        self.esl = InboundESL("127.0.0.1", port, PASSWORD)
        self.esl.connect()
        self.esl.register_handle("conference::maintenance", self._handle)
        self.esl.send("event plain CUSTOM conference::maintenance")

    def _handle(self, event: Any) -> None:
        headers = event.headers
        participant = self.participants.get(pk=UUID(headers["Session-External-ID"]))
        participant.observed_muted = headers["Speak"] == "false"
        participant.observed_deaf = headers["Hear"] == "false"
        participant.observed_room = headers["Conference-Name"]
        participant.save()
        self.got += 1

    def taken(self) -> int:
        return self.got


KINDS: dict[tuple[str, str], type[OursParsed | OursObserved | GreenswitchParsed | OursStored | GreenswitchStored]] = {
    ("parse", "ours"): OursParsed,
    ("parse", "observed"): OursObserved,
    ("parse", "greenswitch"): GreenswitchParsed,
    ("store", "ours"): OursStored,
    ("store", "greenswitch"): GreenswitchStored,
}

if __name__ == "__main__":
    listener = KINDS[sys.argv[1], sys.argv[2]](int(sys.argv[3]))
    with contextlib.suppress(KeyboardInterrupt):
        answer_questions(
            {name: getattr(listener, name) for name in ("read", "taken") if hasattr(listener, name)}, read_line
        )
