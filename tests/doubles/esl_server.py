"""A scripted peer on the Event Socket: real TCP on loopback, in a greenlet, nothing patched.

A test says in a function what the peer does with one connection; what fails in that function fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import TracebackType
from urllib.parse import quote

import gevent
from gevent.server import StreamServer
from gevent.socket import socket

CORE = "5de7f590-6d7d-440e-b11b-1f3586d327a3"


class Peer:
    """The switch's end of one connection."""

    def __init__(self, sock: socket) -> None:
        self.sock = sock
        self._unread = b""

    def sign_in(self) -> None:
        self.write(b"Content-Type: auth/request\n\n")
        assert self.command() == "auth ClueCon"
        self.reply("+OK accepted")

    def command(self) -> str:
        """The next whole command, without its closing empty line. Raises ConnectionError at the end."""
        while b"\n\n" not in self._unread:
            data = self.sock.recv(1 << 20)
            if not data:
                raise ConnectionError("the client left")
            self._unread += data
        command, _, self._unread = self._unread.partition(b"\n\n")
        return command.decode()

    def reply(self, text: str, **headers: str) -> None:
        more = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
        self.write(f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n".encode())

    def answer(self, text: str) -> None:
        body = text.encode()
        self.write(b"Content-Type: api/response\nContent-Length: %d\n\n" % len(body) + body)

    def event(self, headers: Mapping[str, str], encoding: str, body: str = "") -> None:
        """Send an event as FreeSWITCH writes it, as `json` or as `plain`."""
        self.write(event_bytes(headers, encoding, body))

    def write(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait_for_end(self) -> None:
        """Stay until the client leaves."""
        while self.sock.recv(1 << 20):
            pass


def event_bytes(headers: Mapping[str, str], encoding: str, body: str = "") -> bytes:
    """switch_event_serialize (every value URL-encoded) or switch_event_serialize_json (the body as `_body`)."""
    length = {"Content-Length": str(len(body.encode()))} if body else {}
    if encoding == "json":
        whole = {**headers, **length, **({"_body": body} if body else {})}
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    else:
        quoted = {name: quote(value, safe="") for name, value in {**headers, **length}.items()}
        text = "".join(f"{name}: {value}\n" for name, value in quoted.items()) + "\n" + body
    data = text.encode()
    return b"Content-Length: %d\nContent-Type: text/event-%s\n\n" % (len(data), encoding.encode()) + data


class EslServer:
    """Listens on a free port and runs `script` for each connection; leaving it ends all of them."""

    def __init__(self, script: Callable[[Peer], None], host: str = "127.0.0.1") -> None:
        self._script = script
        self._failure: Exception | None = None
        self._server = StreamServer((host, 0), self._serve)

    @property
    def port(self) -> int:
        port = self._server.server_port
        assert port is not None
        return port

    def __enter__(self) -> EslServer:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop(timeout=0)
        if self._failure is not None and error is None:
            raise self._failure

    def _serve(self, sock: socket, address: tuple[str, int]) -> None:
        try:
            self._script(Peer(sock))
        except (OSError, gevent.GreenletExit):
            return  # the client left, or the test is over
        except Exception as error:
            self._failure = error
