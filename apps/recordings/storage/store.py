"""What a place for sealed files can do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final, Protocol

from apps.recordings.sealed.files import Source

PIECE: Final = 1 << 20
"""Bytes that are taken at once where a whole file is read."""


class Store(Protocol):
    """Files by their names (places.py). Raises StorageAway where it cannot be reached, else OSError."""

    def open(self, name: str) -> Source:
        """To read, in one thread at a time. Raises FileNotFoundError."""
        ...

    def put(self, name: str, source: Source) -> None:
        """The same bytes under this name: all of them or none, in the place of what was there."""
        ...

    def remove(self, name: str) -> None:
        """Where there is none, that is well."""
        ...

    def names(self) -> Iterator[str]:
        """Of all there are, in order."""
        ...


def pieces(source: Source) -> Iterator[memoryview]:
    """The whole, piece by piece in one buffer: a piece is good until the next one is asked for."""
    buffer = memoryview(bytearray(PIECE))
    offset = 0
    while count := source.read_into(offset, buffer):
        yield buffer[:count]
        offset += count


def digest(source: Source) -> tuple[int, bytes]:
    """Its size, and SHA-256 of all that can be read of it."""
    found = hashlib.sha256()
    for piece in pieces(source):
        found.update(piece)
    return source.size(), found.digest()
