"""Where sealed bytes lie: anything that reads, and writes, at a position."""

from __future__ import annotations

import os
from typing import Protocol


class Source(Protocol):
    """Bytes that can be read from any position: a file, an object of a store, several of them in a row."""

    def size(self) -> int: ...

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill the buffer from there. Fewer bytes only where the source ends; how many."""
        ...


class Sink(Source, Protocol):
    """What a track is written to, and read from when writing goes on after an interruption."""

    def write_at(self, offset: int, buffer: memoryview) -> None:
        """All of it, or an OSError."""
        ...

    def cut(self, size: int) -> None:
        """Let everything from there on go."""
        ...


class Memory:
    """Bytes that are nowhere else."""

    def __init__(self) -> None:
        self._data = bytearray()

    def size(self) -> int:
        return len(self._data)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        found = self._data[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        return len(found)

    def write_at(self, offset: int, buffer: memoryview) -> None:
        self._data[offset : offset + len(buffer)] = buffer

    def cut(self, size: int) -> None:
        del self._data[size:]


class OpenFile:
    """A file by its descriptor, which stays the caller's: to close, and to `fsync` before frames are confirmed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read_into(self, offset: int, buffer: memoryview) -> int:
        done = 0
        while done < len(buffer) and (count := os.preadv(self._descriptor, [buffer[done:]], offset + done)):
            done += count
        return done

    def write_at(self, offset: int, buffer: memoryview) -> None:
        done = 0
        while done < len(buffer):
            done += os.pwrite(self._descriptor, buffer[done:], offset + done)

    def cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
