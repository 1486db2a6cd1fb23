"""Celery."""

from __future__ import annotations

from celery.schedules import crontab
from kombu import Queue

from .installation import REDIS_URL, TIME_ZONE

# Jobs. One is acknowledged when it is done, so that a dying worker gives it to another; jobs are safe to run twice.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Beside these, each node has a queue of its own: apps/recordings/tasks/.
CELERY_TASK_QUEUES = [Queue("default"), Queue("media"), Queue("minutes")]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "apps.recordings.tasks.afterwards.make_peaks": {"queue": "media"},
    "apps.recordings.tasks.afterwards.make_missing_peaks": {"queue": "media"},
    "apps.recordings.tasks.afterwards.align_mixes": {"queue": "media"},
    "apps.recordings.tasks.moving.keep_moving": {"queue": "media"},
    "apps.recordings.tasks.moving.keep_tidy": {"queue": "media"},
    "apps.recordings.tasks.erasing.keep_mixing": {"queue": "media"},
    "apps.minutes.tasks.write_minutes": {"queue": "minutes"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "sparkle.celery:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 30  # seconds between two looks at the schedule, at most
_HOURLY = (
    "apps.core.tasks.forget_answers",
    "apps.core.tasks.forget_failures",
    "apps.switch.tasks.forget_browser_accounts",
    "apps.switch.tasks.forget_sign_ins",
    "apps.conferences.tasks.forget_deltas",
    "apps.recordings.tasks.moving.keep_tidy",
)
_SECONDS = {
    "apps.recordings.tasks.sealing.watch_sealers": 15.0,
    "apps.recordings.tasks.sealing.keep_sealing": 2.0,
    "apps.minutes.tasks.send_mail": 10.0,
    "apps.minutes.tasks.keep_writing": 2.0,
    "apps.recordings.tasks.moving.keep_moving": 15.0,
    "apps.recordings.tasks.afterwards.align_mixes": 5.0,
    "apps.recordings.tasks.erasing.keep_mixing": 5.0,
    "apps.recordings.tasks.afterwards.make_missing_peaks": 15.0,
}
"""Between two of a job; one that waited for so long is left out."""
CELERY_BEAT_SCHEDULE = {
    **{job: {"task": job, "schedule": crontab(minute="17")} for job in _HOURLY},
    "apps.recordings.tasks.retention.erase_expired": {
        "task": "apps.recordings.tasks.retention.erase_expired",
        "schedule": crontab(hour="3", minute="17"),
    },
    **{job: {"task": job, "schedule": seconds, "options": {"expires": seconds}} for job, seconds in _SECONDS.items()},
}
