"""Sealing on each node's own queue, as long as something is recorded there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.db.models import Q

from apps.core.queues import TURN, Then, job_waits, take_turn
from apps.recordings.models import Track
from apps.recordings.sealing import alarms
from apps.recordings.sealing.again import lay_out, may_be_asked
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.spool import Spool
from apps.recordings.storage.configured import folder
from apps.switch.models import Node


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
    """Seal what the node records, and lay out what is asked for again, until nothing is live and nobody may ask. Where
    that fails, nothing is let go. Raises SpoolRefused.
    """
    sealer = _sealer(node_name)

    def a_round() -> Then:
        live = sealer.round()
        lay_out(node_name)
        return Then.LOOK_AGAIN if live or may_be_asked(node_name) else Then.NOTHING

    take_turn(queue_of(node_name), a_round, waits=f"sealing on {node_name} waits")


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
