"""The Celery application: `celery -A sparkle.celery worker` and `… beat`."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, bootsteps
from celery.beat import PersistentScheduler

from apps.core.heartbeat import heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")

#: Seconds between two heartbeats of a worker.
HEARTBEAT = 5.0


class Heartbeats(bootsteps.StartStopStep):
    """A worker's sign of life, from the timer of its own loop: it stops when the loop hangs or waits for a broker that
    is away. (`celery inspect ping` starts a Celery for each question, and waits behind long jobs.)
    """

    requires = ("celery.worker.components:Timer",)

    def start(self, parent: Any) -> None:
        parent.timer.call_repeatedly(HEARTBEAT, heartbeat)


class Scheduler(PersistentScheduler):
    """Beat's scheduler, which gives a sign of life with each look at the schedule."""

    def tick(self, *args: Any, **kwargs: Any) -> float:
        heartbeat()
        return super().tick(*args, **kwargs)


app = Celery("sparkle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(Heartbeats)
