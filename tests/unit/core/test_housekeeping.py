"""What is kept for a time goes when that is over, and nothing else does; and somebody comes to do it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.conferences.models import Delta
from apps.conferences.tasks import forget_deltas
from apps.core.models import IdempotencyRecord
from apps.core.tasks import forget_answers
from apps.switch.accounts import make_browser_account
from apps.switch.models import BrowserAccount
from apps.switch.tasks import forget_browser_accounts
from sparkle.celery import app
from tests.factories import make_conference, make_user

pytestmark = pytest.mark.django_db


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)
    assert app.conf.beat_schedule


def test_answers_go_after_a_day() -> None:
    old, young = (
        IdempotencyRecord.objects.create(
            actor_id=uuid4(), key=key, method="POST", path="/", body_hash="", status=200, answer={}
        )
        for key in ("old", "young")
    )
    IdempotencyRecord.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    forget_answers()
    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == [young.key]


def test_deltas_go_after_an_hour() -> None:
    conference = make_conference(make_user("alice"))
    for seq in (101, 102):
        Delta.objects.create(conference=conference, seq=seq, changes={})
    Delta.objects.filter(seq=101).update(at=timezone.now() - timedelta(minutes=61))
    forget_deltas()
    assert list(conference.deltas.values_list("seq", flat=True)) == [102]


def test_browser_accounts_go_when_they_have_expired() -> None:
    now = timezone.now()
    for minutes in (-1, 1):
        make_browser_account(now + timedelta(minutes=minutes))
    assert forget_browser_accounts() == 1
    assert BrowserAccount.objects.get().expires_at > now
