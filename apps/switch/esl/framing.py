"""Incremental framing of the Event Socket: bytes in, frames out. Pure, no input or output of its own.

A frame is a block of `Name: value` lines, an empty line, and a body of Content-Length bytes when that header is there
(mod_event_socket.c, read_packet and switch_event_serialize_json). A body is bytes: it need not be UTF-8.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

MAX_HEADER_BLOCK = 64 * 1024
# `conference json_list` of 5,000 members is about 7 MB.
MAX_BODY = 64 * 1024 * 1024

_EVENT: tuple[str, dict[str, str]] = ("text/event-json", {})
# Header blocks of events are few, since only the length differs: so many, each of at most so many bytes, are read once.
KNOWN_HEADS, KNOWN_HEAD = 8192, 80


class ProtocolError(Exception):
    """The peer does not speak ESL, or exceeds a limit. The connection cannot go on: frame borders are lost."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One ESL message that is no event. Header values are as sent."""

    content_type: str
    headers: dict[str, str]
    body: bytes


class Received(NamedTuple):
    """What a piece of the stream completed: the bodies of event-json frames, and all other frames, each in order."""

    events: list[bytes]
    frames: list[Frame]


class Framer:
    """Cuts a byte stream into frames, whatever the sizes it arrives in.

    Holds at most one unfinished frame: MAX_HEADER_BLOCK or MAX_BODY bytes, and one chunk.
    """

    def __init__(self, max_header_block: int = MAX_HEADER_BLOCK, max_body: int = MAX_BODY) -> None:
        self._max_header_block = max_header_block
        self._max_body = max_body
        self._block = b""  # a header block of which the end is awaited
        self._head: tuple[str, dict[str, str]] | None = None  # read, the rest of its body is awaited
        self._length = 0
        self._body = bytearray()
        self._known: dict[bytes, int] = {}

    @property
    def unfinished(self) -> bool:
        """Whether the stream stands in the middle of a frame (an end of it now is a loss)."""
        return bool(self._block) or self._head is not None

    def feed(self, data: bytes) -> Received:
        """Take the next bytes of the stream. Raises ProtocolError."""
        events: list[bytes] = []
        frames: list[Frame] = []
        at = 0
        if (head := self._head) is not None:
            at = self._length - len(self._body)
            self._body += data[:at]
            if len(data) < at:
                return Received(events, frames)
            if head is _EVENT:
                events.append(bytes(self._body))
            else:
                frames.append(Frame(*head, bytes(self._body)))
            self._head, self._body = None, bytearray()
        # No end of a header block starts before the last byte of what was searched already.
        look = at or max(0, len(self._block) - 1)
        data, self._block = self._block + data, b""
        size, known = len(data), self._known
        while (end := data.find(b"\n\n", look)) >= 0:
            length = known.get(data[at:end])
            if length is not None:
                head = _EVENT
            elif block := data[at:end].strip(b"\n"):
                head, length = self._read(block)
            else:  # stray empty lines between frames carry nothing
                at = look = end + 2
                continue
            start = end + 2
            stop = start + length
            if stop > size:
                self._head, self._length, self._body = head, length, bytearray(data[start:])
                return Received(events, frames)
            if head is _EVENT:
                events.append(data[start:stop])
            else:
                frames.append(Frame(*head, data[start:stop]))
            at = look = stop
        self._block = data[at:]
        if len(self._block) > self._max_header_block:
            raise ProtocolError("header block too long")
        return Received(events, frames)

    def _read(self, block: bytes) -> tuple[tuple[str, dict[str, str]], int]:
        if len(block) > self._max_header_block:
            raise ProtocolError("header block too long")
        head, length = _read_head(block)
        if length > self._max_body:
            raise ProtocolError("body too long")
        if head is _EVENT and len(block) <= KNOWN_HEAD and len(self._known) < KNOWN_HEADS:
            self._known[block] = length
        return head, length


def _read_head(block: bytes) -> tuple[tuple[str, dict[str, str]], int]:
    # Split first; values are never unquoted, so that nothing in a value can become a header.
    lines = block.decode("utf-8", "replace").split("\n")
    headers = {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    length = headers.get("Content-Length", "0").encode()
    if not length.isdigit() or len(length) > 12:
        raise ProtocolError("Content-Length is no number")
    content_type = headers.get("Content-Type", "")
    return _EVENT if content_type == _EVENT[0] else (content_type, headers), int(length)
