"""What a worker does with a track once it is sealed. Known to Celery from the moment the application is ready."""

from __future__ import annotations

import logging
from uuid import UUID

from celery import shared_task

from apps.core.errors import Problem

from .models import Track
from .peaks import keep_peaks

logger = logging.getLogger(__name__)


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
