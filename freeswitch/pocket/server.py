"""The Event Socket, inbound mode (mod_event_socket.c)."""

from __future__ import annotations

import asyncio
import hmac
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

from .events import NAMES, Event, EventBus, Format

log = logging.getLogger(__name__)

Execute = Callable[[str], Awaitable[str]]
"""Runs one API command line and returns its reply."""

BACKLOG_LIMIT: Final = 64 * 1024 * 1024
"""Bytes waiting for a client that does not read, beyond which it is cut off (FreeSWITCH: 100,000 events)."""
LARGEST_COMMAND: Final = 1024 * 1024
"""Bytes of one command with its headers."""
AUTHENTICATION_SECONDS: Final = 25.0
CLOSING_SECONDS: Final = 1.0
FAREWELL: Final = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


class Connection:
    """One client."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, password: str, bus: EventBus, execute: Execute
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._password = password
        self._bus = bus
        self._execute = execute
        self._format: Format = "plain"
        self._names: set[str] = set()
        self._subclasses: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Talk with the client until it leaves."""
        try:
            self._send("Content-Type: auth/request\n\n")
            async with asyncio.timeout(AUTHENTICATION_SECONDS):
                if not await self._authenticate():
                    return
            while await self._command():
                await self._writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("client gone: %r", error)
        finally:
            self._bus.listeners.discard(self._listen)
            self._writer.close()

    def hang_up(self) -> None:
        """End the connection once what waits for the client has gone out."""
        self._reader.feed_eof()

    def _send(self, text: str) -> None:
        self._writer.write(text.encode("utf-8", "surrogateescape"))

    def _reply(self, text: str, **headers: str) -> None:
        more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
        self._send(f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n")

    def _farewell(self) -> None:
        self._send(f"Content-Type: text/disconnect-notice\nContent-Length: {len(FAREWELL)}\n\n{FAREWELL}")

    async def _read(self) -> tuple[str, dict[str, str]]:
        """A command line and its headers."""
        block = (await self._reader.readuntil(b"\n\n")).decode("utf-8", "surrogateescape")
        lines = [line.rstrip("\r") for line in block.strip("\r\n").split("\n")]
        headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return lines[0], headers

    async def _authenticate(self) -> bool:
        """One try (mod_event_socket.c:2755)."""
        line, _ = await self._read()
        word, _, given = line.partition(" ")
        if word == "auth" and hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._password.encode()):
            self._reply("+OK accepted")
            return True
        log.warning("a client gave a wrong password")
        self._reply("-ERR invalid")
        self._farewell()
        return False

    async def _command(self) -> bool:
        """Obey one command; False when the client said goodbye."""
        line, headers = await self._read()
        word, _, rest = line.partition(" ")
        match word.lower():
            case "exit":
                self._reply("+OK bye")
                self._farewell()
                return False
            case "api":
                reply = (await self._execute(rest)) or "-ERR no reply\n"
                data = reply.encode("utf-8", "surrogateescape")
                self._send(f"Content-Type: api/response\nContent-Length: {len(data)}\n\n")
                self._writer.write(data)
            case "bgapi":
                job = headers.get("Job-UUID") or str(uuid.uuid4())
                self._reply(f"+OK Job-UUID: {job}", Job_UUID=job)
                task = asyncio.create_task(self._background(rest, job))
                self._jobs.add(task)
                task.add_done_callback(self._jobs.discard)
            case "event":
                self._reply(self._subscribe(rest.split()))
            case "nixevent":
                self._reply(self._unsubscribe(rest.split()))
            case "noevents":
                listening = bool(self._names)
                self._names.clear()
                self._subclasses.clear()
                self._reply("+OK no longer listening for events" if listening else "-ERR not listening for events")
            case _:
                log.error("unknown Event Socket command %r", word)
                self._reply("-ERR command not found")
        return True

    async def _background(self, line: str, job: str) -> None:
        reply = await self._execute(line)
        command, _, argument = line.partition(" ")
        headers = {"Job-UUID": job, "Job-Command": command}
        if argument:
            headers["Job-Command-Arg"] = argument
        self._bus.fire("BACKGROUND_JOB", headers, body=reply or "")

    def _subscribe(self, words: list[str]) -> str:
        if words and words[0].lower() in ("plain", "json", "xml"):
            chosen = words.pop(0).lower()
            if chosen == "xml":
                log.error("event-xml is not supported")
                return "-ERR xml is not supported by the pocket switch"
            self._format = "json" if chosen == "json" else "plain"
        names, subclasses = _selection(words)
        if not names:
            return "-ERR no keywords supplied"
        self._names |= names
        self._subclasses |= subclasses
        self._bus.listeners.add(self._listen)
        return f"+OK event listener enabled {self._format}"

    def _unsubscribe(self, words: list[str]) -> str:
        names, subclasses = _selection(words)
        if not names:
            return "-ERR no keywords supplied"
        self._subclasses -= subclasses
        self._names -= names - ({"CUSTOM"} if subclasses else set())
        return "+OK events nixed"

    def _listen(self, event: Event) -> None:
        if "ALL" not in self._names and event.name not in self._names:
            return
        if event.subclass and "ALL" not in self._names and event.subclass not in self._subclasses:
            return
        transport = self._writer.transport
        if transport.get_write_buffer_size() > BACKLOG_LIMIT:
            log.error("a client does not read its events: disconnected")
            self._bus.listeners.discard(self._listen)
            transport.abort()
            return
        self._writer.write(event.encoded(self._format))


def _selection(words: list[str]) -> tuple[set[str], set[str]]:
    """Event names, and the subclasses that follow CUSTOM (mod_event_socket.c:2495)."""
    names: set[str] = set()
    subclasses: set[str] = set()
    for word in words:
        if "CUSTOM" in names:
            subclasses.add(word)
        elif word.upper() in NAMES:
            names.add(word.upper())
        else:
            log.error("unknown event %r is ignored", word)
    return names, subclasses


class Listener:
    """The open Event Socket and everybody on it."""

    def __init__(self, password: str, bus: EventBus, execute: Execute) -> None:
        self._password = password
        self._bus = bus
        self._execute = execute
        self._server: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Event] = {}

    async def open(self, host: str, port: int) -> int:
        """Listen; the port, which the system chose if `port` is 0."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=LARGEST_COMMAND)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer, self._password, self._bus, self._execute)
        over = self._connections[connection] = asyncio.Event()
        try:
            await connection.serve()
        finally:
            del self._connections[connection]
            over.set()

    async def close(self) -> None:
        """Let what was sent go out, for a moment at most, and cut everybody off."""
        if self._server is not None:
            self._server.close()
        endings = [asyncio.ensure_future(over.wait()) for over in self._connections.values()]
        for connection in self._connections:
            connection.hang_up()
        if endings:
            await asyncio.wait(endings, timeout=CLOSING_SECONDS)
