"""Housekeeping."""

from __future__ import annotations

from celery import shared_task

from .api.idempotency import forget_old_answers


@shared_task
def forget_answers() -> int:
    """Remove idempotency records past their 24 hours."""
    return forget_old_answers()
