"""SIP over WebSocket (RFC 7118): one message a frame, and requests of ours that wait for their answers."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .messages import LARGEST_MESSAGE, MessageError, Request, Response, parse

log = logging.getLogger(__name__)

SUBPROTOCOL: Final = Subprotocol("sip")
MOST_WAITING: Final = 256
"""Messages for a client that does not read, beyond which it is cut off."""
CLOSING_SECONDS: Final = 1.0

OnResponse = Callable[[Response], None]


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end; `protocol` is ws or wss, as sip_via_protocol has it."""

    host: str
    port: int
    protocol: str


class Connection:
    """One browser. A request of ours may get several responses, the last of which is final."""

    def __init__(self, socket: ServerConnection, protocol: str) -> None:
        host, port = socket.remote_address[:2]
        self.peer = Peer(host, port, protocol)
        self._socket = socket
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(MOST_WAITING)
        self._waiting: dict[tuple[str, str], OnResponse] = {}

    def send(self, message: Request | Response) -> None:
        """Put a message on its way. To a connection that is gone, or that does not read, it is lost."""
        try:
            self._outgoing.put_nowait(str(message))
        except asyncio.QueueFull:
            log.error("%s:%s does not read: disconnected", self.peer.host, self.peer.port)
            self._socket.transport.abort()

    def ask(self, request: Request, on_response: OnResponse) -> None:
        """Send a request of ours; `on_response` gets every response to it."""
        self._waiting[request.transaction] = on_response
        self.send(request)

    def answered(self, response: Response) -> None:
        """A response came: hand it to whoever waits for it."""
        on_response = self._waiting.get(response.transaction)
        if on_response is None:
            log.warning("a response that nobody waits for: %s", response.status)
            return
        if response.status >= 200:
            del self._waiting[response.transaction]
        on_response(response)

    async def write(self) -> None:
        """Send what was put on its way, as long as the connection lasts."""
        while True:
            await self._socket.send(await self._outgoing.get())
            self._outgoing.task_done()

    async def flush(self) -> None:
        """Wait until all of it has been sent."""
        await self._outgoing.join()


OnRequest = Callable[[Connection, Request], None]
OnClose = Callable[[Connection], None]


class SipListener:
    """The open WebSocket port. `on_request` gets every request that can be read."""

    def __init__(self, on_request: OnRequest, on_close: OnClose, tls: ssl.SSLContext | None) -> None:
        self._on_request = on_request
        self._on_close = on_close
        self._tls = tls
        self._server: Server | None = None
        self._connections: set[Connection] = set()

    @property
    def protocol(self) -> str:
        return "ws" if self._tls is None else "wss"

    async def open(self, host: str, port: int) -> int:
        """Listen; the port, which the system chose if `port` is 0."""
        self._server = await serve(
            self._serve,
            host,
            port,
            ssl=self._tls,
            subprotocols=[SUBPROTOCOL],
            max_size=LARGEST_MESSAGE,
            compression=None,
        )
        chosen: int = next(iter(self._server.sockets)).getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Let what was sent go out, for a moment at most, and cut everybody off."""
        flushing = [asyncio.create_task(connection.flush()) for connection in self._connections]
        if flushing:
            _, late = await asyncio.wait(flushing, timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close(1002, "the subprotocol is sip")
            return
        connection = Connection(socket, self.protocol)
        self._connections.add(connection)
        writing = asyncio.create_task(connection.write())
        try:
            async for text in socket:
                self._take(connection, text)
        except ConnectionClosed:
            log.debug("%s:%s is gone", connection.peer.host, connection.peer.port)
        finally:
            writing.cancel()
            self._connections.discard(connection)
            self._on_close(connection)

    def _take(self, connection: Connection, text: str | bytes) -> None:
        if isinstance(text, bytes):
            log.warning("a binary message from %s is ignored", connection.peer.host)
            return
        if not text.strip():
            return  # keep-alive (RFC 5626)
        try:
            message = parse(text)
            if isinstance(message, Request):
                self._on_request(connection, message)
            else:
                connection.answered(message)
        except MessageError as error:
            log.warning("a message from %s is ignored: %s", connection.peer.host, error)
