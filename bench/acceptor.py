"""The least that the switchboard takes for a switch: it says +OK to every command and does nothing. A child process.

Answers `port`, `reset`, and `wait` (for so many originates; when, by the monotonic clock, the last was answered).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping

PASSWORD = "bench"
CORE = "00000000-0000-4000-8000-00000000c04e"
OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"


def body(text: str) -> bytes:
    return f"Content-Type: api/response\nContent-Length: {len(text)}\n\n{text}".encode()


ANSWERS = {
    b"auth": b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n",
    b"api global_getvar core_uuid": body(CORE),
    b"api conference json_list": body("+OK No active conferences.\n"),
    b"api show channels as json": body('{"row_count":0}\n'),
    b"api sofia xmlstatus": body("<profiles></profiles>"),
    b"api sofia xmlstatus gateway": body("<gateways></gateways>"),
}


def answer(command: bytes, known: Mapping[bytes, bytes] = ANSWERS) -> bytes:
    if command == b"api strmicroepoch":
        return body(str(time.time_ns() // 1000))
    return known.get(b"auth" if command.startswith(b"auth") else command, OK)


class Switch:
    def __init__(self) -> None:
        self.originates = 0
        self.last = 0.0
        self.changed = asyncio.Event()

    async def wait(self, count: int) -> float:
        while self.originates < count:
            self.changed.clear()
            await self.changed.wait()
        return self.last

    def reset(self) -> None:
        self.originates = 0


class Connection(asyncio.Protocol):
    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"Content-Type: auth/request\n\n")

    def data_received(self, data: bytes) -> None:
        *commands, self.rest = (self.rest + data).split(b"\n\n")
        calls = 0
        answers = []
        for command in commands:
            if command.startswith(b"bgapi originate"):
                calls += 1
                answers.append(OK)
            else:
                answers.append(answer(command))
        self.transport.write(b"".join(answers))
        if calls:
            self.switch.originates += calls
            self.switch.last = time.monotonic()
            self.switch.changed.set()


async def main() -> None:
    switch = Switch()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(switch), "127.0.0.1", 0)
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        answer: object = None
        match question["what"]:
            case "port":
                answer = server.sockets[0].getsockname()[1]
            case "reset":
                switch.reset()
            case "wait":
                answer = await asyncio.wait_for(switch.wait(question["count"]), 60)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
