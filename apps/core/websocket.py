"""WebSockets under uvicorn, for texts that go to many: the frame on the wire (RFC 6455 §5.2) is made once, not once for
each socket.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class SharedText(str):
    """A text that is sent to many sockets. For a server that knows nothing of it, a text like any other."""

    @cached_property
    def frame(self) -> bytes:
        """The text in one frame, neither masked nor compressed: a message need not be, also if agreed (RFC 7692 §6)."""
        return Frame(Opcode.TEXT, self.encode()).serialize(mask=False)


class SharingProtocol(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, but that it writes the frame of a SharedText as it is (`uvicorn --ws`)."""

    async def send(self, message: ASGISendEvent) -> None:
        text = message.get("text")
        if type(text) is not SharedText or self.conn.state is not State.OPEN:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(text.frame)
