"""Streams of member events, as a FreeSWITCH with many members sends them: the headers of tests/data/esl, about 2.4 kB
each, with fresh ids, sequence numbers and times.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from functools import cache
from urllib.parse import quote
from uuid import UUID, uuid5

import numpy as np

from bench.acceptor import CORE
from bench.harness import ROOT

CONFERENCES, MEMBERS = 10, 100
PEOPLE = CONFERENCES * MEMBERS
_SPACE = UUID("5e1f0c5e-0000-4000-8000-000000000000")
#: Digits of the fixed-width numbers that are written anew into a prepared block.
_SEQUENCE, _TIME = 12, 16


def conference_id(index: int) -> UUID:
    """Of the member with this index."""
    return uuid5(_SPACE, f"conference {index // MEMBERS}")


def participant_id(index: int) -> UUID:
    return uuid5(_SPACE, f"participant {index}")


def leg_id(index: int) -> UUID:
    return uuid5(_SPACE, f"leg {index}")


@cache
def _headers(action: str) -> dict[str, str]:
    for line in (ROOT / "tests/data/esl/events.jsonl").read_text().splitlines():
        headers: dict[str, str] = json.loads(line)
        if headers.get("Action") == action:
            return headers
    raise LookupError(action)


def event(action: str, index: int, form: str) -> bytes:
    """One frame: `form` is json or plain."""
    leg = str(leg_id(index))
    headers = _headers(action) | {
        "Core-UUID": CORE,
        "Event-Sequence": "0" * _SEQUENCE,
        "Event-Date-Timestamp": "0" * _TIME,
        "Conference-Name": f"c-{conference_id(index).hex}",
        "Conference-Profile-Name": "sparkle",
        "Unique-ID": leg,
        "Channel-Call-UUID": leg,
        "Caller-Unique-ID": leg,
        "Member-ID": str(index + 1),
        "Session-External-ID": str(participant_id(index)),
        "Speak": "false" if action == "mute-member" else "true",
        "Hear": "false" if action == "deaf-member" else "true",
        "Talking": "true" if action == "start-talking" else "false",
        "Hold": "false",
        "Member-Ghost": "false",
    }
    # Action is the last header that FreeSWITCH writes for these.
    headers["Action"] = headers.pop("Action")
    if form == "json":
        body = json.dumps(headers, ensure_ascii=False, separators=(",", ":")).encode()
    else:
        body = "".join(f"{name}: {quote(value)}\n" for name, value in headers.items()).encode() + b"\n"
    return b"Content-Length: %d\nContent-Type: text/event-%s\n\n%s" % (len(body), form.encode(), body)


class Block:
    """Events in one buffer that can be sent again and again, each time as new ones."""

    def __init__(self, actions: Sequence[str], count: int, form: str) -> None:
        # A member gets the first action in one turn and the next in another, so each event changes something.
        frames = [event(actions[i // PEOPLE % len(actions)], i % PEOPLE, form) for i in range(count)]
        self.count = count
        self._bytes = np.frombuffer(b"".join(frames), dtype=np.uint8).copy()
        starts = np.cumsum([0, *(len(frame) for frame in frames[:-1])])
        mark = '"Event-Sequence":"' if form == "json" else "Event-Sequence: "
        self._sequences = starts + [frame.find(mark.encode()) + len(mark) for frame in frames]
        mark = '"Event-Date-Timestamp":"' if form == "json" else "Event-Date-Timestamp: "
        self._times = starts + [frame.find(mark.encode()) + len(mark) for frame in frames]

    def renewed(self, first: int) -> memoryview:
        """The events as of now, numbered from `first`; valid until the next call."""
        self._write(self._sequences, np.arange(first, first + self.count), _SEQUENCE)
        self._write(self._times, np.full(self.count, time.time_ns() // 1000), _TIME)
        return self._bytes.data

    def _write(self, at: np.ndarray[tuple[int], np.dtype[np.int64]], numbers: object, width: int) -> None:
        rest = np.asarray(numbers, dtype=np.int64).copy()
        for place in reversed(range(width)):
            rest, digit = np.divmod(rest, 10)
            self._bytes[at + place] = digit + ord("0")

    @property
    def size(self) -> int:
        """Bytes of one event, on average."""
        return len(self._bytes) // self.count


def rooms() -> str:
    """What `conference json_list` says when all are in, and nobody is muted or deaf."""
    flags = {
        "can_hear": True,
        "can_speak": True,
        "hold": False,
        "talking": False,
        "has_floor": False,
        "is_moderator": False,
    }
    return json.dumps(
        [
            {
                "conference_name": f"c-{conference_id(first).hex}",
                "locked": False,
                "members": [
                    {"id": index + 1, "uuid": str(leg_id(index)), "flags": flags, "volume_in": 0}
                    for index in range(first, first + MEMBERS)
                ],
            }
            for first in range(0, PEOPLE, MEMBERS)
        ]
    )


def channels() -> str:
    """What `show channels as json` says then."""
    rows = [{"uuid": str(leg_id(index)), "callstate": "ACTIVE"} for index in range(PEOPLE)]
    return json.dumps({"row_count": len(rows), "rows": rows})


def numbered(block: Block, rounds: int, first: int) -> Iterator[memoryview]:
    for turn in range(rounds):
        yield block.renewed(first + turn * block.count)
