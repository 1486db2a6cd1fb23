"""Pushes through Redis (or Valkey). They are hints: whoever misses one finds the rows, so a failure is logged and
nothing more.
"""

from __future__ import annotations

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)


@cache
def _client() -> redis.Redis:
    # No retries and a short patience: a person waits for the answer to their click.
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )


def publish_now(channel: str, message: str) -> None:
    try:
        _client().publish(channel, message)
    except redis.RedisError as error:
        logger.warning("not published on %s: %s", channel, error)


def redis_answers() -> bool:
    try:
        return bool(_client().ping())
    except redis.RedisError:
        return False


def publish(channel: str, message: str) -> None:
    """Publish once the running transaction has committed; at once when there is none."""
    transaction.on_commit(lambda: publish_now(channel, message), robust=True)
