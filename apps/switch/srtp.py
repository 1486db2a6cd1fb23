"""How legs are encrypted, in the words of FreeSWITCH's `rtp_secure_media`. Standard library only."""

from __future__ import annotations

from typing import Final

SUITES: Final = ("AEAD_AES_256_GCM", "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80")
"""Strongest first (switch_core_media.c:277). Never a NULL one, which does not encrypt, nor one with a 32-bit tag."""

MANDATORY: Final = "mandatory:" + ":".join(SUITES)
"""SRTP or no call: the rule for every leg (freeswitch/conf/freeswitch.xml)."""

EXEMPT: Final = "optional:" + ":".join(SUITES)
"""For a leg through a gateway that cannot encrypt."""


def proof(secure_type: str) -> str:
    """`sdes:SUITE` or `dtls:SUITE` for what CALL_SECURE and `show channels` say (`srtp:sdes:SUITE`); "" for anything
    but one of SUITES.
    """
    kind, _, rest = secure_type.partition(":")
    keys, _, suite = rest.partition(":")
    return rest if kind == "srtp" and keys in ("sdes", "dtls") and suite in SUITES else ""
