"""Making the mixes anew that somebody was erased from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from celery import shared_task
from django.core.cache import cache
from django.db import connection

from apps.core.errors import Problem
from apps.recordings.mixing import mix_anew
from apps.recordings.models import Track
from apps.recordings.sealed.errors import SealProblem
from apps.switch.models import Node

from .afterwards import make_peaks
from .moving import queue_of

logger = logging.getLogger(__name__)

BETWEEN: Final = 5.0
"""Seconds between two looks at what is to be mixed."""
AGAIN: Final = 60.0
"""Seconds after which a mix that failed is tried again."""


@shared_task
def mix_main_rooms(node_name: str) -> int:
    """Make every mix of the node that waits to be made anew; how many were. What a killed process has begun is begun
    again, and what fails is tried again later.
    """
    made = 0
    waiting = Track.objects.filter(node__name=node_name, state=Track.State.MIXING)
    for mix in waiting.select_related("node").order_by("requested_at"):
        failed = f"mixing-failed-{mix.pk}"
        with _alone(f"mix {mix.pk}") as alone:
            if not alone or cache.get(failed):
                continue
            try:
                done = mix_anew(mix)
            except (Problem, SealProblem, OSError) as error:
                logger.error("track %s cannot be mixed anew now: %s: %s", mix.pk, type(error).__name__, error)
                cache.set(failed, True, AGAIN)
                continue
        if done:
            made += 1
            make_peaks(str(mix.pk))
    return made


@shared_task
def keep_mixing() -> None:
    """A `mix_main_rooms` for each node that has something to mix: in its folder are the voices, and the mix belongs
    there.
    """
    waiting = Track.objects.filter(state=Track.State.MIXING)
    for name in Node.objects.filter(pk__in=waiting.values("node")).values_list("name", flat=True):
        mix_main_rooms.apply_async((name,), queue=queue_of(name), expires=BETWEEN)


@contextmanager
def _alone(what: str) -> Iterator[bool]:
    """Whether no other process is at it, as long as both have their connections: to do it twice is only for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [what])
        (alone,) = cursor.fetchone()
        try:
            yield alone
        finally:
            if alone:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [what])
