"""A process that asks like mod_xml_curl: a POST each, at given times, however long the answers take. Sockets and epoll,
so that it takes little of the processor from those who answer.

Argument: a file with the value of the header Authorization in its first line, then a question a line: its path, a word
that the right answer has in it, and its body, between spaces.
"""

from __future__ import annotations

import random
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.harness import answer_questions

#: Seconds after which mod_xml_curl waits no longer (xml_curl.conf.xml); the time of an answer that did not come.
LIMIT = 2.0
LONGEST = 64 * 1024


@dataclass
class Call:
    """A question on its way, and what came of its answer. `due` is by the monotonic clock."""

    socket: socket.socket
    request: bytes
    word: bytes
    due: float
    answer: bytes = b""

    @property
    def whole(self) -> bool:
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return False
        assert head.startswith(b"HTTP/1.1 200 "), head
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        return len(body) == int(fields[b"content-length"])


class Asker:
    def __init__(self, questions: list[tuple[bytes, bytes]]) -> None:
        self._questions = questions
        self._next = 0

    def ask(self, port: int, rate: float, seconds: float, judge: bool) -> list[float]:
        """The seconds from when each question was due until its answer was read whole. `judge`: the answers have to be
        right.
        """
        times: list[float] = []
        calls: dict[int, Call] = {}
        due = time.monotonic() + 0.1
        end = due + seconds
        with select.epoll() as poll:
            while due < end or calls:
                now = time.monotonic()
                if due < end and due <= now:
                    call = self._call(port, due)
                    calls[call.socket.fileno()] = call
                    poll.register(call.socket, select.EPOLLOUT)
                    due += random.expovariate(rate)
                    continue
                if calls and next(iter(calls.values())).due + LIMIT < now:
                    times.append(LIMIT)
                    calls.pop(next(iter(calls))).socket.close()
                    continue
                for number, _ in poll.poll(due - now if due < end else LIMIT):
                    call = calls[number]
                    if self._advance(call, poll):
                        times.append(time.monotonic() - call.due)
                        assert not judge or call.word in call.answer, call.answer
                        calls.pop(number).socket.close()
        return times

    def _call(self, port: int, due: float) -> Call:
        request, word = self._questions[self._next % len(self._questions)]
        self._next += 1
        each = socket.socket()
        each.setblocking(False)
        each.connect_ex(("127.0.0.1", port))
        return Call(each, request, word, due)

    def _advance(self, call: Call, poll: select.epoll) -> bool:
        """Go on where the socket is ready; whether the answer is whole."""
        if call.request:
            call.request = call.request[call.socket.send(call.request) :]
            poll.modify(call.socket, select.EPOLLOUT if call.request else select.EPOLLIN)
            return False
        data = call.socket.recv(LONGEST)
        assert data, "the server closed before it had answered"
        call.answer += data
        return call.whole


def request(authorization: bytes, path: bytes, body: bytes) -> bytes:
    lines = [
        b"POST %s HTTP/1.1" % path,
        b"Host: 127.0.0.1",
        b"Authorization: " + authorization,
        b"User-Agent: freeswitch-xml/1.0",
        b"Accept: */*",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: %d" % len(body),
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


if __name__ == "__main__":
    first, *lines = Path(sys.argv[1]).read_bytes().splitlines()
    parts = (line.split(b" ", 2) for line in lines)
    answer_questions({"ask": Asker([(request(first, path, body), word) for path, word, body in parts]).ask})
