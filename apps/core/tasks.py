"""Housekeeping."""

from __future__ import annotations

from celery import shared_task

from . import brake
from .api.idempotency import forget_old_answers


@shared_task
def forget_answers() -> int:
    """Remove idempotency records past their 24 hours."""
    return forget_old_answers()


@shared_task
def forget_failures() -> int:
    """Remove counts of failures whose time is over."""
    return brake.forget_failures()
