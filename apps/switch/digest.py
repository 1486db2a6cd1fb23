"""Passwords of SIP accounts and what is kept of them. Standard library only.

Source: sofia_reg.c (sofia_reg_parse_auth) of FreeSWITCH 1.10.12; RFC 2617 §3.2.2.2 for the hash.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

# Without what looks alike in some typeface (0 O, 1 l I), since somebody may have to type it into a telephone.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH: Final = 24  # 140 bits


def new_password() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def a1_hash(user: str, realm: str, password: str) -> str:
    """What a digest needs of a password, in hexadecimal digits. Raises ValueError without a password: FreeSWITCH would
    let anybody in."""
    if not password:
        raise ValueError("an account needs a password")
    return hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()  # noqa: S324 - the algorithm of SIP's digest
