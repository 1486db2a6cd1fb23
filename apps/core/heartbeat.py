"""A sign of life for processes that answer no requests."""

from __future__ import annotations

import contextlib
from pathlib import Path

from django.conf import settings


def heartbeat() -> None:
    """Touch SPARKLE_HEARTBEAT_FILE, if there is one: a health check looks at its age. Called from the very loop that
    does the work, so that one that hangs is seen.
    """
    if settings.HEARTBEAT_FILE:
        # A file that cannot be touched grows old, which says enough; it must not end the work.
        with contextlib.suppress(OSError):
            Path(settings.HEARTBEAT_FILE).touch()
