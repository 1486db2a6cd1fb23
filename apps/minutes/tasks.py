"""Writing minutes on the queue `minutes`, as long as there is something to write; and sending them by mail."""

from __future__ import annotations

import logging
import mmap
import time
from functools import cache
from typing import Any, Final

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import Error, close_old_connections

from apps.core.queues import job_waits

from .delivering import deliver_next, give_up_interrupted
from .transcribing.queue import may_have_work, open_minutes
from .transcribing.work import Scribe

log = logging.getLogger(__name__)

QUEUE: Final = "minutes"
TURN: Final = 20.0
"""Seconds after which `write_minutes` gives way to the next one, if that waits already."""
IDLE: Final = 0.25
AFTER_AN_ERROR: Final = 1.0

#: One byte, shared with the processes that the worker forks: the worker ends, so a turn has to.
_ending: Final = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _ending[0] = 1


@cache
def _scribe() -> Scribe:
    return Scribe()


@shared_task
def write_minutes() -> None:
    """Write what was said until no minutes are open any more, or until the next one waits after TURN seconds. It may
    die at any moment, and several may run at once.
    """
    scribe = _scribe()
    began = time.monotonic()
    failed = ""
    while not _ending[0]:
        try:
            busy, failed = scribe.round(), ""
            goes_on = busy or may_have_work()
        except (Error, OSError) as error:
            if str(error) != failed:
                log.error("minutes wait: %s", error)
            busy, goes_on, failed = False, True, str(error)
            close_old_connections()
        if not goes_on or (time.monotonic() - began >= TURN and job_waits(QUEUE)):
            return
        if not busy:
            time.sleep(AFTER_AN_ERROR if failed else IDLE)


@shared_task
def keep_writing() -> None:
    """See to it that a `write_minutes` waits while there is work. No second one: where nobody takes them, they must not
    pile up.
    """
    open_minutes()
    if may_have_work() and not job_waits(QUEUE):
        write_minutes.apply_async(queue=QUEUE, expires=3 * TURN)


@shared_task
def send_mail() -> int:
    """Minutes that wait to be sent, for a while; how many went."""
    give_up_interrupted()
    until = time.monotonic() + TURN
    count = 0
    while time.monotonic() < until and deliver_next():
        count += 1
    return count
