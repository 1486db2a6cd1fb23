"""The project's application with a feed that gathers nothing, so that every delta is a frame: for bench.fanout only."""

from __future__ import annotations

from sparkle.asgi import application  # first: it sets Django up

from apps.conferences.live import hub  # isort: skip

__all__ = ["application"]

hub.MERGE = 0.0
