"""What workers do with tracks once there is something in them, and once they are sealed."""

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
from apps.recordings.alignment import align
from apps.recordings.errors import Away
from apps.recordings.models import Track
from apps.recordings.peaks import keep_peaks
from apps.recordings.places import peaks_file

logger = logging.getLogger(__name__)

LOOKS_BACK: Final = timedelta(days=1)
"""Peaks of what ended before are made whenever somebody looks at them."""
TURN: Final = 10.0
"""Seconds after which `make_missing_peaks` leaves the rest to the next one."""


@shared_task
def make_peaks(track_id: str) -> bool:
    """Keep how loud this track is; whether that was still to do. Of one that cannot be opened there is nothing to keep,
    and trying again would not help. Raises Away.
    """
    track = Track.objects.filter(pk=UUID(track_id), state=Track.State.SEALED).first()
    if track is None:
        return False
    try:
        return keep_peaks(track)
    except Away:
        raise
    except Problem as problem:
        logger.warning("no peaks of track %s: %s", track_id, problem.code)
        return False


@shared_task
def make_missing_peaks() -> int:
    """`make_peaks` of tracks that were sealed since it ran last; how many it made. The sealer has no time for it.
    What cannot be opened is not tried again before it is too old, and what is in another store has them already.
    """
    until = time.monotonic() + TURN
    made = 0
    since = timezone.now() - LOOKS_BACK
    sealed = Track.objects.filter(state=Track.State.SEALED, storage=Track.Storage.FOLDER)
    tracks = sealed.filter(ended_at__gt=since).order_by("ended_at")
    for pk, conference_id in tracks.values_list("pk", "conference"):
        if time.monotonic() > until:
            break
        tried = f"peaks-tried-{pk}"
        if peaks_file(conference_id, pk).exists() or cache.get(tried):
            continue
        try:
            if make_peaks(str(pk)):
                made += 1
            else:
                cache.set(tried, True, LOOKS_BACK.total_seconds())
        except Away:
            break
    return made


@shared_task
def align_mixes() -> None:
    """Lay what was said beside the mixes, while they grow and once more when all is sealed."""
    begun = Track.objects.filter(kind=Track.Kind.MIX, started_at__isnull=False, aligned=False)
    for mix in begun.filter(state__in=(Track.State.LIVE, Track.State.SEALED)):
        align(mix)
