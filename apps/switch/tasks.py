"""Housekeeping."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from .models import BrowserAccount
from .sign_in import forget_guards


@shared_task
def forget_browser_accounts() -> int:
    """Remove those that have expired; how many there were."""
    return BrowserAccount.objects.filter(expires_at__lt=timezone.now()).delete()[1].get("switch.BrowserAccount", 0)


@shared_task
def forget_sign_ins() -> int:
    """Remove what is known of failed and old sign-ins and holds nobody up any more; how many there were."""
    return forget_guards()
