"""SIP messages (RFC 3261): read, checked and written. Standard library only.

Strict on purpose: what a browser's stack never sends (folded lines, compact names, several addresses in a header,
control characters) is refused, and so is whatever is larger than it needs to be.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

LARGEST_MESSAGE: Final = 65_536
"""Bytes. A browser's INVITE has some 3000 to 8000."""
MOST_HEADERS: Final = 64
LONGEST_LINE: Final = 4096

METHODS: Final = frozenset({"REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE"})
_VERSION: Final = "SIP/2.0"

_WORD = r"[A-Za-z0-9.!%*_+`'~-]{1,128}"
_REQUEST_LINE = re.compile(rf"(?P<method>{_WORD}) (?P<uri>\S+) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 (?P<status>[1-6]\d\d) (?P<phrase>.*)")
_HEADER = re.compile(rf"(?P<name>{_WORD})[ \t]*:[ \t]*(?P<value>.*)")
_URI = re.compile(
    r"sip:(?:(?P<user>[A-Za-z0-9_.!~*'()&=+$,?/%-]{1,128})@)?"
    r"(?P<host>[A-Za-z0-9.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>\d{1,5}))?"
    r"(?P<parameters>(?:;[^;<>\"\s]{1,256}){0,16})"
)
_ADDRESS = re.compile(
    r"(?:(?P<name>\"(?:[^\"\\]|\\.)*\"[ \t]*|[^\"<]*)<(?P<quoted>[^<>]+)>|(?P<bare>[^<>;\s]+))"
    r"(?P<parameters>(?:[ \t]*;[^;]*)*)"
)
_PARAMETER = re.compile(rf"(?P<name>{_WORD})(?:=(?P<value>\"(?:[^\"\\]|\\.)*\"|[^\s\";,]*))?")
_CSEQ = re.compile(r"(?P<number>\d{1,10})[ \t]+(?P<method>[A-Z]{1,32})")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class MessageError(Exception):
    """Not a message that this switch reads; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Uri:
    """`sip:user@host:port;parameters`, with the parameters as they were written."""

    user: str
    host: str
    port: str = ""
    parameters: str = ""

    @classmethod
    def parse(cls, text: str) -> Uri:
        match = _URI.fullmatch(text)
        if match is None:
            raise MessageError(f"not a SIP URI: {text[:80]!r}")
        return cls(match["user"] or "", match["host"], match["port"] or "", match["parameters"])

    def __str__(self) -> str:
        at, colon = "@" if self.user else "", ":" if self.port else ""
        return f"sip:{self.user}{at}{self.host}{colon}{self.port}{self.parameters}"


@dataclass(frozen=True, slots=True)
class Address:
    """What From, To and Contact hold: `"Name" <uri>;parameter=value`."""

    uri: Uri
    name: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Address:
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise MessageError(f"not an address: {text[:80]!r}")
        name = (match["name"] or "").strip()
        if name.startswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return cls(Uri.parse(match["quoted"] or match["bare"]), name, _parameters(match["parameters"]))

    @property
    def tag(self) -> str:
        return self.parameters.get("tag", "")

    def __str__(self) -> str:
        name = self.name.replace("\\", "\\\\").replace('"', '\\"')
        rest = "".join(f";{key}={value}" if value else f";{key}" for key, value in self.parameters.items())
        return f'"{name}" <{self.uri}>{rest}' if name else f"<{self.uri}>{rest}"


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        match = _PARAMETER.fullmatch(part)
        if match is None:
            raise MessageError(f"not a parameter: {part[:80]!r}")
        found[match["name"].lower()] = match["value"] or ""
    return found


class Message:
    """A request or a response. Headers keep their order; names are compared without regard to case."""

    def __init__(self, headers: Iterable[tuple[str, str]], body: str = "") -> None:
        self.headers = list(headers)
        self.body = body

    @property
    def start_line(self) -> str:
        raise NotImplementedError

    def get(self, name: str) -> str | None:
        """The first header of this name."""
        wanted = name.lower()
        return next((value for known, value in self.headers if known.lower() == wanted), None)

    def need(self, name: str) -> str:
        value = self.get(name)
        if not value:
            raise MessageError(f"no {name}")
        return value

    def address(self, name: str) -> Address:
        return Address.parse(self.need(name))

    @property
    def call_id(self) -> str:
        return self.need("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method."""
        match = _CSEQ.fullmatch(self.need("CSeq"))
        if match is None:
            raise MessageError("CSeq is not a number and a method")
        return int(match["number"]), match["method"]

    @property
    def transaction(self) -> tuple[str, str]:
        """What names it: the branch of the topmost Via, and the method."""
        return _parameters(self.need("Via").partition(";")[2]).get("branch", ""), self.cseq[1]

    def __str__(self) -> str:
        length = len(self.body.encode())
        lines = [self.start_line, *(f"{name}: {value}" for name, value in self.headers), f"Content-Length: {length}"]
        return "\r\n".join(lines) + "\r\n\r\n" + self.body


