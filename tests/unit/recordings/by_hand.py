"""Sealed files by docs/sealed-format.md alone: nothing of apps/recordings, only HMAC, SHA-256 and AES-GCM."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def hkdf(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869 with SHA-256."""
    extracted = hmac.digest(salt or bytes(32), key, hashlib.sha256)
    made, block, count = b"", b"", 1
    while len(made) < length:
        block = hmac.digest(extracted, block + info + bytes([count]), hashlib.sha256)
        made += block
        count += 1
    return made[:length]


@dataclass
class Opened:
    samples: int
    channels: int
    rate: int
    frame_size: int
    track: bytes
    runs: list[tuple[int, bytes]]
    plaintext: bytes
    complete: bool


def frame_key(data_key: bytes, salt: bytes, number: int, last: bool) -> tuple[bytes, bytes]:
    """The key and the nonce of a frame."""
    derived = hkdf(data_key, salt, b"sparkle sealed 1 frames", 39)
    return derived[:32], derived[32:] + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def open_all(file: bytes, data_key: bytes) -> Opened:
    """From the front, in one go. Raises ValueError and InvalidTag."""
    fields, check = file[:36], file[36:68]
    if fields[0:8] != bytes.fromhex("8953504b4c0d0a1a") or fields[8:10] != b"\x00\x01":
        raise ValueError("not this format")
    if check != hmac.digest(hkdf(data_key, b"", b"sparkle sealed 1 header", 32), fields, hashlib.sha256):
        raise ValueError("another key")
    frame_size = int.from_bytes(fields[16:20], "big")
    rate = int.from_bytes(fields[12:16], "big")
    found = Opened(fields[10], fields[11], rate, frame_size, fields[20:36], [], b"", False)
    heads = b""
    rest, number = file[68:], 0
    while rest:
        stored, rest = rest[: frame_size + 36], rest[frame_size + 36 :]
        first, salt = int.from_bytes(stored[0:4], "big"), stored[4:20]
        if (first, salt) != (found.runs[-1] if found.runs else None):
            if first != number:
                raise ValueError("a run begins where it says")
            found.runs.append((first, salt))
            heads += stored[:20]
        found.complete = len(stored) < frame_size + 36
        key, nonce = frame_key(data_key, salt, number, found.complete)
        associated = hashlib.sha256(file[:68] + heads).digest()
        found.plaintext += AESGCM(key).decrypt(nonce, stored[20:], associated)
        number += 1
    return found


def seal_all(fields: bytes, data_key: bytes, runs: list[tuple[int, bytes]], plaintext: bytes, complete: bool) -> bytes:
    """The same file again: with the same salts it is made of the same bytes."""
    frame_size = int.from_bytes(fields[16:20], "big")
    header = fields + hmac.digest(hkdf(data_key, b"", b"sparkle sealed 1 header", 32), fields, hashlib.sha256)
    made = header
    for number in range(len(plaintext) // frame_size + complete):
        piece = plaintext[number * frame_size : (number + 1) * frame_size]
        until = [run for run in runs if run[0] <= number]
        heads = [first.to_bytes(4, "big") + salt for first, salt in until]
        key, nonce = frame_key(data_key, until[-1][1], number, len(piece) < frame_size)
        associated = hashlib.sha256(header + b"".join(heads)).digest()
        made += heads[-1] + AESGCM(key).encrypt(nonce, piece, associated)
    return made
