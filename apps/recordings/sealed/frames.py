"""Frames: where they are, whose run they are of, and how one is sealed and opened (docs/sealed-format.md, "Frames").

STREAM: Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance",
CRYPTO 2015 (eprint.iacr.org/2015/189), §7, with AES-256-GCM.
"""

from __future__ import annotations

import hashlib
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.recordings.sealed.errors import Damaged, Truncated
from apps.recordings.sealed.files import Source
from apps.recordings.sealed.header import HEADER_SIZE, Header

_HEAD: Final = struct.Struct(">I16s")
HEAD_SIZE: Final = _HEAD.size
TAG_SIZE: Final = 16
OVERHEAD: Final = HEAD_SIZE + TAG_SIZE
"""What a frame takes beside its plaintext."""

MAX_FRAMES: Final = 1 << 20
"""Of a file, the last frame included: with frames of 64 KiB 64 GiB, or 24 days of 16 kHz mono."""
AT_ONCE: Final = 1 << 16
"""Bytes of plaintext that are read or written in one go, where a frame has not more."""


@dataclass(frozen=True, slots=True)
class Run:
    """One writer's turn at a file, from the frame `first` on. Its salt makes it a key of its own."""

    first: int
    salt: bytes

    @classmethod
    def new(cls, first: int) -> Self:
        return cls(first, secrets.token_bytes(16))

    @property
    def head(self) -> bytes:
        return _HEAD.pack(self.first, self.salt)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where frames are, in bytes from the beginning of the file."""

    frame_size: int

    @property
    def stored_size(self) -> int:
        return self.frame_size + OVERHEAD

    @property
    def at_once(self) -> int:
        """How many frames are read or written in one go."""
        return max(1, AT_ONCE // self.frame_size)

    def offset(self, frame: int) -> int:
        return HEADER_SIZE + frame * self.stored_size

    def split(self, size: int) -> tuple[int, int]:
        """How many whole frames a file of this size has, and how many bytes come after them."""
        return divmod(max(0, size - HEADER_SIZE), self.stored_size)


class Room:
    """Bytes to work in, used again, as many as were ever needed: who seals while somebody speaks needs a frame's."""

    def __init__(self) -> None:
        self._bytes = memoryview(bytearray())

    def of(self, size: int) -> memoryview:
        if len(self._bytes) < size:
            self._bytes = memoryview(bytearray(size))
        return self._bytes[:size]


class Cipher:
    """Seals and opens the frames of one run: the last one of `runs`, which are all up to it, in their order."""

    def __init__(self, data_key: bytes, header: bytes, runs: Sequence[Run]) -> None:
        self.run = runs[-1]
        self._head = self.run.head
        derived = HKDF(SHA256(), length=39, salt=self.run.salt, info=b"sparkle sealed 1 frames").derive(data_key)
        self._aead = AESGCM(derived[:32])
        self._prefix = derived[32:]
        self._associated = hashlib.sha256(header + b"".join(run.head for run in runs)).digest()

    def seal(self, frame: int, plaintext: memoryview, stored: memoryview, *, last: bool) -> None:
        """Into `stored`, which is longer by OVERHEAD. Once for a frame."""
        stored[:HEAD_SIZE] = self._head
        self._aead.encrypt_into(self._nonce(frame, last), plaintext, self._associated, stored[HEAD_SIZE:])

    def open(self, frame: int, stored: memoryview, plaintext: memoryview, *, last: bool) -> None:
        """Into `plaintext`, which is shorter by OVERHEAD. Raises Damaged; then `plaintext` is all zeros: `decrypt_into`
        leaves there what it could not verify (cryptography 50).
        """
        try:
            if stored[:HEAD_SIZE] != self._head:
                raise Damaged(frame)
            self._aead.decrypt_into(self._nonce(frame, last), stored[HEAD_SIZE:], self._associated, plaintext)
        except (Damaged, InvalidTag):
            plaintext[:] = bytes(len(plaintext))
            raise Damaged(frame) from None

    def _nonce(self, frame: int, last: bool) -> bytes:
        return self._prefix + frame.to_bytes(4, "big") + (b"\1" if last else b"\0")


def read_exactly(source: Source, offset: int, buffer: memoryview, frame: int) -> None:
    """Raises Truncated, naming the frame, where the source ends before."""
    if source.read_into(offset, buffer) != len(buffer):
        raise Truncated(frame)


def read_header(source: Source, data_key: bytes) -> tuple[Header, bytes]:
    """The header and its bytes. Raises Truncated, Damaged, UnknownVersion, WrongKey."""
    raw = bytearray(HEADER_SIZE)
    read_exactly(source, 0, memoryview(raw), 0)
    return Header.unpack(bytes(raw), data_key), bytes(raw)


def read_runs(source: Source, layout: Layout, frame: int) -> list[Run]:
    """The runs up to that frame as the heads of frames tell them, from the last one back. They are to be believed only
    when that frame opens. Raises Damaged, Truncated.
    """
    runs: list[Run] = []
    head = bytearray(HEAD_SIZE)
    while frame >= 0:
        read_exactly(source, layout.offset(frame), memoryview(head), frame)
        first, salt = _HEAD.unpack(head)
        if first > frame:
            raise Damaged(frame)
        runs.append(Run(first, salt))
        frame = first - 1
    runs.reverse()
    return runs
