"""Jobs of Celery that go on for as long as there is something to do, and whether others wait on their queue."""

from __future__ import annotations

import logging
import mmap
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import cache
from typing import Any, Final

import redis
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import Error, close_old_connections
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

TURN: Final = 20.0
"""Seconds after which a job that goes on gives way to the next one, if that waits already."""
IDLE: Final = 0.25
AFTER_AN_ERROR: Final = 1.0

#: One byte, shared with the processes that the worker forks: the worker ends, so a turn has to.
_ending: Final = mmap.mmap(-1, 1)


class Then(Enum):
    """What is to be done after a round."""

    NOTHING = auto()
    LOOK_AGAIN = auto()
    GO_ON = auto()


def take_turn(queue: str, a_round: Callable[[], Then], *, waits: str, said: Callable[[Exception], str] = str) -> None:
    """Do one round after the other until there is nothing to do, until the worker ends, or until another job waits on
    the queue after TURN seconds: while the broker is away none comes, and this one goes on. What the database or the
    disk refuses is tried again; the log has it once: `waits`, and what was `said`.
    """
    began = time.monotonic()
    failed = ""
    while not worker_ends():
        try:
            then, failed = a_round(), ""
        except (Error, OSError) as error:
            if said(error) != failed:
                log.error("%s: %s", waits, said(error))
            then, failed = Then.LOOK_AGAIN, said(error)
            close_old_connections()
        if then is Then.NOTHING or (time.monotonic() - began >= TURN and job_waits(queue)):
            return
        if then is Then.LOOK_AGAIN:
            time.sleep(AFTER_AN_ERROR if failed else IDLE)


def job_waits(queue: str) -> bool:
    """No, too, where the broker does not answer."""
    try:
        return bool(_broker().llen(queue))
    except redis.RedisError:
        return False


def worker_ends() -> bool:
    return bool(_ending[0])


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _ending[0] = 1


@cache
def _broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.CELERY_BROKER_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )
