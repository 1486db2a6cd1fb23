"""Sealed files in memory, whose writers can be killed at any byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from apps.recordings.sealed import frames
from apps.recordings.sealed.header import Header
from apps.recordings.sealed.writer import Writer

TRACK = UUID("0193d5f0-1c00-7000-8000-00000000002a")
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
SIZE = 64
"""Bytes of a frame: the least that there may be, so that many fit in a test."""
HEADER = Header(TRACK, frame_size=SIZE)
HEADER_SIZE, STORED = 68, SIZE + 36


@pytest.fixture(autouse=True, scope="module")
def few_at_once() -> Iterator[None]:
    """So that in these short files, too, more than one reading or writing follows the other."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "AT_ONCE", 3 * SIZE)
        yield


class Killed(Exception):  # noqa: N818 - what happens to the writer
    pass


class Memory:
    """A file. After `left` more bytes whoever writes is killed; `sealed` is all that was handed over, lost or not."""

    def __init__(self, data: bytes | bytearray = b"", left: int | None = None) -> None:
        self.data = bytearray(data)
        self.left = left
        self.sealed: list[tuple[int, bytes]] = []
        self.read = 0

    @property
    def survived(self) -> bool:
        return self.left is None

    def size(self) -> int:
        return len(self.data)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        found = self.data[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self.read += len(found)
        return len(found)

    def write_at(self, offset: int, buffer: memoryview) -> None:
        self.sealed.append((offset, bytes(buffer)))
        assert offset == len(self.data), "nothing is written over, and no hole is left"
        if self.left is None:
            self.data += buffer
            return
        self.data += buffer[: self.left]
        self.left -= len(buffer)
        if self.left < 0:
            raise Killed

    def cut(self, size: int) -> None:
        assert size <= len(self.data)
        del self.data[size:]


def speech(length: int, seed: int = 1) -> bytes:
    """Bytes of which no two frames are alike."""
    return b"".join(bytes([seed % 256]) + number.to_bytes(3, "big") for number in range(length // 4 + 1))[:length]


def sealed(plaintext: bytes, turns: Sequence[int] = (), key: bytes = KEY, header: Header = HEADER) -> Memory:
    """A complete file; another writer takes its turn at each of these frames."""
    file = Memory()
    writer = Writer(file, key, header)
    whole = len(plaintext) // header.frame_size
    for frame in range(whole):
        if frame in turns:
            writer = Writer(file, key, header, confirmed=frame)
        writer.append(plaintext[frame * header.frame_size : (frame + 1) * header.frame_size])
    writer.finish(plaintext[whole * header.frame_size :])
    return file


def stored(data: bytes | bytearray, frame: int) -> bytes:
    return bytes(data[HEADER_SIZE + frame * STORED : HEADER_SIZE + (frame + 1) * STORED])


def with_frame(data: bytes | bytearray, frame: int, other: bytes) -> bytes:
    start = HEADER_SIZE + frame * STORED
    return bytes(data[:start]) + other + bytes(data[start + STORED :])
