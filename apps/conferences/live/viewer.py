"""One socket's place in the live feed: what it has been sent, what waits to be sent, and when it needs a snapshot."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from apps.conferences.actors import Actor

from . import eager
from .views import View

#: So many frames may wait for a slow socket. After that they are dropped, and it gets a snapshot when it can take one.
MOST_WAITING = 64


@dataclass(frozen=True, slots=True)
class Credentials:
    """What let this person in; `password` is the stored hash, since a change of password ends the session."""

    user: UUID
    session: str
    password: str


@dataclass(frozen=True, slots=True)
class GuestCredentials:
    """A guest has no session that could end before their part in the conference does: `user` is that participant."""

    user: UUID


Pass = Credentials | GuestCredentials


class Viewer:
    """`seq` is the number of the last delta in the queue or sent; None while a snapshot is due.

    `send` waits while the socket takes no more. `close` ends the socket with a code. Where nothing is ahead of a frame,
    whoever offers it also sends it; the task that runs `run` is woken only for what has to wait, or is better sent
    together.
    """

    def __init__(
        self,
        conference_id: UUID,
        credentials: Pass,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
    ) -> None:
        self.conference_id = conference_id
        self.credentials = credentials
        self.send = send
        self.close = close
        self.actor: Actor | None = None
        self.view = View.WAITING
        self.seq: int | None = None
        self._queue: deque[str] = deque()
        self._talking: str | None = None
        self._close_code: int | None = None
        self._due = True
        #: What is left of sending a frame that had to wait.
        self._begun: Awaitable[None] | None = None
        #: Set unless `run` waits for something to do.
        self._busy = asyncio.Event()
        self._busy.set()

    def need_snapshot(self) -> None:
        """Drop what waits: a snapshot says it all."""
        self._due = True
        self.seq = None
        self._queue.clear()
        self._busy.set()

    def offer(self, frame: str, seq: int, *, at_once: bool = True) -> None:
        """Send a frame that leads from `self.seq` to `seq`, after what waits. Not `at_once`: in a row with those that
        follow it, in a moment.
        """
        if at_once and not self._busy.is_set():
            self._send_at_once(frame)
        elif len(self._queue) < MOST_WAITING:
            self._queue.append(frame)
            self._busy.set()
        else:
            self.need_snapshot()
            return
        self.seq = seq

    def offer_aside(self, frame: str) -> None:
        """Send what has numbers of its own, after what waits. It is lost where too much waits, or a snapshot is due:
        the client asks for what it missed.
        """
        if not self._busy.is_set():
            self._send_at_once(frame)
        elif not self._due and len(self._queue) < MOST_WAITING:
            self._queue.append(frame)
            self._busy.set()

    def offer_talking(self, frame: str) -> None:
        """The latest is all that counts: one that was not sent yet is replaced."""
        if not self._busy.is_set():
            self._send_at_once(frame)
        else:
            self._talking = frame

    def end(self, code: int) -> None:
        """Close the socket, without sending what waits."""
        self._close_code = code
        self._busy.set()

    async def run(self, snapshot: Callable[[Viewer], Awaitable[str | None]]) -> None:
        """Send until the socket is closed. `snapshot` sets `actor`, `view` and `seq`, and returns the frame; None: no
        access any more.
        """
        while self._close_code is None:
            if self._begun is not None:
                begun, self._begun = self._begun, None
                await begun
            elif self._due:
                # Asked for again while this one is made, there will be another.
                self._due = False
                self._queue.clear()
                frame = await snapshot(self)
                if frame is None:
                    self._close_code = 4404
                else:
                    await self.send(frame)
            elif self._queue:
                await self.send(self._queue.popleft())
            elif self._talking is not None:
                frame, self._talking = self._talking, None
                await self.send(frame)
            else:
                self._busy.clear()
                await self._busy.wait()
        await self.close(self._close_code)

    def _send_at_once(self, frame: str) -> None:
        self._begun = eager.start(self.send(frame))
        if self._begun is not None:
            self._busy.set()
