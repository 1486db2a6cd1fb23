"""Pushes through Redis (or Valkey). They are hints: whoever misses one finds the rows, so a failure is logged and
nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
    transaction.on_commit(lambda: _publish(channel, message), robust=True)


#: What `later` keeps, where it does.
_kept: ContextVar[list[tuple[str, str]] | None] = ContextVar("kept", default=None)


@contextmanager
def later() -> Iterator[list[tuple[str, str]]]:
    """Channels and messages of what is published meanwhile, for `publish_now` when nobody waits any more."""
    kept: list[tuple[str, str]] = []
    before = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(before)


def _publish(channel: str, message: str) -> None:
    kept = _kept.get()
    if kept is None:
        publish_now(channel, message)
    else:
        kept.append((channel, message))
