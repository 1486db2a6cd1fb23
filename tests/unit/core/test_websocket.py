"""Texts for many sockets reach each of them as they are, whatever the client asked for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from websockets.asyncio.client import connect

from apps.core.websocket import SharedText, SharingProtocol

TEXTS = ["", "x" * 125, "x" * 126, "讲话" * 30_000]


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="error", ws=SharingProtocol))
    listener = socket.create_server(("127.0.0.1", 0))
    running = asyncio.create_task(server.serve([listener]))
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    await running


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_shared_and_other_texts_arrive_in_order(compression: str | None) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for text in TEXTS:
            await send({"type": "websocket.send", "text": SharedText(text)})
            await send({"type": "websocket.send", "text": text})
        await send({"type": "websocket.close"})

    async def scenario() -> None:
        async with serving(application) as url, connect(url, compression=compression) as client:
            assert [each async for each in client] == [text for text in TEXTS for _ in range(2)]

    asyncio.run(scenario())


def test_its_frame_is_made_once() -> None:
    text = SharedText("讲话")
    assert text.frame is text.frame
    assert text.frame == b"\x81\x06" + "讲话".encode()


def test_whoever_sends_to_a_socket_that_is_gone_is_told() -> None:
    told: list[type[BaseException]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        for text in ("plain", SharedText("shared")):
            try:
                await send({"type": "websocket.send", "text": text})
            except Exception as error:
                told.append(type(error))

    async def scenario() -> None:
        async with serving(application) as url, connect(url):
            pass

    asyncio.run(scenario())
    assert told == [ClientDisconnected, ClientDisconnected]
