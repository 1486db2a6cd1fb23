"""Writing minutes on the queue `minutes`, as long as there is something to write; and sending them by mail."""

from __future__ import annotations

import time
from functools import cache
from typing import Final

from celery import shared_task
from django.db import connection

from apps.core.queues import TURN, Then, job_waits, take_turn, worker_ends

from .delivering import deliver_next, give_up_interrupted
from .transcribing.queue import may_have_work, open_minutes
from .transcribing.work import Scribe

QUEUE: Final = "minutes"


@cache
def _scribe() -> Scribe:
    return Scribe()


@shared_task
def write_minutes() -> None:
    """Write what was said until no minutes are open any more. It may die at any moment, and several may run at once."""
    scribe = _scribe()

    def a_round() -> Then:
        if scribe.round():
            return Then.GO_ON
        return Then.LOOK_AGAIN if scribe.may_listen and may_have_work() else Then.NOTHING

    take_turn(QUEUE, a_round, waits="minutes wait", said=_without_words)


def _without_words(error: Exception) -> str:
    """The text of an error may have what was said in it."""
    state = getattr(error.__cause__, "sqlstate", None)
    return f"{type(error).__name__} {state or ''}".strip()


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
    """Minutes that wait to be sent, for a while; how many went. One at a time: where the mail server keeps it waiting,
    the workers' other processes are left for what cannot wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('minutes mail', 0))")
        if not cursor.fetchone()[0]:
            return 0
    try:
        return _send_waiting()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('minutes mail', 0))")


def _send_waiting() -> int:
    give_up_interrupted()
    until = time.monotonic() + TURN
    count = 0
    while time.monotonic() < until and not worker_ends() and deliver_next():
        count += 1
    return count
