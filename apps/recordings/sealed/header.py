"""The header of a sealed file, and its check (docs/sealed-format.md, "Header")."""

from __future__ import annotations

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.recordings.sealed.errors import Damaged, Truncated, UnknownVersion, WrongKey

MAGIC: Final = b"\x89SPKL\r\n\x1a"
VERSION: Final = 1
SIGNED_16_LITTLE: Final = 1
"""The only kind of samples so far: signed, 16 bits, little-endian, channels interleaved."""

#: Magic, version, kind of samples, channels, rate, bytes of a frame, track.
_FIELDS: Final = struct.Struct(">8sHBBII16s")
_CHECK_SIZE: Final = 32
HEADER_SIZE: Final = _FIELDS.size + _CHECK_SIZE

DATA_KEY_SIZE: Final = 32
FRAME_SIZE: Final = 1 << 14
"""Of our files. 0.51 s of 16 kHz mono: what somebody said can be played two seconds after they stopped."""
_FRAME_SIZES: Final = tuple(1 << power for power in range(6, 21))


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its track. `rate` in samples per second; `frame_size` in bytes of plaintext."""

    track: UUID
    rate: int = 16_000
    channels: int = 1
    frame_size: int = FRAME_SIZE

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1 << 32:
            raise ValueError("rate: from 1 to 2^32 - 1")
        if not 0 < self.channels < 1 << 8:
            raise ValueError("channels: from 1 to 255")
        if self.frame_size not in _FRAME_SIZES:
            raise ValueError("frame_size: a power of two from 64 to 1 MiB")

    def pack(self, data_key: bytes) -> bytes:
        fields = _FIELDS.pack(
            MAGIC, VERSION, SIGNED_16_LITTLE, self.channels, self.rate, self.frame_size, self.track.bytes
        )
        return fields + _check(data_key, fields)

    @classmethod
    def unpack(cls, raw: bytes, data_key: bytes) -> Self:
        """Raises Truncated, Damaged, UnknownVersion, WrongKey."""
        if len(raw) < HEADER_SIZE:
            raise Truncated(0)
        fields, check = raw[: _FIELDS.size], raw[_FIELDS.size : HEADER_SIZE]
        magic, version, samples, channels, rate, frame_size, track = _FIELDS.unpack(fields)
        if magic != MAGIC:
            raise Damaged(None)
        if version != VERSION:
            raise UnknownVersion(f"version {version} of the format")
        if not hmac.compare_digest(check, _check(data_key, fields)):
            raise WrongKey("not the data key of this file, or its header is damaged")
        if samples != SIGNED_16_LITTLE:
            raise UnknownVersion(f"samples of kind {samples}")
        try:
            return cls(UUID(bytes=track), rate, channels, frame_size)
        except ValueError:
            raise Damaged(None) from None


def _check(data_key: bytes, fields: bytes) -> bytes:
    if len(data_key) != DATA_KEY_SIZE:
        raise ValueError("a data key has 32 bytes")
    key = HKDF(SHA256(), length=32, salt=None, info=b"sparkle sealed 1 header").derive(data_key)
    return hmac.digest(key, fields, hashlib.sha256)
