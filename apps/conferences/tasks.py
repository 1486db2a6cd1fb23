"""Housekeeping."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from .models import Delta

#: Longer than any hub goes without reading them (live/hub.py, BLIND).
DELTAS_KEPT = timedelta(hours=1)


@shared_task
def forget_deltas() -> int:
    """Remove deltas that every viewer has long been told of; how many there were."""
    return Delta.objects.filter(at__lt=timezone.now() - DELTAS_KEPT).delete()[0]