class Request(Message):
    def __init__(self, method: str, uri: Uri, headers: Iterable[tuple[str, str]], body: str = "") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    @property
    def start_line(self) -> str:
        return f"{self.method} {self.uri} {_VERSION}"

    def answer(
        self,
        status: int,
        phrase: str,
        headers: Iterable[tuple[str, str]] = (),
        body: str = "",
        tag: str = "",
    ) -> Response:
        """The response to it, with what ties the two together; `tag` is ours where the request has none for us."""
        tied = [(name, value) for name, value in self.headers if name.lower() in ("via", "from", "call-id", "cseq")]
        to = self.address("To")
        if not to.tag and status > 100:
            to = Address(to.uri, to.name, {**to.parameters, "tag": tag or new_tag()})
        return Response(status, phrase, [*tied, ("To", str(to)), *headers], body)


class Response(Message):
    def __init__(self, status: int, phrase: str, headers: Iterable[tuple[str, str]], body: str = "") -> None:
        super().__init__(headers, body)
        self.status = status
        self.phrase = phrase

    @property
    def start_line(self) -> str:
        return f"{_VERSION} {self.status} {self.phrase}"


def parse(text: str) -> Request | Response:
    """One whole message, as one WebSocket message carries it. Raises MessageError.

    What every request and response must have (Via, From, To, Call-ID, CSeq) is there, and can be read, afterwards.
    """
    if len(text) > LARGEST_MESSAGE:
        raise MessageError("too large")
    head, blank, body = text.partition("\r\n\r\n")
    if not blank:
        raise MessageError("no empty line after the headers")
    if _FORBIDDEN.search(head.replace("\r\n", "\n")):
        raise MessageError("control characters")
    first, *lines = head.split("\r\n")
    if len(lines) > MOST_HEADERS or any(len(line) > LONGEST_LINE for line in (first, *lines)):
        raise MessageError("too many or too long headers")
    headers = []
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise MessageError(f"not a header: {line[:80]!r}")
        headers.append((match["name"], match["value"].strip()))
    message = _start(first, headers, body)
    length = message.get("Content-Length")
    if length is not None and (not length.isdecimal() or int(length) != len(body.encode())):
        raise MessageError("Content-Length is not the body's")
    message.headers = [(name, value) for name, value in message.headers if name.lower() != "content-length"]
    _check(message)
    return message


def _start(line: str, headers: list[tuple[str, str]], body: str) -> Request | Response:
    if match := _STATUS_LINE.fullmatch(line):
        return Response(int(match["status"]), match["phrase"], headers, body)
    if match := _REQUEST_LINE.fullmatch(line):
        return Request(match["method"], Uri.parse(match["uri"]), headers, body)
    raise MessageError(f"neither a request nor a response: {line[:80]!r}")


def _check(message: Request | Response) -> None:
    message.address("To")
    if not message.address("From").tag:
        raise MessageError("From has no tag")
    _ = message.call_id
    _, method = message.cseq
    if not message.transaction[0]:
        raise MessageError("Via has no branch")
    if isinstance(message, Request) and method != message.method:
        raise MessageError("CSeq has another method")


def new_tag() -> str:
    return secrets.token_hex(8)


def new_branch() -> str:
    return f"z9hG4bK{secrets.token_hex(12)}"
