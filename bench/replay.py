"""An event socket that sends prepared events as fast as they are taken. A child process.

Answers `port`, `subscribed` (whether somebody listens, not to gateways only) and `blast` (so many events of these
actions, to the listener; when it began and ended, and the bytes).
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from typing import Any

from bench import stream
from bench.acceptor import ANSWERS, answer, body
from bench.harness import answer_questions

#: Events of a prepared block: enough that numbering them anew costs little.
BLOCK = 20_000


class Switch:
    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.answers = ANSWERS | {
            b"api conference json_list": body(stream.rooms()),
            b"api show channels as json": body(stream.channels()),
        }
        self.listener: socket.socket | None = None
        self.form = ""
        self.sequence = 10**11  # no leading zeros: numbers have none
        self.blocks: dict[tuple[Any, ...], stream.Block] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def port(self) -> int:
        return int(self.server.getsockname()[1])

    def _accept(self) -> None:
        while True:
            connection, _ = self.server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.sendall(b"Content-Type: auth/request\n\n")
        rest = b""
        while data := _received(connection):
            *commands, rest = (rest + data).split(b"\n\n")
            for command in commands:
                connection.sendall(answer(command, self.answers))
                if command.startswith(b"event ") and b"sofia::gateway_state" not in command:
                    self.form = command.split()[1].decode()
                    self.listener = connection
        if self.listener is connection:
            self.listener = None
        connection.close()

    def blast(self, actions: list[str], count: int) -> dict[str, float]:
        assert self.listener is not None
        size = min(count, BLOCK)
        key = (*actions, size, self.form)
        if key not in self.blocks:
            self.blocks[key] = stream.Block(actions, size, self.form)
        block = self.blocks[key]
        began = time.monotonic()
        for part in itertools.islice(stream.numbered(block, count // size, self.sequence), count // size):
            self.listener.sendall(part)
        self.sequence += count
        return {"began": began, "ended": time.monotonic(), "bytes": block.size * count}

    def subscribed(self) -> bool:
        return self.listener is not None


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except OSError:
        return b""


if __name__ == "__main__":
    switch = Switch()
    answer_questions({"port": switch.port, "subscribed": switch.subscribed, "blast": switch.blast})
