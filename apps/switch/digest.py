"""Passwords of SIP accounts and what is kept of them. Standard library only.

Source: sofia_reg.c (sofia_reg_parse_auth) of FreeSWITCH 1.10.12; RFC 2617 §3.2.2 for the hash and the digest.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

# Without what looks alike in some typeface (0 O, 1 l I), since somebody may have to type it into a telephone.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH: Final = 24  # 140 bits
_IN_USER: Final = "-_.!~*'()&=+$,;?/"


def new_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def a1_hash(user: str, realm: str, password: str) -> str:
    """What a digest needs of a password, in hexadecimal digits. Raises ValueError without a password: FreeSWITCH would
    let anybody in."""
    if not password:
        raise ValueError("an account needs a password")
    return _md5(f"{user}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class Digest:
    """What somebody who signs in sends in place of a password. Without `nc`, `cnonce` and `qop` it is made as RFC 2069
    has it, which FreeSWITCH takes too.
    """

    method: str
    uri: str
    nonce: str
    response: str
    nc: str = ""
    cnonce: str = ""
    qop: str = ""

    def is_made_with(self, a1_hash: str) -> bool:
        middle = (self.nc, self.cnonce, self.qop) if self.nc and self.cnonce and self.qop else ()
        given = self.response.lower().encode()
        return any(
            hmac.compare_digest(
                _md5(":".join((a1_hash, self.nonce, *middle, _md5(f"{self.method}:{uri}")))).encode(), given
            )
            for uri in {self.uri, _escaped(self.uri)}
        )


def _escaped(uri: str) -> str:
    """A SIP URI with its user part escaped (RFC 3261 §25.1), as it was sent: FreeSWITCH posts `%23` as it is, and what
    is read of that is `#` (switch_utils.c:3499).
    """
    user, at, host = uri.rpartition("@")
    scheme, colon, user = user.partition(":")
    return f"{scheme}{colon}{quote(user, safe=_IN_USER)}{at}{host}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()  # noqa: S324 - the algorithm of SIP's digest
