"""A client of the live feed for tests: it keeps its state as docs/api.md tells clients to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.test import Client

from apps.accounts.models import User
from sparkle.asgi import application

Document = dict[str, Any]
PATIENCE = 10.0
_KINDS = ("participants", "whispers", "announcements")


def state_of(snapshot: Document) -> Document:
    """A snapshot as state: objects by id, without numbers and what is not of the conference."""
    return {
        "conference": snapshot["conference"],
        **{kind: {each["id"]: each for each in snapshot[kind]} for kind in _KINDS},
    }


def apply(state: Document, changes: Document) -> None:
    """What a client does with the changes of a delta."""
    state["conference"].update(changes.get("conference", {}))
    for kind in _KINDS:
        for key, fields in changes.get(kind, {}).items():
            if fields is None:
                state[kind].pop(key, None)
            else:
                state[kind].setdefault(key, {}).update(fields)


def session_cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


async def in_thread(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await database_sync_to_async(call, thread_sensitive=False)(*args, **kwargs)


class LiveClient:
    def __init__(self, conference_id: UUID, session: str | None, *headers: tuple[bytes, bytes]) -> None:
        cookie = [(b"cookie", f"sessionid={session}".encode())] if session else []
        communicator: Any = ApplicationCommunicator  # it has no types
        self.socket = communicator(
            application,
            {
                "type": "websocket",
                "path": f"/ws/conferences/{conference_id}/",
                "query_string": b"",
                "headers": [(b"host", b"localhost"), *cookie, *headers],
                "client": ["127.0.0.1", 5],
                "subprotocols": [],
            },
        )
        self.state: Document = {}
        self.seq = -1
        self.snapshot: Document = {}
        self.snapshots = 0
        self.deltas = 0

    async def connect(self) -> None:
        await self.socket.send_input({"type": "websocket.connect"})
        assert (await self.socket.receive_output(timeout=PATIENCE))["type"] == "websocket.accept"

    async def disconnect(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(timeout=PATIENCE)

    async def send(self, document: Any) -> None:
        await self.send_text(json.dumps(document))

    async def send_text(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def next(self) -> Document:
        """The next message, applied to `state`. Raises AssertionError when the socket is closed instead."""
        event = await self.socket.receive_output(timeout=PATIENCE)
        assert event["type"] == "websocket.send", event
        message: Document = json.loads(event["text"])
        if message["type"] == "snapshot":
            self.snapshot, self.state, self.seq = message, state_of(message), message["seq"]
            self.snapshots += 1
        elif message["type"] == "delta":
            assert message["from"] == self.seq, (message, self.seq)
            apply(self.state, message["changes"])
            self.seq = message["seq"]
            self.deltas += 1
        return message

    async def until(self, condition: Callable[[Document], bool]) -> Document:
        """Take messages until one fits."""
        while True:
            message = await self.next()
            if condition(message):
                return message

    async def until_seq(self, seq: int) -> None:
        while self.seq < seq:
            await self.next()

    async def closed(self) -> int:
        """The code with which the server closes, whatever it sends before."""
        while True:
            event = await self.socket.receive_output(timeout=PATIENCE)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def act(self, action: str, body: Document) -> tuple[int, Document]:
        await self.send({"type": "action", "id": "1", "action": action, "body": body})
        answer = await self.until(lambda message: message["type"] == "result")
        return answer["status"], answer["body"]


@asynccontextmanager
async def watching(user: User, conference_id: UUID) -> AsyncIterator[LiveClient]:
    """A client that is signed in and has its snapshot."""
    client = LiveClient(conference_id, await in_thread(session_cookie, user))
    await client.connect()
    await client.until(lambda message: message["type"] == "snapshot")
    try:
        yield client
    finally:
        await client.disconnect()


def run(scenario: Any) -> None:
    asyncio.run(scenario)
