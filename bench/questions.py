"""A process that asks like mod_xml_curl: a POST each, at given times, however long the answers take.

Argument: a file with the value of the header Authorization in its first line, then a question a line: its path, a word
that the right answer has in it, and its body, between spaces.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from bench.harness import answer_questions

#: Seconds after which mod_xml_curl waits no longer (xml_curl.conf.xml); the time of an answer that did not come.
LIMIT = 2.0


class Asker:
    def __init__(self, questions: list[tuple[str, bytes, bytes]], authorization: str) -> None:
        self._questions = questions
        self._next = 0
        self._authorization = authorization

    def ask(self, port: int, rate: float, seconds: float, judge: bool) -> list[float]:
        """The seconds from when each question was due until its answer was read whole. `judge`: the answers have to be
        right.
        """
        return asyncio.run(self._asking(port, rate, seconds, judge))

    async def _asking(self, port: int, rate: float, seconds: float, judge: bool) -> list[float]:
        loop = asyncio.get_running_loop()

        async def one(due: float, request: bytes, word: bytes) -> float:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if line)
            answer = await reader.readexactly(int(fields[b"content-length"]))
            took = loop.time() - due
            assert not judge or word in answer, answer
            writer.close()
            return took

        async def in_time(due: float, request: bytes, word: bytes) -> float:
            try:
                return await asyncio.wait_for(one(due, request, word), LIMIT)
            except TimeoutError:
                return LIMIT

        tasks, due, end = [], loop.time() + 0.1, loop.time() + 0.1 + seconds
        while due < end:
            path, word, body = self._questions[self._next % len(self._questions)]
            self._next += 1
            request = self._request(path, body)
            if (pause := due - loop.time()) > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(in_time(due, request, word)))
            due += random.expovariate(rate)
        return list(await asyncio.gather(*tasks))

    def _request(self, path: str, body: bytes) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: {self._authorization}",
            "User-Agent: freeswitch-xml/1.0",
            "Accept: */*",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


if __name__ == "__main__":
    first, *lines = Path(sys.argv[1]).read_bytes().splitlines()
    parts = (line.split(b" ", 2) for line in lines)
    answer_questions({"ask": Asker([(path.decode(), word, body) for path, word, body in parts], first.decode()).ask})
