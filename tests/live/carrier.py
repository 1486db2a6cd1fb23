"""A carrier made of sockets: a SIP server over TLS that takes registrations and calls, or does not."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.live.sip import PCMA, Messages, digest_response, sdp

REALM = "carrier.example"


@dataclass(frozen=True, slots=True)
class Invite:
    """A call that came: what was dialled, and the headers."""

    number: str
    headers: dict[str, str]


@dataclass(slots=True)
class Carrier:
    """Serves until it is left. `answer` is the status of each call, `asked` that of OPTIONS; an account has to sign in
    with `password`. `certificate` is a PEM file with certificate and key.
    """

    certificate: Path
    answer: int = 200
    asked: int = 200
    password: str = "carrier-password"
    calls: list[Invite] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)  # contacts, in the order in which they signed in
    ended: int = 0
    _server: socket.socket = field(init=False)
    _context: ssl.SSLContext = field(init=False)
    _connections: list[ssl.SSLSocket] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, name="carrier", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Gone: whoever calls is refused the connection."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            connection.close()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
                secure = self._context.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            self._connections.append(secure)
            threading.Thread(target=self._serve, args=(secure,), name="carrier's line", daemon=True).start()

    def _serve(self, connection: ssl.SSLSocket) -> None:
        messages = Messages(connection)
        try:
            while True:
                first, headers, body = messages.read()
                if not first.startswith("SIP/2.0"):
                    self._take(connection, first, headers, body)
        except (OSError, ValueError):
            return

    def _take(self, connection: ssl.SSLSocket, first: str, headers: dict[str, str], body: str) -> None:
        method, uri, _ = first.split()
        match method:
            case "REGISTER":
                self._register(connection, headers)
            case "OPTIONS":
                _reply(connection, headers, self.asked)
            case "INVITE":
                number = re.match(r"sips?:([^@;]*)@", uri)
                self.calls.append(Invite(number[1] if number else "", headers))
                _reply(connection, headers, self.answer, self.take_call(body) if self.answer == 200 else "")
            case "BYE":
                self.ended += 1
                _reply(connection, headers, 200)
            case "ACK":
                pass
            case _:
                _reply(connection, headers, 200)

    def take_call(self, offer: str) -> str:
        """The answer to a call's offer."""
        told, suite = answer_to(offer)
        assert suite, "the offer does not encrypt"
        return told

    def _register(self, connection: ssl.SSLSocket, headers: dict[str, str]) -> None:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', headers.get("authorization", "")))
        if not given or digest_response(given, "REGISTER", self.password) != given.get("response"):
            challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="0123456789", algorithm=MD5, qop="auth"'
            _reply(connection, headers, 403 if given else 401, extra=challenge)
            return
        if headers.get("expires") != "0":
            self.registered.append(headers["contact"])
        _reply(connection, headers, 200, extra=f"Contact: {headers['contact']};expires={headers.get('expires', '60')}")


def _reply(connection: ssl.SSLSocket, headers: dict[str, str], status: int, body: str = "", extra: str = "") -> None:
    to = headers["to"] if ";tag=" in headers["to"] else f"{headers['to']};tag=carrier"
    host = connection.getsockname()
    lines = [
        f"SIP/2.0 {status} As told",
        f"Via: {headers['via']}",
        f"From: {headers['from']}",
        f"To: {to}",
        f"Call-ID: {headers['call-id']}",
        f"CSeq: {headers['cseq']}",
        *([extra] if extra else [f"Contact: <sip:carrier@{host[0]}:{host[1]};transport=tls>"]),
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def answer_to(offer: str, codec: str = PCMA) -> tuple[str, str]:
    """This codec with the first suite that is offered; the answer and the suite, "" where none is."""
    crypto = re.search(r"^a=crypto:(\d+) (\S+) ", offer, re.M)
    if crypto is None:
        return sdp(codec=codec), ""
    return sdp(crypto[2], codec=codec).replace("a=crypto:1 ", f"a=crypto:{crypto[1]} "), crypto[2]
