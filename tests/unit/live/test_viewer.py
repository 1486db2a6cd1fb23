"""What reaches one socket, at once or later: always in order, and never with a gap."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from websockets.asyncio.client import connect

from apps.conferences.live.viewer import MOST_WAITING, Credentials, Viewer
from apps.core.websocket import SharedText, SharingProtocol

from .client import run


def a_viewer(send: Any, close: Any) -> Viewer:
    return Viewer(uuid4(), Credentials(uuid4(), "", ""), send, close)


class Wire:
    """A socket that takes frames, or makes them wait while it is `full`. `got` has what came through."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.closed: int | None = None
        self.latest = 0
        self.free = asyncio.Event()
        self.free.set()
        self.viewer = a_viewer(self.send, self.close)
        self.sender = asyncio.create_task(self.viewer.run(self.snapshot))

    async def send(self, frame: str) -> None:
        await self.free.wait()
        self.got.append(frame)

    async def close(self, code: int) -> None:
        self.closed = code

    async def snapshot(self, viewer: Viewer) -> str:
        viewer.seq = self.latest
        return f"snapshot {self.latest}"

    def happens(self) -> None:
        self.latest += 1
        if self.viewer.seq is not None:
            self.viewer.offer(f"{self.viewer.seq} {self.latest}", self.latest)

    async def settle(self) -> None:
        """Until the sender has nothing left that it can do."""
        done = -1
        while done != len(self.got):
            done = len(self.got)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def reached(self) -> int:
        """The number to which what came through leads; raises AssertionError at a gap."""
        seq = -1
        for frame in self.got:
            since, number = frame.split()
            assert since == "snapshot" or int(since) == seq, self.got
            seq = int(number)
        return seq


def test_a_frame_goes_out_before_whoever_offers_it_goes_on() -> None:
    async def scenario() -> None:
        wire = Wire()
        await wire.settle()
        wire.happens()
        wire.happens()
        wire.viewer.offer_talking("talking 2")
        assert wire.got == ["snapshot 0", "0 1", "1 2", "talking 2"]
        wire.sender.cancel()

    run(scenario())


@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_lost_or_overtaken_however_the_socket_stalls(seed: int) -> None:
    steps = {"happens": 6, "turn": 4, "full": 2, "free": 2, "snapshot": 1}
    chance = random.Random(seed)

    async def scenario() -> None:
        wire = Wire()
        for step in chance.choices(list(steps), list(steps.values()), k=100):
            match step:
                case "happens":
                    wire.happens()
                case "turn":
                    await asyncio.sleep(0)
                case "full":
                    wire.free.clear()
                case "free":
                    wire.free.set()
                case "snapshot":
                    wire.viewer.need_snapshot()
            wire.reached()
        wire.free.set()
        await wire.settle()
        assert wire.reached() == wire.latest
        wire.sender.cancel()

    run(scenario())


def test_what_a_full_socket_is_told_stays_small() -> None:
    async def scenario() -> None:
        wire = Wire()
        await wire.settle()
        wire.free.clear()
        for _ in range(3 * MOST_WAITING):
            wire.happens()
            wire.viewer.offer_talking("talking 0")
        await wire.settle()
        assert wire.got == ["snapshot 0"]
        wire.free.set()
        await wire.settle()
        # The one that had begun, and one snapshot in the place of the others.
        latest = str(wire.latest)
        assert wire.got == ["snapshot 0", "0 1", f"snapshot {latest}", "talking 0"]

    run(scenario())


def test_closing_sends_nothing_that_waits() -> None:
    async def scenario() -> None:
        wire = Wire()
        await wire.settle()
        wire.free.clear()
        wire.happens()
        wire.happens()
        await wire.settle()
        wire.viewer.end(4404)
        wire.happens()
        wire.free.set()
        await wire.sender
        assert (wire.got, wire.closed) == (["snapshot 0", "0 1"], 4404)

    run(scenario())


def test_a_socket_that_fails_ends_its_own_sender_and_nobody_elses() -> None:
    async def scenario() -> None:
        wire = Wire()
        await wire.settle()

        async def fail(frame: str) -> None:
            raise ConnectionError

        wire.viewer.send = fail
        for _ in range(3 * MOST_WAITING):
            wire.happens()
        with pytest.raises(ConnectionError):
            await wire.sender
        assert len(wire.viewer._queue) <= MOST_WAITING

    run(scenario())


def test_a_client_that_reads_no_more_is_told_all_when_it_reads_again() -> None:
    """With the server of production."""
    viewers: list[Viewer] = []

    async def snapshot(viewer: Viewer) -> str:
        viewer.seq = 0
        return "0 0"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        viewer = a_viewer(lambda text: send({"type": "websocket.send", "text": text}), None)
        await receive()
        await send({"type": "websocket.accept"})
        sender = asyncio.create_task(viewer.run(snapshot))
        viewers.append(viewer)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        sender.cancel()

    async def scenario() -> None:
        server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="error", ws=SharingProtocol))
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve([listener]))
        async with connect(f"ws://127.0.0.1:{listener.getsockname()[1]}/", compression=None) as client:
            assert await client.recv() == "0 0"
            [viewer] = viewers
            number = 0

            def happens() -> None:
                nonlocal number
                number += 1
                viewer.offer(SharedText(f"{number - 1} {number} {'x' * 50_000}"), number)

            while not viewer._busy.is_set():
                happens()
            for _ in range(MOST_WAITING):
                happens()
            assert len(viewer._queue) == MOST_WAITING
            for expected in range(1, number + 1):
                since, told, _ = str(await client.recv()).split()
                assert (int(since), int(told)) == (expected - 1, expected)
        server.should_exit = True
        await serving

    run(scenario())
