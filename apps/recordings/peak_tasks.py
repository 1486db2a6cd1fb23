"""What a worker does with a track once it is sealed. Known to Celery from the moment the application is ready."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from apps.core.errors import Problem

from .models import Track
from .peaks import keep_peaks
from .places import peaks_file

logger = logging.getLogger(__name__)

LOOKS_BACK: Final = timedelta(days=1)
"""Peaks of what ended before are made whenever somebody looks at them."""
TURN: Final = 10.0
"""Seconds after which `make_missing_peaks` leaves the rest to the next one."""


@shared_task(name="apps.recordings.tasks.make_peaks")
def make_peaks(track_id: str) -> bool:
    """Keep how loud this track is; whether that was still to do. Of one that cannot be opened there is nothing to keep,
    and trying again would not help.
    """
    track = Track.objects.filter(pk=UUID(track_id), state=Track.State.SEALED).first()
    if track is None:
        return False
    try:
        return keep_peaks(track)
    except Problem as problem:
        logger.warning("no peaks of track %s: %s", track_id, problem.code)
        return False


@shared_task(name="apps.recordings.tasks.make_missing_peaks")
def make_missing_peaks() -> int:
    """`make_peaks` of tracks that were sealed since it ran last; how many it made. The sealer has no time for it.
    What cannot be opened is not tried again before it is too old.
    """
    until = time.monotonic() + TURN
    made = 0
    since = timezone.now() - LOOKS_BACK
    tracks = Track.objects.filter(state=Track.State.SEALED, ended_at__gt=since).order_by("ended_at")
    for pk, conference_id in tracks.values_list("pk", "conference"):
        if time.monotonic() > until:
            break
        tried = f"peaks-tried-{pk}"
        if peaks_file(conference_id, pk).exists() or cache.get(tried):
            continue
        if make_peaks(str(pk)):
            made += 1
        else:
            cache.set(tried, True, LOOKS_BACK.total_seconds())
    return made
