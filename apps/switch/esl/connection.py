"""Connections to a switch, for gevent: greenswitch's InboundESL, hardened, and the two kinds that the project uses.

Two connections a switch, since an `api` command holds back the events of its own connection (mod_event_socket.c:2329):
EventConnection reads events, CommandConnection sends commands and asks for snapshots. An object lives for one
connection; whoever uses it makes a new one, with a pause that grows, after Disconnected.

Nothing here waits without a limit, nothing is dropped (a slow reader lets TCP hold the switch back), and what events
hold, keys and numbers among it, is never logged.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket as constants
import time
from collections import deque
from collections.abc import Sequence
from ipaddress import IPv4Address

import gevent
import msgspec
from gevent import socket
from gevent.event import Event as Signal
from gevent.lock import BoundedSemaphore
from gevent.queue import Empty, Full, Queue
from greenswitch.esl import InboundESL

from apps.switch.clock import ClockReading
from apps.switch.commands import Command
from apps.switch.esl.framing import Frame, Framer, ProtocolError
from apps.switch.esl.rendering import (
    CLOCK,
    CORE_UUID,
    LIST_LEGS,
    LIST_ROOMS,
    SUBSCRIBE,
    Question,
    UnsafeValue,
    authenticate,
    may_call,
    render,
)
from apps.switch.esl.translation import TranslationError, parse_snapshot, translate_all
from apps.switch.events import Event, Snapshot

logger = logging.getLogger(__name__)

RECEIVE_BYTES = 64 * 1024
# While more than that waits: fewer and larger reads cost the kernel less.
RECEIVE_MANY_BYTES = 1024 * 1024
# Received but unread chunks of events; with them, RECEIVE_MANY_BYTES bounds what one connection holds in memory.
BACKLOG_CHUNKS = 2
# HEARTBEAT comes every 20 s (switch_core.c:95): two may be late, not three.
HEARTBEAT_LIMIT = 50.0

# The last look at what is sent, behind the checks of rendering: lines with something in them and no control characters.
_COMMAND_RE = re.compile(r"[^\x00-\x1f\x7f]+(\n[^\x00-\x1f\x7f]+)*")
_MICROSECONDS_RE = re.compile(r"[0-9]{1,18}")


class Disconnected(Exception):  # noqa: N818 - a state that every user of a connection meets, named for what it says
    """There is no connection (any more); the text says why."""


class AuthenticationFailed(Disconnected):
    """The switch refuses the password or this address: trying again changes nothing until someone changes that."""


class CommandTimeout(Disconnected):
    """The switch was silent for too long with a command unanswered. Replies have no names, only an order: what comes
    later could be taken for the answer to another command, so the connection is given up."""


class Reply(msgspec.Struct, frozen=True):
    """What the switch said to one command: never a fact about the room, only whether it took the command."""

    ok: bool
    text: str


class _Pipeline:
    """The commands of one write that are not answered yet, and the replies so far."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = deque(texts)
        self.replies: list[Frame] = []
        self.over = Signal()


