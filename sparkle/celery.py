"""The Celery application: `celery -A sparkle.celery worker`."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")

app = Celery("sparkle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
