"""Data keys, one a track, and the key-encryption keys that wrap them (docs/sealed-format.md, "Keys")."""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
_FORM: Final = "a line for each key, its id (a-z, 0-9, '.', '-') and 32 bytes in base64; the first one is current"


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

    def wrap(self, track: UUID, data_key: bytes) -> WrappedKey: ...

    def unwrap(self, track: UUID, wrapped: WrappedKey) -> bytes:
        """Raises UnknownKey, WrongKey."""
        ...


def new_data_key() -> bytes:
    return secrets.token_bytes(DATA_KEY_SIZE)


def new_line(key_id: str) -> str:
    """A new key-encryption key, as a line for KeyRing. Raises BadKeys for an id that is none."""
    line = f"{key_id} {base64.b64encode(secrets.token_bytes(_KEY_SIZE)).decode()}"
    KeyRing.parse(line)
    return line


def rewrap(provider: KeyProvider, track: UUID, wrapped: WrappedKey) -> WrappedKey:
    """The same data key under the current key-encryption key. Raises UnknownKey, WrongKey."""
    if wrapped.key_id == provider.current:
        return wrapped
    return provider.wrap(track, provider.unwrap(track, wrapped))


class KeyRing:
    """Key-encryption keys in memory: AES-256-GCM with random nonces, bound to the track and the id of the key."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        self._keys = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.current = current

    @property
    def ids(self) -> Collection[str]:
        return self._keys.keys()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Lines of id and key, the current one first; empty lines and those that begin with `#` say nothing. Raises
        BadKeys.
        """
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            try:
                key_id, encoded = line.split()
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise BadKeys(f"line {number}: write {_FORM}") from None
            if not _ID.fullmatch(key_id) or len(key) != _KEY_SIZE:
                raise BadKeys(f"line {number}: write {_FORM}")
            if key_id in keys or key in keys.values():
                raise BadKeys(f"line {number}: this id or this key is there twice")
            keys[key_id] = key
        if not keys:
            raise BadKeys(f"there is no key; write {_FORM}")
        return cls(keys, next(iter(keys)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """From a file that nobody but its owner writes and nobody outside its group reads. Raises BadKeys."""
        try:
            with path.open(encoding="ascii") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IWGRP | stat.S_IRWXO):
                    raise BadKeys(f"{path}: others may read or write it; chmod 400, or 440 for a group")
                return cls.parse(file.read())
        except OSError as error:
            raise BadKeys(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadKeys(f"{path}: write {_FORM}") from None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """From the file that SPARKLE_RECORDING_KEYS_FILE names, else from SPARKLE_RECORDING_KEYS. Raises BadKeys."""
        if path := environment.get(f"{VARIABLE}_FILE"):
            return cls.read(Path(path))
        if text := environment.get(VARIABLE):
            return cls.parse(text)
        raise BadKeys(f"set {VARIABLE}_FILE to a file with {_FORM}")

    def wrap(self, track: UUID, data_key: bytes) -> WrappedKey:
        nonce = secrets.token_bytes(_NONCE_SIZE)
        sealed = self._keys[self.current].encrypt(nonce, data_key, _associated(track, self.current))
        return WrappedKey(self.current, nonce + sealed)

    def unwrap(self, track: UUID, wrapped: WrappedKey) -> bytes:
        """Raises UnknownKey; WrongKey where it was wrapped for another track or under another key, or is damaged."""
        key = self._keys.get(wrapped.key_id)
        if key is None:
            raise UnknownKey(wrapped.key_id)
        nonce, sealed = wrapped.sealed[:_NONCE_SIZE], wrapped.sealed[_NONCE_SIZE:]
        try:
            return key.decrypt(nonce, sealed, _associated(track, wrapped.key_id))
        except (InvalidTag, ValueError):
            raise WrongKey("the wrapped key is not of this track and key-encryption key, or is damaged") from None


def _associated(track: UUID, key_id: str) -> bytes:
    return b"sparkle sealed 1 data key" + track.bytes + key_id.encode()
