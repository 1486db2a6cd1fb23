"""Samples as files that browsers and players take: WAV, and Opus in Ogg. In memory only, piece by piece.

Samples are always signed, 16 bits, little-endian, channels interleaved.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import soundfile

SAMPLE: Final = 2
"""Bytes of a sample of one channel."""

WAV_HEADER: Final = 44
"""Bytes before the samples, without tags."""

OPUS_RATES: Final = (8_000, 16_000, 24_000, 48_000)
"""Samples per second that Opus takes as they are."""

_MOST = 0xFFFF_FFFF
_CHUNK: Final = struct.Struct("<4sI")
_FORMAT: Final = struct.Struct("<HHIIHH")


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file says of itself."""

    title: str
    artist: str
    date: str
    comment: str


def wav_header(size: int, rate: int, channels: int, tags: Tags | None = None) -> bytes:
    """What comes before `size` bytes of samples. WAV counts to 4 GiB: what is longer says so, and players go on to the
    end of the file.
    """
    block = channels * SAMPLE
    head = _chunk(b"fmt ", _FORMAT.pack(1, channels, rate, rate * block, block, 8 * SAMPLE))
    if tags is not None:
        head += _chunk(b"LIST", b"INFO" + b"".join(_info(tags)))
    riff = len(b"WAVE") + len(head) + _CHUNK.size + size
    return _CHUNK.pack(b"RIFF", min(riff, _MOST)) + b"WAVE" + head + _CHUNK.pack(b"data", min(size, _MOST))


def _chunk(name: bytes, body: bytes) -> bytes:
    return _CHUNK.pack(name, len(body)) + body + bytes(len(body) % 2)


def _info(tags: Tags) -> Iterator[bytes]:
    for name, text in ((b"INAM", tags.title), (b"IART", tags.artist), (b"ICRD", tags.date), (b"ICMT", tags.comment)):
        yield _chunk(name, text.encode() + b"\0")


def can_be_opus(rate: int, channels: int) -> bool:
    return rate in OPUS_RATES and channels in (1, 2)


def opus(pieces: Iterable[memoryview], rate: int, channels: int, tags: Tags | None = None) -> Iterator[bytes]:
    """Opus in Ogg, as the pieces come; each holds whole samples of all channels."""
    taken = _Taken()
    with soundfile.SoundFile(taken, "w", samplerate=rate, channels=channels, format="OGG", subtype="OPUS") as file:
        if tags is not None:
            file.title, file.artist, file.date, file.comment = tags.title, tags.artist, tags.date, tags.comment
        for piece in pieces:
            file.buffer_write(piece, dtype="int16")
            if written := taken.take():
                yield written
    yield taken.take()


class _Taken:
    """What libsndfile writes to. Ogg is written from the beginning to the end, so what is taken is let go."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, data: bytes) -> int:
        # A view of memory of libsndfile's own.
        self._parts.append(bytes(data))
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        """libsndfile looks once, at the beginning, how much is there."""
        return self._position

    def take(self) -> bytes:
        written = b"".join(self._parts)
        self._parts.clear()
        return written
