"""Many consoles on one server: WebSocket clients in one process (picows), so that one clock measures all. A child.

`python -m bench.consoles URL KEYS`: KEYS is a file of session keys, a line each, one for each console. Answers `open`
(so many in all), `click` (the first console acts; seconds until the last console has been told), `told` (seqs and
counts), `wait` (until everybody has been told of a number) and `drop` (all at once, without a word).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

#: Connections that are being opened at a time.
OPENING = 20
PATIENCE = 60.0


class Console(WSListener):
    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.seq = -1
        self.frames = 0
        self.gaps = 0
        self.snapshots = 0
        self.known = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        text = frame.get_payload_as_bytes()
        if text.startswith(b'{"type":"delta"'):
            since, seq = number(text, b'"from":'), number(text, b'"seq":')
            self.frames += 1
            if since != self.seq:
                self.gaps += 1
            self.seq = seq
            self.fleet.told(seq)
        elif text.startswith(b'{"type": "snapshot"'):
            self.snapshots += 1
            self.seq = number(text, b'"seq": ')
            self.known.set()
            self.fleet.told(self.seq)


def number(text: bytes, name: bytes) -> int:
    at = text.index(name) + len(name)
    end = at
    while text[end] in b"-0123456789":
        end += 1
    return int(text[at:end])


class Fleet:
    def __init__(self, url: str, keys: list[str]) -> None:
        self.url, self.keys = url, keys
        self.consoles: list[Console] = []
        self.target = sys.maxsize
        self.missing = 0
        self.reached: asyncio.Future[float] | None = None

    def told(self, seq: int) -> None:
        if seq >= self.target:
            self.missing -= 1
            if self.missing == 0 and self.reached is not None and not self.reached.done():
                self.reached.set_result(time.monotonic())

    async def open(self, count: int) -> int:
        gate = asyncio.Semaphore(OPENING)

        async def one(key: str) -> Console:
            async with gate:
                _, console = await ws_connect(
                    lambda: Console(self),
                    self.url,
                    extra_headers={"Cookie": f"sessionid={key}"},
                    websocket_handshake_timeout=PATIENCE,
                )
                assert isinstance(console, Console)
                await asyncio.wait_for(console.known.wait(), PATIENCE)
                return console

        self.consoles += await asyncio.gather(*(one(key) for key in self.keys[len(self.consoles) : count]))
        return len(self.consoles)

    async def click(self, action: str, body: dict[str, Any]) -> float:
        self._await(max(console.seq for console in self.consoles) + 1)
        message = json.dumps({"type": "action", "id": "1", "action": action, "body": body}).encode()
        began = time.monotonic()
        self.consoles[0].transport.send(WSMsgType.TEXT, message)
        assert self.reached is not None
        return await asyncio.wait_for(self.reached, PATIENCE) - began

    async def wait(self, seq: int) -> float:
        """When, by the monotonic clock, the last was told of `seq` or more."""
        self._await(seq)
        assert self.reached is not None
        return await asyncio.wait_for(self.reached, PATIENCE)

    def _await(self, seq: int) -> None:
        self.reached = asyncio.get_running_loop().create_future()
        self.missing = sum(console.seq < seq for console in self.consoles)
        self.target = seq
        if not self.missing:
            self.reached.set_result(time.monotonic())

    async def count(self) -> dict[str, int]:
        return {
            "frames": sum(each.frames for each in self.consoles),
            "gaps": sum(each.gaps for each in self.consoles),
            "snapshots": sum(each.snapshots for each in self.consoles),
            "lowest": min(each.seq for each in self.consoles),
        }

    async def drop(self) -> None:
        for console in self.consoles:
            console.transport.disconnect(graceful=False)
        self.consoles.clear()


async def main(url: str, keys: str) -> None:
    fleet = Fleet(url, Path(keys).read_text().split())
    answers: dict[str, Callable[..., Awaitable[Any]]] = {
        "open": fleet.open,
        "click": fleet.click,
        "wait": fleet.wait,
        "count": fleet.count,
        "drop": fleet.drop,
    }
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        answer = await answers[question.pop("what")](**question)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
