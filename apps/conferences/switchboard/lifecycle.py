"""What time and attendance do to a conference: it starts when its quorum is in, ends when its time is over or
everybody has left, and moves from a node that is lost.

Through the same services as a person's click, so these acts are numbered, told and audited alike.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

import gevent
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from apps.conferences.models import Conference
from apps.conferences.services import lifecycle, nodes
from apps.core.errors import Problem

from .node import NodeLoop

logger = logging.getLogger(__name__)

EVERY = 1.0
#: Seconds that a conference without anybody in it, and without anybody being called, lives on.
EMPTY = 120.0


def run(loops: Callable[[], Iterable[NodeLoop]]) -> None:
    """Never returns."""
    empty_since: dict[UUID, float] = {}
    while True:
        gevent.sleep(EVERY)
        close_old_connections()
        try:
            held = list(loops())
            for loop in held:
                _start_and_end(loop)
            _move_from_lost(held)
            _end_empty(set().union(*(loop.book.empty() for loop in held)), empty_since)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("lifecycle waits for the database: %s", str(error).strip().splitlines()[:1])


def _start_and_end(loop: NodeLoop) -> None:
    for conference in loop.book.to_start(time.time()):
        _do(lifecycle.start_gathered, conference)
    overdue = Conference.objects.filter(node=loop.lease.node, ends_at__lt=timezone.now()).exclude(phase="ended")
    for conference in overdue.values_list("id", flat=True):
        _do(lifecycle.end_conference, conference, Conference.EndReason.TIME)


def _move_from_lost(held: Iterable[NodeLoop]) -> None:
    """A switchboard that reaches some node gives it the conferences of those that nobody reaches any more."""
    if any(loop.observed.ready for loop in held):
        for conference in nodes.on_lost_nodes(timezone.now()):
            _do(nodes.move_from_lost, conference)


def _end_empty(empty: set[UUID], since: dict[UUID, float]) -> None:
    now = time.monotonic()
    for conference in since.keys() - empty:
        del since[conference]
    for conference in empty:
        if now - since.setdefault(conference, now) >= EMPTY:
            _do(lifecycle.end_conference, conference, Conference.EndReason.EMPTY)


def _do(act: Callable[..., object], conference: UUID, *arguments: object) -> None:
    try:
        act(conference, *arguments)
    except Problem as error:  # somebody was faster
        logger.info("conference %s: %s", conference, error)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:  # one that cannot be started or ended must not keep the others from it
        logger.exception("conference %s", conference)
