"""Data keys, one a track, and the key-encryption keys that wrap them (docs/sealed-format.md, "Keys")."""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.recordings.sealed.errors import BadKeys, UnknownKey, WrongKey
from apps.recordings.sealed.header import DATA_KEY_SIZE

VARIABLE: Final = "SPARKLE_RECORDING_KEYS"
_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_ID: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_FORM: Final = (
    "a line for each key, its id (a-z, 0-9, '.', '-') and 32 bytes in base64, or the ARN of a key in AWS KMS;"
    " the first one is current"
)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it, beside its track. Without it, nobody ever hears the track again."""

    key_id: str
    sealed: bytes


class KeyProvider(Protocol):
    """Whoever has the key-encryption keys."""

    @property
    def current(self) -> str:
        """The id of the key that new data keys are wrapped under."""
        ...

    @property
    def ids(self) -> Collection[str]:
        """Those of all keys by which data keys can be unwrapped."""
        ...

    def wrap(self, track: UUID, data_key: bytes) -> WrappedKey:
        """Raises KeysAway, BadKeys."""
        ...

    def unwrap(self, track: UUID, wrapped: WrappedKey) -> bytes:
        """Raises UnknownKey, WrongKey, KeysAway, BadKeys."""
        ...


class KeyEncryptionKey(Protocol):
    """One of them. What it wraps is bound to a track and to its own id: for others, it does not open."""

    def wrap(self, track: UUID, key_id: str, data_key: bytes) -> bytes:
        """Raises KeysAway, BadKeys."""
        ...

    def unwrap(self, track: UUID, key_id: str, sealed: bytes) -> bytes:
        """Raises WrongKey, KeysAway, BadKeys."""
        ...


Elsewhere = Callable[[str], KeyEncryptionKey | None]
"""The key that this text of a line names, if it is kept elsewhere. Raises BadKeys."""


def new_data_key() -> bytes:
    return secrets.token_bytes(DATA_KEY_SIZE)


def new_line(key_id: str) -> str:
    """A new key-encryption key, as a line for KeyRing. Raises BadKeys for an id that is none."""
    line = f"{key_id} {base64.b64encode(secrets.token_bytes(_KEY_SIZE)).decode()}"
    KeyRing.parse(line)
    return line


def rewrap(provider: KeyProvider, track: UUID, wrapped: WrappedKey) -> WrappedKey:
    """The same data key under the current key-encryption key. Raises UnknownKey, WrongKey, KeysAway, BadKeys."""
    if wrapped.key_id == provider.current:
        return wrapped
    return provider.wrap(track, provider.unwrap(track, wrapped))


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key-encryption key in memory: AES-256-GCM with random nonces."""

    key: bytes = field(repr=False)

    def wrap(self, track: UUID, key_id: str, data_key: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return nonce + AESGCM(self.key).encrypt(nonce, data_key, _associated(track, key_id))

    def unwrap(self, track: UUID, key_id: str, sealed: bytes) -> bytes:
        nonce, sealed = sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:]
        try:
            return AESGCM(self.key).decrypt(nonce, sealed, _associated(track, key_id))
        except (InvalidTag, ValueError):
            raise WrongKey("the wrapped key is not of this track and key-encryption key, or is damaged") from None


class KeyRing:
    """Key-encryption keys by their ids, one of them current."""

    def __init__(self, keys: Mapping[str, KeyEncryptionKey], current: str) -> None:
        self._keys = keys
        self.current = current

    @property
    def ids(self) -> Collection[str]:
        return self._keys.keys()

    @classmethod
    def parse(cls, text: str, elsewhere: Elsewhere = lambda _: None) -> Self:
        """Lines of id and key, the current one first; empty lines and those that begin with `#` say nothing. Raises
        BadKeys.
        """
        keys: dict[str, KeyEncryptionKey] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            key_id, key = _parsed(number, line, elsewhere)
            if key_id in keys or key in keys.values():
                raise BadKeys(f"line {number}: this id or this key is there twice")
            keys[key_id] = key
        if not keys:
            raise BadKeys(f"there is no key; write {_FORM}")
        return cls(keys, next(iter(keys)))

    @classmethod
    def read(cls, path: Path, elsewhere: Elsewhere = lambda _: None) -> Self:
        """From a file that nobody but its owner writes and nobody outside its group reads. Raises BadKeys."""
        try:
            with path.open(encoding="ascii") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IWGRP | stat.S_IRWXO):
                    raise BadKeys(f"{path}: others may read or write it; chmod 400, or 440 for a group")
                return cls.parse(file.read(), elsewhere)
        except OSError as error:
            raise BadKeys(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadKeys(f"{path}: write {_FORM}") from None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], elsewhere: Elsewhere = lambda _: None) -> Self:
        """From the file that SPARKLE_RECORDING_KEYS_FILE names, else from SPARKLE_RECORDING_KEYS. Raises BadKeys."""
        if path := environment.get(f"{VARIABLE}_FILE"):
            return cls.read(Path(path), elsewhere)
        if text := environment.get(VARIABLE):
            return cls.parse(text, elsewhere)
        raise BadKeys(f"set {VARIABLE}_FILE to a file with {_FORM}")

    def wrap(self, track: UUID, data_key: bytes) -> WrappedKey:
        return WrappedKey(self.current, self._keys[self.current].wrap(track, self.current, data_key))

    def unwrap(self, track: UUID, wrapped: WrappedKey) -> bytes:
        """Raises UnknownKey; WrongKey where it was wrapped for another track or under another key, or is damaged;
        KeysAway, BadKeys where whoever has the key does not answer, or refuses.
        """
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise UnknownKey(wrapped.key_id)
        return key.unwrap(track, wrapped.key_id, wrapped.sealed)


def _parsed(number: int, line: str, elsewhere: Elsewhere) -> tuple[str, KeyEncryptionKey]:
    """Its id and its key. No text of an error holds a key."""
    words = line.split()
    if len(words) != 2 or not _ID.fullmatch(words[0]):
        raise BadKeys(f"line {number}: write {_FORM}")
    key_id, text = words
    try:
        found = elsewhere(text)
    except BadKeys as error:
        raise BadKeys(f"line {number}: {error}") from None
    if found is not None:
        return key_id, found
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_SIZE:
        raise BadKeys(f"line {number}: write {_FORM}")
    return key_id, HeldKey(key)


def _associated(track: UUID, key_id: str) -> bytes:
    return b"sparkle sealed 1 data key" + track.bytes + key_id.encode()
