"""Events: what one carries, how it is spelt on the wire, and who gets it (switch_event.c)."""

from __future__ import annotations

import itertools
import socket
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

Format = Literal["plain", "json"]
Headers = dict[str, str]

MAINTENANCE: Final = "conference::maintenance"

NAMES: Final = frozenset(
    {
        "API",
        "BACKGROUND_JOB",
        "CALL_SECURE",
        "CHANNEL_ANSWER",
        "CHANNEL_CALLSTATE",
        "CHANNEL_CREATE",
        "CHANNEL_DESTROY",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CUSTOM",
        "DTMF",
        "HEARTBEAT",
        "RECORD_START",
        "RECORD_STOP",
        "RELOADXML",
        "SEND_RTCP_MESSAGE",
        "SHUTDOWN",
        "SHUTDOWN_REQUESTED",
        "ALL",
    }
)
"""Event names that a subscription may use; FreeSWITCH ignores a name it does not know (mod_event_socket.c:2501)."""

# SWITCH_URL_UNSAFE of switch_utils.h, and all that is not printable ASCII.
_UNSAFE: Final = frozenset('\r\n #%&+:;<=>?@[\\]^`{|}"')
_PLAIN: Final = frozenset(chr(code) for code in range(32, 127)) - _UNSAFE


def url_encode(value: str) -> str:
    """As switch_url_encode writes header values of event-plain."""
    if _PLAIN.issuperset(value):
        return value
    return "".join(
        c if c in _PLAIN else "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "surrogateescape")) for c in value
    )


class Event:
    """One event; encoded at most once for each format, however many listeners there are."""

    def __init__(self, name: str, headers: Headers, subclass: str | None = None, body: str | None = None) -> None:
        self.name = name
        self.subclass = subclass
        self._headers = headers
        self._body = body
        self._encoded: dict[Format, bytes] = {}

    def encoded(self, format_: Format) -> bytes:
        """The event with its framing, ready for the socket."""
        data = self._encoded.get(format_)
        if data is None:
            payload = self._json() if format_ == "json" else self._plain()
            head = f"Content-Length: {len(payload)}\nContent-Type: text/event-{format_}\n\n"
            data = self._encoded[format_] = head.encode() + payload
        return data

    def _json(self) -> bytes:
        if self._body is None:
            return msgspec.json.encode(self._headers)
        length = str(len(self._body.encode()))
        return msgspec.json.encode(self._headers | {"Content-Length": length, "_body": self._body})

    def _plain(self) -> bytes:
        lines = "".join(f"{name}: {url_encode(value)}\n" for name, value in self._headers.items())
        if self._body is None:
            return f"{lines}\n".encode()
        return f"{lines}Content-Length: {len(self._body.encode())}\n\n{self._body}".encode()


class EventBus:
    """Numbers and stamps events and hands them to the listeners, in one order for all."""

    def __init__(self) -> None:
        self.core = str(uuid.uuid4())
        self._sequence = itertools.count(1)
        host = socket.gethostname()
        self._identity: Headers = {
            "Core-UUID": self.core,
            "FreeSWITCH-Hostname": host,
            "FreeSWITCH-Switchname": host,
            "FreeSWITCH-IPv4": "127.0.0.1",
            "FreeSWITCH-IPv6": "::1",
        }
        self.listeners: set[Callable[[Event], None]] = set()

    def request_parameters(self) -> Headers:
        """What a question to mod_xml_curl begins with: it is an event that is never fired."""
        return {"Event-Name": "REQUEST_PARAMS", **self._identity}

    def fire(self, name: str, headers: Headers, *, subclass: str | None = None, body: str | None = None) -> None:
        """Send an event. Its sequence number and its time are those of this call (switch_event.c:1973)."""
        sequence = next(self._sequence)
        if not self.listeners:
            return
        now = time.time_ns() // 1000
        stamp = datetime.fromtimestamp(now / 1e6, UTC)
        first: Headers = {"Event-Subclass": subclass} if subclass else {}
        event = Event(
            name,
            {
                **first,
                "Event-Name": name,
                **self._identity,
                "Event-Date-Local": stamp.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
                "Event-Date-GMT": stamp.strftime("%a, %d %b %Y %H:%M:%S GMT"),
                "Event-Date-Timestamp": str(now),
                "Event-Calling-File": "pocket",
                "Event-Calling-Function": "fire",
                "Event-Calling-Line-Number": "0",
                "Event-Sequence": str(sequence),
                **headers,
            },
            subclass,
            body,
        )
        for listener in tuple(self.listeners):
            listener(event)