class HardenedESL(InboundESL):  # type: ignore[misc] # greenswitch has no types
    """greenswitch's client with its receiving, sending and life cycle replaced.

    Events are taken with `next_events` instead of handlers. `timeout` is the longest silence in seconds while something
    is awaited: for connecting and signing in together, and for each reply. `quiet_limit` is the longest silence at any
    time, None for no limit.
    """

    def __init__(
        self, host: str, port: int, password: str, timeout: float = 10.0, quiet_limit: float | None = None
    ) -> None:
        super().__init__(host, port, password, timeout)
        self.quiet_limit = quiet_limit
        self._receive_events_greenlet: gevent.Greenlet[..., None] | None = None
        self._framer = Framer()
        self._pipelines: deque[_Pipeline] = deque()
        self._write_lock = BoundedSemaphore()
        self._last_reply = 0.0
        self._esl_event_queue: Queue[list[bytes] | None] = Queue(maxsize=BACKLOG_CHUNKS)
        self._failure: Disconnected | None = None

    def connect(self) -> None:
        """Connect and sign in. Raises Disconnected, AuthenticationFailed; RuntimeError when used a second time."""
        if self._receive_events_greenlet is not None or self._failure is not None:
            raise RuntimeError("a connection object serves one connection: make a new one")
        limit = gevent.Timeout(self.timeout)
        try:
            with limit:
                self._open()
                self._auth_request_event.wait()
                self._check()
                self.authenticate()
        except OSError as error:
            self._abort(Disconnected(f"cannot connect: {error.strerror or type(error).__name__}"))
            raise self._why() from None
        except BaseException as error:
            self._abort(Disconnected(f"not signed in after {self.timeout} s"))
            if error is limit:
                raise self._why() from None
            raise

    def _open(self) -> None:
        self.sock = socket.create_connection((self.host, self.port))
        self._receive_events_greenlet = gevent.spawn(self.receive_events)
        self.connected = True
        self.sock.settimeout(self.quiet_limit)
        for level, option, value in (
            (constants.IPPROTO_TCP, constants.TCP_NODELAY, 1),
            (constants.SOL_SOCKET, constants.SO_KEEPALIVE, 1),
            (constants.IPPROTO_TCP, constants.TCP_KEEPIDLE, 15),
            (constants.IPPROTO_TCP, constants.TCP_KEEPINTVL, 5),
            (constants.IPPROTO_TCP, constants.TCP_KEEPCNT, 3),
        ):
            self.sock.setsockopt(level, option, value)

    def authenticate(self) -> None:
        reply = self.send(authenticate(self.password))
        if reply.headers.get("Reply-Text") != "+OK accepted":
            # The switch hangs up after its refusal, so the connection may be over by now for that lesser reason.
            raise AuthenticationFailed("the switch refuses the password")

    def receive_events(self) -> None:
        """The receiving greenlet: whatever goes wrong in it ends the connection, and everybody who waits is told."""
        try:
            size = RECEIVE_BYTES
            while data := self.sock.recv(size):
                size = RECEIVE_BYTES if len(data) < RECEIVE_BYTES else RECEIVE_MANY_BYTES
                self._take(data)
            lost = " in the middle of a message" if self._framer.unfinished else ""
            self._abort(Disconnected(f"the switch closed the connection{lost}"))
        except Disconnected as failure:
            self._abort(failure)
        except TimeoutError:
            self._abort(Disconnected(f"nothing came for {self.quiet_limit} s"))
        except OSError as error:
            self._abort(Disconnected(f"the connection broke: {error.strerror or type(error).__name__}"))
        except ProtocolError as error:
            self._abort(Disconnected(f"the switch does not keep to the protocol: {error}"))
        except Exception:
            logger.exception("The receiver of the switch at %s:%s failed", self.host, self.port)
            self._abort(Disconnected("the receiver failed"))

    def _take(self, data: bytes) -> None:
        events, frames = self._framer.feed(data)
        try:
            for frame in frames:
                self.handle_event(frame)
        finally:
            if events:
                self._esl_event_queue.put(events)  # waits while the reader is behind, and so does the switch

    def handle_event(self, event: Frame) -> None:
        """Take one frame that is no event: a reply, or a word about the connection."""
        match event.content_type:
            case "command/reply" | "api/response":
                self._take_reply(event)
            case "auth/request":
                self._auth_request_event.set()
            case "text/rude-rejection":
                raise AuthenticationFailed("the switch's access list refuses this address")
            case "text/disconnect-notice":
                raise Disconnected("the switch ended the connection")
            case other:
                logger.warning("Left out a message of a kind that was never asked for (%.40r)", other)

    def _take_reply(self, reply: Frame) -> None:
        if not self._pipelines:
            raise ProtocolError("a reply to nothing")
        pipeline = self._pipelines[0]
        if reply.headers.get("Job-UUID", "") not in pipeline.texts[0]:
            raise ProtocolError("a reply to another command")
        pipeline.texts.popleft()
        pipeline.replies.append(reply)
        self._last_reply = time.monotonic()
        if not pipeline.texts:
            self._pipelines.popleft().over.set()

    def send(self, data: str) -> Frame:
        """Send one command and return its reply. Raises Disconnected, CommandTimeout, UnsafeValue."""
        return self.pipeline([data])[0]

    def pipeline(self, texts: Sequence[str]) -> list[Frame]:
        """Send commands in one write and return their replies in order.

        Raises UnsafeValue before anything is sent; Disconnected or CommandTimeout, and any of them may have arrived.
        """
        if not all(map(_COMMAND_RE.fullmatch, texts)):
            raise UnsafeValue("command", "lines with something in them and no control characters")
        self._check()
        if not texts:
            return []
        pipeline = _Pipeline(texts)
        limit = gevent.Timeout(self.timeout)
        try:
            # The lock keeps the order of the queue the order of the writes, also when a write has to wait for TCP.
            with limit, self._write_lock:
                self._check()
                self._pipelines.append(pipeline)
                self.sock.sendall("".join(f"{text}\n\n" for text in texts).encode())
        except OSError as error:
            self._abort(Disconnected(f"the connection broke: {error.strerror or type(error).__name__}"))
            raise self._why() from None
        except BaseException as error:
            if error is limit or pipeline in self._pipelines:  # half a command may be out: nothing can follow it
                self._abort(CommandTimeout(f"not sent after {self.timeout} s"))
            if error is limit:
                raise self._why() from None
            raise
        self._await(pipeline)
        return pipeline.replies

    def _await(self, pipeline: _Pipeline) -> None:
        sent = time.monotonic()
        # A long pipeline may take longer than the limit as long as replies keep coming.
        while (left := max(sent, self._last_reply) + self.timeout - time.monotonic()) > 0:
            if pipeline.over.wait(left):
                break
        if pipeline.texts:
            self._abort(CommandTimeout(f"no reply for {self.timeout} s"))
            raise self._why()

    @property
    def idle(self) -> bool:
        """Whether no events wait to be taken."""
        return bool(self._esl_event_queue.empty())

    def next_events(self, timeout: float) -> list[bytes]:
        """The bodies of the next events, at least one, or none after `timeout` seconds.

        What came before the end of the connection is still handed out; after that raises Disconnected.
        """
        if self._failure is not None and self.idle:
            raise self._why()
        try:
            events: list[bytes] | None = self._esl_event_queue.get(timeout=timeout)
        except Empty:
            return []
        if events is None:
            raise self._why()
        return events

    def stop(self) -> None:
        """End the connection, at once and in any state."""
        self._abort(Disconnected("stopped"))
        if self._receive_events_greenlet is not None:
            self._receive_events_greenlet.kill(block=False)

    def _check(self) -> None:
        if not self.connected:
            raise self._why()

    def _why(self) -> Disconnected:
        # A new one for each who is told: an exception collects the traces of all who raise it.
        failure = self._failure or Disconnected("not connected")
        return type(failure)(*failure.args)

    def _abort(self, failure: Disconnected) -> None:
        """End the connection and tell everybody who waits on it. The first reason stays."""
        if self._failure is not None:
            return
        self._failure = failure
        self.connected = self._run = False
        while self._pipelines:
            self._pipelines.popleft().over.set()
        self._auth_request_event.set()
        with contextlib.suppress(Full):  # a full queue has no reader asleep
            self._esl_event_queue.put_nowait(None)
        if self._receive_events_greenlet is not None:
            self.sock.close()


