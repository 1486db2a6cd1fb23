"""The two connections to a node: one that only listens, one that only commands.

Whatever breaks takes both down, and both come back together; each side says so in the `inbox`, so that the node's
loop has one place to look at.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent
from gevent.event import Event as Flag
from gevent.queue import Queue

from apps.switch.clock import SwitchClock
from apps.switch.commands import Command
from apps.switch.esl.connection import CommandConnection, Disconnected, EventConnection
from apps.switch.esl.translation import TranslationError
from apps.switch.events import Event, Snapshot

logger = logging.getLogger(__name__)

#: Batches of events that may wait for the loop; beyond it TCP pushes back.
INBOX = 64
BATCH = 500
BACKOFF = (0.2, 0.5, 1.0, 2.0)
#: Seconds after which a connection was a sound one: the next loss begins with the shortest pause again.
SOUND = 5.0
#: Seconds by which a switch's clock must have moved to be worth a word.
CLOCK_MOVED = 1.0


@dataclass(frozen=True, slots=True)
class Connected:
    core: str


@dataclass(frozen=True, slots=True)
class Gone:
    why: str


Item = Connected | Gone | Snapshot | list[Event]


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int
    password: str


class Link:
    """Keeps the connections up, and dates all that comes by this machine's clock. `wake` is set whenever the inbox has
    something, `hurry` when that should not wait: a flood, or another thing than events. `may_send` is asked before
    commands are sent. Another `address` may be set at any time: the link moves there.
    """

    def __init__(self, name: str, address: Address, wake: Flag, hurry: Flag, may_send: Callable[[], bool]) -> None:
        self.name, self.address, self.wake, self.hurry, self.may_send = name, address, wake, hurry, may_send
        self.inbox: Queue[Item] = Queue(maxsize=INBOX)
        self.clock = SwitchClock()
        self._work: Queue[Sequence[Command] | None] | None = None
        self._asking = False
        self._listener: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        self._listener = gevent.spawn(self._listen)

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.kill(timeout=2)

    def send(self, commands: Sequence[Command]) -> None:
        """Send after all that was given before. Without a connection nothing is sent: it is decided anew after the
        next snapshot.
        """
        if self._work is not None:
            self._work.put(commands)

    def ask_snapshot(self) -> None:
        """Ask for the whole truth, unless it is being asked for already."""
        if self._work is not None and not self._asking:
            self._asking = True
            self._work.put(None)

    def _put(self, item: Item) -> None:
        self.inbox.put(item)
        self.wake.set()
        if not isinstance(item, list) or len(item) >= BATCH:
            self.hurry.set()

    def _listen(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            try:
                why = self._live(self.address)
            except Disconnected as error:
                why = str(error)
            except Exception as error:  # whatever it is: a node without a link would be lost without a word
                why = repr(error)
                logger.exception("%s: the link failed", self.name)
            if time.monotonic() - began > SOUND:
                failures = 0
            if failures in (0, 10):
                logger.warning("%s: not connected: %s", self.name, why)
            self._put(Gone(why))
            gevent.sleep(BACKOFF[min(failures, len(BACKOFF) - 1)])
            failures += 1

    def _live(self, address: Address) -> str:
        """The life of one pair of connections; says why it ended, or raises it."""
        events = EventConnection(address.host, address.port, address.password)
        commands = CommandConnection(address.host, address.port, address.password)
        sender: gevent.Greenlet[..., None] | None = None
        try:
            events.connect()
            commands.connect()
            self.clock = SwitchClock()
            self._read_clock(commands)
            self._put(Connected(commands.core_uuid()))
            work = self._work = Queue()
            self._asking = False
            sender = gevent.spawn(self._send, commands, work)
            self.ask_snapshot()
            logger.info("%s: connected", self.name)
            while not sender.ready() and self.address == address:
                batch = events.read_batch(BATCH, timeout=1.0)
                if batch:
                    self._put(self.clock.dated(batch, time.time()))
            return "another address holds" if address != self.address else "the command connection broke"
        finally:
            self._work = None
            if sender is not None:
                sender.kill(block=False)
            events.stop()
            commands.stop()

    def _send(self, connection: CommandConnection, work: Queue[Sequence[Command] | None]) -> None:
        try:
            while True:
                commands = work.get()
                if commands is None:
                    self._asking = False  # what is wanted from now on may not be in this one
                    self._read_clock(connection)
                    self._put(connection.snapshot())
                elif self.may_send():
                    for command, reply in zip(commands, connection.send(commands), strict=True):
                        if not reply.ok:
                            logger.info("%s: %s: %s", self.name, type(command).__name__, reply.text)
        except (Disconnected, TranslationError) as error:
            logger.warning("%s: not answered: %s", self.name, error)

    def _read_clock(self, connection: CommandConnection) -> None:
        before = self.clock.offset
        self.clock.take(connection.read_clock())
        if abs(self.clock.offset - before) >= CLOCK_MOVED:
            logger.warning("%s: its clock is %+.1f s from this machine's", self.name, self.clock.offset)
