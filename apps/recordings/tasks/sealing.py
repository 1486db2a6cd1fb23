"""Sealing on each node's own queue, as long as something is recorded there."""

from __future__ import annotations

import logging
import mmap
import time
from functools import cache
from pathlib import Path
from typing import Any, Final

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import Error, close_old_connections
from django.db.models import Q

from apps.core.queues import job_waits
from apps.recordings.models import Track
from apps.recordings.sealing import alarms
from apps.recordings.sealing.again import lay_out, may_be_asked
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.spool import Spool
from apps.recordings.storage.configured import folder
from apps.switch.models import Node

log = logging.getLogger(__name__)

TURN: Final = 20.0
"""Seconds after which `seal` gives way to the next one, if that waits already."""
BETWEEN_ROUNDS: Final = 0.25
AFTER_AN_ERROR: Final = 1.0

#: One byte, shared with the processes that the worker forks: the worker ends, so a turn has to.
_ending: Final = mmap.mmap(-1, 1)


@worker_shutting_down.connect
def _end(**_: Any) -> None:
    _ending[0] = 1


def queue_of(node_name: str) -> str:
    """Served by one process alone, beside the node's spool: a job before it on the queue would hold sealing up."""
    return f"media.{node_name}"


@cache
def _sealer(node_name: str) -> Sealer:
    folder().belongs_to(node_name)
    # Kept from turn to turn: each new one begins a new run in every file.
    return Sealer(
        node_name, Spool(Path(settings.SPARKLE_SPOOL_DIR), may_be_on_disk=settings.SPARKLE_SPOOL_MAY_BE_ON_DISK)
    )


@shared_task
def seal(node_name: str) -> None:
    """Seal what the node records, and lay out what is asked for again, until nothing is live and nobody may ask, or
    until the next one waits after TURN seconds: while the broker is away none comes, and this one goes on. Raises
    SpoolRefused.
    """
    sealer = _sealer(node_name)
    began = time.monotonic()
    failed = ""
    while not _ending[0]:
        try:
            live = sealer.round()
            lay_out(node_name)
            goes_on, failed = live > 0 or may_be_asked(node_name), ""
        except (Error, OSError) as error:
            # Nothing was let go. The same again is not said again.
            if str(error) != failed:
                log.error("sealing on %s waits: %s", node_name, error)
            goes_on, failed = True, str(error)
            close_old_connections()
        if not goes_on or (time.monotonic() - began >= TURN and job_waits(queue_of(node_name))):
            return
        time.sleep(AFTER_AN_ERROR if failed else BETWEEN_ROUNDS)


@shared_task
def keep_sealing() -> None:
    """See to it that a `seal` waits for each node that may record. No second one: where nobody takes them, as on a node
    that is down, they must not pile up.
    """
    for name in (
        Node.objects.filter(Q(enabled=True) | Q(tracks__state=Track.State.LIVE))
        .distinct()
        .values_list("name", flat=True)
    ):
        if not job_waits(queue_of(name)):
            # It waits for a whole turn, and may do so a little longer.
            seal.apply_async((name,), queue=queue_of(name), expires=3 * TURN)


@shared_task
def watch_sealers() -> None:
    """Whether each node's sealer does its work."""
    alarms.watch_sealers()
