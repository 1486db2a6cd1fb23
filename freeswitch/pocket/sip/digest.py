"""Digest authentication (RFC 2617, MD5 with qop=auth, as RFC 3261 takes it). Standard library only."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NONCE_SECONDS: Final = 60.0
MOST_NONCES: Final = 10_000

_PAIR = re.compile(
    r'\s*(?P<name>[A-Za-z]{1,20})\s*=\s*(?:"(?P<quoted>[^"\\\x00-\x1f]{0,512})"|(?P<bare>[^\s",]{1,128}))\s*'
)
_HEX = re.compile(r"[0-9a-f]{32}")
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


class CredentialsError(Exception):
    """The header cannot be read, or asks for something else than MD5 with qop=auth."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an Authorization or Proxy-Authorization header says."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    cnonce: str
    nc: str
    qop: str

    @classmethod
    def parse(cls, header: str) -> Credentials:
        scheme, _, rest = header.partition(" ")
        if scheme.lower() != "digest":
            raise CredentialsError("not Digest")
        given: dict[str, str] = {}
        for part in re.findall(r'(?:[^,"]|"[^"]*")+', rest):
            match = _PAIR.fullmatch(part)
            if match is None or match["name"].lower() in given:
                raise CredentialsError("cannot be read")
            given[match["name"].lower()] = match["quoted"] if match["quoted"] is not None else match["bare"]
        if given.pop("algorithm", "MD5").upper() != "MD5":
            raise CredentialsError("only MD5 is supported")
        given.pop("opaque", None)
        try:
            credentials = cls(**given)
        except TypeError as error:
            raise CredentialsError("a part is missing or not known") from error
        if (
            credentials.qop != "auth"
            or not _HEX.fullmatch(credentials.response)
            or not _COUNT.fullmatch(credentials.nc)
        ):
            raise CredentialsError("only qop=auth is supported")
        if not credentials.username or not credentials.cnonce:
            raise CredentialsError("an empty part")
        return credentials

    def prove(self, a1_hash: str, method: str) -> bool:
        """Whether they were made with the password that `a1_hash` = MD5(username:realm:password) stands for."""
        a2_hash = _md5(f"{method}:{self.uri}")
        right = _md5(f"{a1_hash.lower()}:{self.nonce}:{self.nc}:{self.cnonce}:{self.qop}:{a2_hash}")
        return hmac.compare_digest(right, self.response)


class Nonces:
    """Challenges that were given out: each lives NONCE_SECONDS and is good for rising counts only."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._given: dict[str, tuple[float, int]] = {}

    def new(self) -> str:
        """A fresh one. The oldest is forgotten where too many are out."""
        if len(self._given) >= MOST_NONCES:
            self._given.pop(next(iter(self._given)))
        nonce = secrets.token_hex(16)
        self._given[nonce] = self._now() + NONCE_SECONDS, 0
        return nonce

    def accept(self, credentials: Credentials) -> bool:
        """Whether the nonce is ours, alive and was not used with this count or a later one; marks it as used."""
        until, last = self._given.get(credentials.nonce, (0.0, 0))
        count = int(credentials.nc, 16)
        if self._now() >= until:
            self._given.pop(credentials.nonce, None)
            return False
        if count <= last:
            return False
        self._given[credentials.nonce] = until, count
        return True


def challenge(realm: str, nonce: str, *, stale: bool) -> str:
    """The value of WWW-Authenticate or Proxy-Authenticate, spelt as sofia_reg_auth_challenge spells it."""
    return f'Digest realm="{realm}", nonce="{nonce}",{" stale=true," if stale else ""} algorithm=MD5, qop="auth"'


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
