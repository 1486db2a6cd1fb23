"""A plain Event Socket client: blocking, one thread, nothing of the project in it but for the last step to types."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Headers = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    headers: dict[str, str]
    body: str

    @property
    def text(self) -> str:
        """What was answered: the body of an API reply, the Reply-Text of any other."""
        return self.body if self.body else self.headers.get("Reply-Text", "")


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as it came: its body, and its headers decoded."""

    body: bytes
    headers: Headers


class Client:
    """One connection. Events wait in `events` until a test takes them."""

    def __init__(self, host: str, port: int, password: str | None) -> None:
        self._socket = socket.create_connection((host, port), timeout=20)
        self._buffer = b""
        self.events: list[Seen] = []
        greeting = self.read()
        assert greeting.headers == {"Content-Type": "auth/request"}
        if password is not None:
            assert self.send(f"auth {password}").text == "+OK accepted"

    def send(self, command: str) -> Reply:
        """Send one command (its lines, without the closing empty one) and wait for its reply."""
        self._socket.sendall(command.encode() + b"\n\n")
        while True:
            reply = self.read()
            if reply.headers.get("Content-Type") in ("command/reply", "api/response"):
                return reply

    def api(self, command: str) -> str:
        return self.send(f"api {command}").body

    def read(self) -> Reply:
        """The next frame; an event also goes to `events`. Raises ConnectionError at the end."""
        while b"\n\n" not in self._buffer:
            self._receive()
        head, _, self._buffer = self._buffer.partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().strip("\n").split("\n"))
        length = int(headers.get("Content-Length", 0))
        while len(self._buffer) < length:
            self._receive()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        if headers.get("Content-Type") == "text/event-json":
            self.events.append(Seen(body, json.loads(body)))
        return Reply(headers, body.decode())

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the switch closed the connection")
        self._buffer += data

    def take(self, matches: Callable[[Seen], bool], what: str, seconds: float = 10) -> Seen:
        """The first event that matches, waiting for it if need be; it is taken out, the others stay."""
        deadline = time.monotonic() + seconds
        checked = 0
        while True:
            for index in range(checked, len(self.events)):
                if matches(self.events[index]):
                    return self.events.pop(index)
            checked = len(self.events)
            self._read_before(deadline, what)

    def settle(self, seconds: float) -> None:
        """Read whatever comes for so long: for what must not come."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._read_before(deadline, "")
        except AssertionError:
            pass

    def _read_before(self, deadline: float, what: str) -> None:
        if b"\n\n" not in self._buffer:
            left = deadline - time.monotonic()
            seen = [(e.headers.get("Event-Name"), e.headers.get("Action")) for e in self.events[-12:]]
            assert left > 0, f"waited in vain: {what}; last seen: {seen}"
            self._socket.settimeout(left)
            try:
                self._receive()
            except TimeoutError:
                return
            finally:
                self._socket.settimeout(20)
        self.read()

    def close(self) -> None:
        self._socket.close()