class EventConnection:
    """The events of a switch, typed, in the order in which it sent them."""

    def __init__(self, host: str, port: int, password: str, timeout: float = 10.0) -> None:
        self._esl = HardenedESL(host, port, password, timeout, HEARTBEAT_LIMIT)
        self._bodies: list[bytes] = []
        self._untranslatable = 0

    def connect(self) -> None:
        """Connect, sign in, subscribe. Raises Disconnected, AuthenticationFailed."""
        self._esl.connect()
        reply = self._esl.send(SUBSCRIBE)
        if not reply.headers.get("Reply-Text", "").startswith("+OK"):
            self.stop()
            raise Disconnected("the switch refuses the subscription")

    def read_batch(self, max_events: int, timeout: float) -> list[Event]:
        """At most `max_events` events that have come, after waiting at most `timeout` seconds for the first.

        May be empty, also before the time is over (an event that is not used came). Raises Disconnected once all that
        came before the end has been read.
        """
        bodies = self._bodies
        try:
            if not bodies:
                bodies.extend(self._esl.next_events(timeout))
            while len(bodies) < max_events and not self._esl.idle:
                bodies.extend(self._esl.next_events(timeout))
        except Disconnected:
            if not bodies:
                raise
        taken, self._bodies = bodies[:max_events], bodies[max_events:]
        return translate_all(taken, self._count)

    def _count(self, error: TranslationError) -> None:
        self._untranslatable += 1
        if self._untranslatable & (self._untranslatable - 1) == 0:  # the 1st, 2nd, 4th, 8th …: a flood stays readable
            logger.warning("Left out an event that cannot be read, the %s. so far: %s", self._untranslatable, error)

    def stop(self) -> None:
        self._esl.stop()


