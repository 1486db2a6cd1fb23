"""Incremental framing of the Event Socket: bytes in, frames out. Pure, no input or output of its own.

A frame is a block of `Name: value` lines, an empty line, and a body of Content-Length bytes when that header is there
(mod_event_socket.c, read_packet and switch_event_serialize_json). A body is bytes: it need not be UTF-8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

MAX_HEADER_BLOCK = 64 * 1024
# `conference json_list` of 5,000 members is about 7 MB.
MAX_BODY = 64 * 1024 * 1024

# FreeSWITCH writes the two headers of an event in just this form and order (mod_event_socket.c:1441); any other form
# takes the general way below. Stray empty lines between frames carry nothing.
_EVENT_HEAD = re.compile(rb"\n*Content-Length: (\d{1,12})\nContent-Type: text/event-json\n\n").match
_EVENT: tuple[str, dict[str, str]] = ("text/event-json", {})


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

    Holds at most one unfinished frame, so at most MAX_HEADER_BLOCK + MAX_BODY bytes and one chunk.
    """

    def __init__(self, max_header_block: int = MAX_HEADER_BLOCK, max_body: int = MAX_BODY) -> None:
        self._max_header_block = max_header_block
        self._max_body = max_body
        self._buffer = bytearray()
        self._searched = 0  # no end of a header block starts before this offset of the buffer
        self._head: tuple[str, dict[str, str]] | None = None  # read, its body is awaited
        self._length = 0

    @property
    def unfinished(self) -> bool:
        """Whether the stream stands in the middle of a frame (an end of it now is a loss)."""
        return bool(self._buffer) or self._head is not None

    def feed(self, data: bytes | memoryview) -> Received:
        """Take the next bytes of the stream. Raises ProtocolError."""
        buffer = self._buffer
        buffer += data
        size = len(buffer)
        events: list[bytes] = []
        frames: list[Frame] = []
        at, head, length = 0, self._head, self._length
        # Released before the buffer is cut: a bytearray with an exported view cannot change its size.
        with memoryview(buffer) as view:
            while True:
                if head is None:
                    if event := _EVENT_HEAD(view, at):
                        head, length, at = _EVENT, int(event[1]), event.end()
                    else:
                        end = buffer.find(b"\n\n", max(at, self._searched))
                        if (size if end < 0 else end) - at > self._max_header_block:
                            raise ProtocolError("header block too long")
                        if end < 0:
                            self._searched = max(at, size - 1)
                            break
                        block = bytes(view[at:end]).strip(b"\n")
                        at = end + 2
                        if not block:
                            continue
                        head, length = _read_head(block)
                end = at + length
                if end > size:
                    if length > self._max_body:
                        raise ProtocolError("body too long")
                    break
                if head is _EVENT:
                    events.append(bytes(view[at:end]))
                else:
                    frames.append(Frame(*head, bytes(view[at:end])))
                at, head = end, None
            event = None  # it holds the view too
        self._head, self._length = head, length
        del buffer[:at]
        self._searched -= at
        return Received(events, frames)


def _read_head(block: bytes) -> tuple[tuple[str, dict[str, str]], int]:
    # Split first; values are never unquoted, so that nothing in a value can become a header.
    lines = block.decode("utf-8", "replace").split("\n")
    headers = {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}
    length = headers.get("Content-Length", "0").encode()
    if not length.isdigit() or len(length) > 12:
        raise ProtocolError("Content-Length is no number")
    content_type = headers.get("Content-Type", "")
    return _EVENT if content_type == _EVENT[0] else (content_type, headers), int(length)
