"""A switch for the switchboard's own tests: takes every command, remembers it, and says what a test has it say."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from types import TracebackType
from uuid import UUID

import gevent

from apps.switch.esl.rendering import CLOCK, CORE_UUID, LIST_LEGS, LIST_ROOMS, Question
from tests.doubles.esl_server import CORE, EslServer, Peer

PROFILES = f"api {Question.PROFILES}"
GATEWAYS = f"api {Question.GATEWAYS}"


class Desk:
    """`answers` holds what it says to questions: at first, that its rooms are empty. `heard` are all other commands;
    `hears` is called with each of those as it comes. Its clock is `ahead` by so many seconds.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.hears: Callable[[str], object] = lambda command: None
        self.snapshots = 0
        self.ahead = 0.0
        self.answers: dict[str, str | Callable[[], str]] = {
            CORE_UUID: CORE,
            CLOCK: self._clock,
            LIST_ROOMS: "+OK No active conferences.",
            LIST_LEGS: '{"row_count":0}',
            PROFILES: "<profiles></profiles>",
            GATEWAYS: "<gateways></gateways>",
        }
        self._listeners: list[Peer] = []
        self._sequence = itertools.count(1)
        self._server = EslServer(self._serve)

    @property
    def port(self) -> int:
        return self._server.port

    def __enter__(self) -> Desk:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def tell(self, **headers: str) -> None:
        """An event to all who listen; underscores in names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        stamp = {"Core-UUID": CORE, "Event-Date-Timestamp": self._clock(), "Event-Sequence": str(next(self._sequence))}
        for peer in self._listeners:
            peer.event(stamp | named, "json")

    def _clock(self) -> str:
        return str(int((time.time() + self.ahead) * 1_000_000))

    def hang_up(self) -> None:
        """End every connection."""
        for peer in self._listeners:
            peer.sock.close()
        self._listeners.clear()

    def _serve(self, peer: Peer) -> None:
        peer.sign_in()
        while True:
            command = peer.command()
            if command.startswith("event "):
                self._listeners.append(peer)
                peer.reply("+OK event listener enabled json")
                continue
            self.snapshots += command == LIST_ROOMS
            if command in self.answers:
                answer = self.answers[command]
                peer.answer(answer if isinstance(answer, str) else answer())
                continue
            self.hears(command)
            self.heard.append(command)
            _, is_job, job = command.partition("\nJob-UUID: ")
            if is_job:
                peer.reply(f"+OK Job-UUID: {job}", Job_UUID=job)
            else:
                peer.answer("+OK")


def until(condition: Callable[[], object], what: str, seconds: float = 8.0) -> None:
    """Let the greenlets run until the condition holds."""
    with gevent.Timeout(seconds, AssertionError(f"waited in vain: {what}")):
        while not condition():
            gevent.sleep(0.01)


def listed(room: str, leg: UUID) -> str:
    """json_list of one room with one member, who is not muted."""
    flags = {"can_hear": True, "can_speak": True, "hold": False, "talking": False, "has_floor": False}
    member = {"id": 1, "uuid": str(leg), "volume_in": 0, "flags": flags | {"is_moderator": False}}
    return json.dumps([{"conference_name": room, "locked": False, "members": [member]}])
