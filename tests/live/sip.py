"""A telephone made of sockets, for what no proper telephone does: it sends one request after the other and tells the
answers."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

PCMA, OPUS = "8 PCMA/8000", "96 opus/48000/2"
# Octets of key and salt (RFC 7714 §14.2); 30 in RFC 4568.
_KEY_LENGTHS = {"AEAD_AES_256_GCM": 44, "AEAD_AES_128_GCM": 28}


@dataclass(frozen=True, slots=True)
class Response:
    """The final answer to a request; `asked` is the status by which a password was asked for before, else 0."""

    status: int
    headers: dict[str, str]
    body: str
    asked: int = 0


def sdp(*suites: str, codec: str = PCMA) -> str:
    """An offer of one codec, with one SRTP key for each suite; without suites it is plain RTP."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    lines += [f"m=audio 49170 RTP/{'SAVP' if suites else 'AVP'} {codec.split()[0]}", f"a=rtpmap:{codec}"]
    for number, suite in enumerate(suites, 1):
        lines.append(f"a=crypto:{number} {suite} inline:{base64.b64encode(key(suite)).decode()}")
    return "".join(f"{line}\r\n" for line in lines)


def key(suite: str) -> bytes:
    """Key and salt of whoever is described by `sdp`."""
    return bytes(range(_KEY_LENGTHS.get(suite, 30)))


class Messages:
    """What comes over one connection, message by message."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._socket = connection
        self._rest = b""

    def read(self) -> tuple[str, dict[str, str], str]:
        """First line, headers by their names in small letters, body. Raises ConnectionError at the end."""
        while b"\r\n\r\n" not in self._rest.lstrip(b"\r\n"):
            self._receive()
        head, _, self._rest = self._rest.lstrip(b"\r\n").partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._rest) < length:
            self._receive()
        body, self._rest = self._rest[:length], self._rest[length:]
        return first, headers, body.decode()

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the other side closed the connection")
        self._rest += data


class Line:
    """One TLS connection to `server`; `source` is where it comes from."""

    def __init__(self, server: tuple[str, int], authority: Path, *, source: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._host = server[0]
        plain = socket.create_connection(server, timeout=10, source_address=source)
        self._socket = ssl.create_default_context(cafile=str(authority)).wrap_socket(plain, server_hostname=server[0])
        self._own = "{}:{}".format(*self._socket.getsockname())
        self._messages = Messages(self._socket)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def register(self, user: str, password: str | None, *, expires: int = 60, **headers: str) -> int:
        """The status of the answer; `user` is also who shall be called here, unless `To` says otherwise."""
        told = {"To": f"<sip:{user}@{self._host}>", "Expires": str(expires), **headers}
        return self.request("REGISTER", "", user=user, password=password, **told).status

    def request(
        self, method: str, to: str, *, user: str = "nobody", password: str | None = None, body: str = "", **headers: str
    ) -> Response:
        """Send it, with a digest when one is asked for and there is a password; the final answer.

        `to` is the user part of whom it is for; empty: the switch itself.
        """
        call, tag = uuid4().hex, uuid4().hex[:8]
        answer = self._send(method, to, user, call, tag, body, headers)
        if answer.status in (401, 407) and password is not None:
            name = "WWW-Authenticate" if answer.status == 401 else "Proxy-Authenticate"
            asked = answer.status
            proof = _digest(answer.headers[name.lower()], method, self._uri(to), user, password)
            field = "Authorization" if answer.status == 401 else "Proxy-Authorization"
            answer = self._send(method, to, user, call, tag, body, {**headers, field: proof})
            answer = replace(answer, asked=asked)
        return answer

    def _uri(self, to: str) -> str:
        return f"sip:{to}@{self._host}" if to else f"sip:{self._host}"

    def requests(self, seconds: float) -> list[str]:
        """The methods of what the other side asks within so long; it is not answered."""
        found = []
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                found.append(self._messages.read()[0].split()[0])
            except TimeoutError:
                break
        self._socket.settimeout(10)
        return found

    def _send(
        self, method: str, to: str, user: str, call: str, tag: str, body: str, headers: dict[str, str]
    ) -> Response:
        self._sequence += 1
        branch = uuid4().hex
        fields = {
            "Via": f"SIP/2.0/TLS {self._own};branch=z9hG4bK{branch}",
            "From": f"<sip:{user}@{self._host}>;tag={tag}",
            "To": f"<{self._uri(to)}>",
            "Call-ID": call,
            "CSeq": f"{self._sequence} {method}",
            "Contact": f"<sip:{user}@{self._own};transport=tls>",
            "Max-Forwards": "70",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if body:
            fields.setdefault("Content-Type", "application/sdp")
        fields["Content-Length"] = str(len(body.encode()))
        lines = [f"{method} {self._uri(to)} SIP/2.0", *(f"{name}: {value}" for name, value in fields.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        while True:
            answer = self._read()
            if answer.status >= 200:
                break
        if method == "INVITE":
            fields |= {"To": answer.headers["to"], "CSeq": f"{self._sequence} ACK", "Content-Length": "0"}
            lines = [f"ACK {self._uri(to)} SIP/2.0", *(f"{name}: {value}" for name, value in fields.items())]
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return answer

    def _read(self) -> Response:
        """The next response; requests of the other side are left unanswered."""
        while True:
            first, headers, body = self._messages.read()
            if first.startswith("SIP/2.0 "):
                return Response(int(first.split()[1]), headers, body)


def _digest(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    told = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    given = {
        "username": user,
        "realm": told["realm"],
        "nonce": told["nonce"],
        "uri": uri,
        "nc": "00000001",
        "cnonce": uuid4().hex,
        "qop": "auth",
    }
    quoted = ", ".join(f'{name}="{value}"' for name, value in given.items() if name not in ("nc", "qop"))
    proof = digest_response(given, method, password)
    return f'Digest {quoted}, algorithm=MD5, qop=auth, nc={given["nc"]}, response="{proof}"'


def digest_response(given: dict[str, str], method: str, password: str) -> str:
    """The response to what else a digest holds (RFC 2617 §3.2.2)."""
    first = _md5(f"{given['username']}:{given['realm']}:{password}")
    second = _md5(f"{method}:{given['uri']}")
    return _md5(f"{first}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{second}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
