"""Taking sealed tracks to where they belong, on the queue of whichever machine has their files."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Final

from celery import shared_task
from django.db.models import QuerySet

from apps.conferences.models import Conference
from apps.recordings.errors import Away, RecordingOnItsNode
from apps.recordings.models import Track
from apps.recordings.moving import clear, move, remove_erased
from apps.recordings.storage.configured import destination, folder
from apps.switch.models import Node

logger = logging.getLogger(__name__)

BETWEEN: Final = 15.0
"""Seconds between two looks at what is to be moved."""
TURN: Final = 60.0
"""Seconds after which `move_sealed` leaves the rest to the next one."""


def queue_of(node_name: str) -> str:
    """Served beside the node's folder, not by its sealer: a long copy would hold that up."""
    return f"files.{node_name}"


def _to_move() -> QuerySet[Track]:
    """Sealed tracks in folders of nodes. Not before the conference is over: until then people hear parts of it again,
    and the sealer, which lays that out, is not to wait for a store.
    """
    over = Track.objects.filter(conference__phase=Conference.Phase.ENDED)
    return over.filter(state=Track.State.SEALED, storage=Track.Storage.FOLDER)


@shared_task
def move_sealed(node_name: str) -> int:
    """Move what is sealed in the node's folder to where it belongs; how many tracks. What fails is tried again by the
    next one.
    """
    until = time.monotonic() + TURN
    moved = 0
    for track in _to_move().filter(node__name=node_name).select_related("node").order_by("ended_at"):
        if time.monotonic() > until:
            break
        try:
            moved += move(track, destination())
        except Away:
            break
        except (FileNotFoundError, RecordingOnItsNode):
            continue  # lost, which `recordings verify` tells
        except OSError as error:
            logger.error("track %s cannot be moved: %s", track.pk, error)
    return moved


@shared_task
def tidy() -> None:
    """Clear away what was left where nobody reads it, by processes that were killed."""
    folder().drop_parts()
    with contextlib.suppress(Away):
        clear(Track.Storage.FOLDER)
        remove_erased()


@shared_task
def keep_moving() -> None:
    """A `move_sealed` for each node that has something to move."""
    if destination() != Track.Storage.FOLDER:
        for name in Node.objects.filter(pk__in=_to_move().values("node")).values_list("name", flat=True):
            move_sealed.apply_async((name,), queue=queue_of(name), expires=BETWEEN)


@shared_task
def keep_tidy() -> None:
    """A `tidy` for each node."""
    for name in Node.objects.values_list("name", flat=True):
        tidy.apply_async(queue=queue_of(name), expires=3600.0)
