"""Erasing, each night, what has been kept for as long as it was to be."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.recordings.retention import expired, shred_expired
from apps.recordings.shredding import remove_files


@shared_task
def erase_expired() -> int:
    """Conference by conference; of how many something was erased."""
    erased = 0
    for conference in expired(timezone.now()):
        if tracks := shred_expired(conference):
            remove_files(tracks)
            erased += 1
    return erased
