"""Whether jobs wait on a queue of Celery."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )


def job_waits(queue: str) -> bool:
    """No, too, where the broker does not answer."""
    try:
        return bool(_broker().llen(queue))
    except redis.RedisError:
        return False
