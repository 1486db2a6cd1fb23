"""Whoever has the key-encryption keys of this installation."""

from __future__ import annotations

import os
from functools import cache

from .sealed.keys import KeyProvider, KeyRing


@cache
def key_provider() -> KeyProvider:
    """From SPARKLE_RECORDING_KEYS_FILE or SPARKLE_RECORDING_KEYS. Raises BadKeys where neither holds keys."""
    return KeyRing.from_environment(os.environ)