class CommandConnection:
    """Sends commands in order, and asks for snapshots. May be used by several greenlets at a time."""

    def __init__(self, host: str, port: int, password: str, timeout: float = 10.0) -> None:
        self._esl = HardenedESL(host, port, password, timeout)

    def connect(self) -> None:
        """Connect and sign in. Raises Disconnected, AuthenticationFailed."""
        self._esl.connect()

    def send(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands in one write; returns one reply for each, in order.

        A command with a value that must not be sent is not sent and its reply says so; the others are. Raises
        Disconnected, or CommandTimeout when the switch stays silent: any of them may have arrived then.
        """
        rendered = [_rendered(command) for command in commands]
        frames = iter(self._esl.pipeline([text for texts in rendered if isinstance(texts, list) for text in texts]))
        return [
            texts if isinstance(texts, Reply) else _joined([reply_text(next(frames)) for _ in texts])
            for texts in rendered
        ]

    def core_uuid(self) -> str:
        """The name of this run of the switch; another one means that all calls and rooms are gone.

        Raises as `snapshot` does.
        """
        return _core(self._esl.send(CORE_UUID))

    def read_clock(self) -> ClockReading:
        """What the clock of the switch shows. Raises as `snapshot` does."""
        asked_at = time.time()
        told = reply_text(self._esl.send(CLOCK))
        answered_at = time.time()
        if not _MICROSECONDS_RE.fullmatch(told):
            raise TranslationError("the switch does not tell the time")
        return ClockReading(asked_at=asked_at, told=int(told) / 1e6, answered_at=answered_at)

    def snapshot(self) -> Snapshot:
        """All rooms and legs of the switch. Raises Disconnected, CommandTimeout, TranslationError."""
        asked_at = time.time()
        core, rooms, legs = self._esl.pipeline([CORE_UUID, LIST_ROOMS, LIST_LEGS])
        return parse_snapshot(_core(core), rooms.body, legs.body, asked_at, time.time())

    def ask(self, questions: Sequence[Question]) -> list[str]:
        """The answers, in order. Raises Disconnected, CommandTimeout."""
        return [reply_text(reply) for reply in self._esl.pipeline([f"api {question}" for question in questions])]

    def may_call(self, addresses: Sequence[IPv4Address]) -> bool:
        """Whether calls from each of these addresses are let in. Raises Disconnected, CommandTimeout."""
        replies = self._esl.pipeline([f"api {may_call(address)}" for address in addresses])
        return all(reply_text(reply) == "true" for reply in replies)

    def stop(self) -> None:
        self._esl.stop()


def _rendered(command: Command) -> list[str] | Reply:
    try:
        return render(command)
    except UnsafeValue as error:
        logger.error("Refused to send %s: %s", type(command).__name__, error)
        return Reply(False, f"-ERR refused: {error}")


def reply_text(reply: Frame) -> str:
    """What a reply says: `api` answers in the body, all else in a header."""
    if reply.content_type == "api/response":
        return reply.body.decode("utf-8", "replace").strip()
    return reply.headers.get("Reply-Text", "")


def _core(reply: Frame) -> str:
    text = reply_text(reply)
    if not text or text.startswith("-"):
        raise TranslationError("the switch does not tell its Core-UUID")
    return text


def _joined(texts: list[str]) -> Reply:
    text = "\n".join(texts)
    return Reply(not any(line.startswith("-") for line in text.split("\n")), text)
