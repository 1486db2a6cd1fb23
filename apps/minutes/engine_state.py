"""Whether somebody writes minutes: each worker says so now and then."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Final, Literal

from django.utils import timezone

from .models import Worker

SAYS_EACH: Final = 10.0
"""Seconds."""
SILENT: Final = timedelta(seconds=60)
"""Who has said nothing for so long is gone; what is listened to at once is less (transcribing/queue.py)."""

FORGOTTEN: Final = timedelta(days=7)
"""Who has said nothing for so long is on no list any more: a container has another name each time that it starts."""

EngineState = Literal["ready", "no_worker"] | str


def say(*, engine: str = "", model: str = "", problem: str = "") -> None:
    """What this process has to write minutes with."""
    name = f"{socket.gethostname()} {os.environ.get('SPARKLE_NODE_NAME', '')}".strip()
    now = timezone.now()
    values = {"engine": engine[:40], "model": model[:160], "problem": problem, "seen_at": now}
    Worker.objects.update_or_create(name=name[:200], defaults=values)
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN).delete()


def engine_state() -> EngineState:
    """`ready`, `no_worker`, or the problem that all workers have."""
    alive = Worker.objects.filter(seen_at__gt=timezone.now() - SILENT)
    problems = list(alive.order_by("-seen_at").values_list("problem", flat=True))
    if not problems:
        return "no_worker"
    return "ready" if "" in problems else problems[0]
