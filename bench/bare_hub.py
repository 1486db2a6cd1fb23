"""The limit: one process, picows, no rights and no database. What comes from a console or from Redis (on CHANNEL) goes
to all consoles as one prebuilt frame. A child process: it prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys

import redis.asyncio as redis
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

CHANNEL = "bench:bare"


class Hub:
    def __init__(self) -> None:
        self.seq = 0
        self.sockets: set[WSTransport] = set()

    def tell(self, changes: object) -> None:
        """One change to everybody."""
        document = {"type": "delta", "from": self.seq, "seq": self.seq + 1, "changes": changes}
        self.seq += 1
        frame = json.dumps(document, separators=(",", ":")).encode()
        for socket in self.sockets:
            socket.send(WSMsgType.TEXT, frame)

    async def listen(self, url: str) -> None:
        async with redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            async for message in pubsub.listen():
                self.tell(json.loads(message["data"])["changes"])


class Socket(WSListener):
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, b'{"type": "snapshot", "seq": %d}' % self.hub.seq)
        self.hub.sockets.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.hub.sockets.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        body = json.loads(frame.get_payload_as_bytes())["body"]
        self.hub.tell({"participants": {each: {"muted": True} for each in body["participants"]}})


def accept(hub: Hub, request: WSUpgradeRequest) -> Socket:
    return Socket(hub)


async def main(url: str) -> None:
    hub = Hub()
    server = await ws_create_server(lambda request: accept(hub, request), "127.0.0.1", 0)
    listening = asyncio.create_task(hub.listen(url))
    print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
    await listening


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
