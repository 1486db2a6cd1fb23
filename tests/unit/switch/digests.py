"""Digests as phones send them."""

from __future__ import annotations

import hashlib

from apps.switch.digest import Digest

NONCE, URI, NC, CNONCE = "5cf6d3f0", "sip:sip.example.cn", "00000001", "0a4f113b"


def right(a1_hash: str, method: str = "REGISTER") -> Digest:
    """Made with the password that the hash is of."""
    proof = _md5(f"{a1_hash}:{NONCE}:{NC}:{CNONCE}:auth:{_md5(f'{method}:{URI}')}")
    return Digest(method, URI, NONCE, proof, NC, CNONCE, "auth")


def wrong(method: str = "REGISTER") -> Digest:
    return right("of another password", method)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
