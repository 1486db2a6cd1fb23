"""Which node a conference is on: chosen at launch, and another one when it is lost for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps.conferences.errors import NoNode
from apps.conferences.live.changes import change
from apps.conferences.models import Attempt, Conference
from apps.conferences.reconcile.observed import NODE_LOST
from apps.core import audit
from apps.switch.models import Node


def choose_node() -> Node:
    """An enabled node: one that is within reach before one that is not, the one with the fewest legs. Raises NoNode."""
    takes = Node.objects.filter(enabled=True).order_by("legs", "name")
    node = takes.filter(_within_reach(timezone.now())).first() or takes.first()
    if node is None:
        raise NoNode
    return node


def on_lost_nodes(now: datetime) -> list[UUID]:
    """The conferences to be moved: unsettled, on a node that no switchboard has reached for too long, while there is
    another one to go to.
    """
    if not settings.SPARKLE_NODE_LOST_SECONDS or not Node.objects.filter(_within_reach(now), enabled=True).exists():
        return []
    lost = Node.objects.filter(_lost(now))
    return list(Conference.objects.filter(node__in=lost, settled_at=None).values_list("pk", flat=True))


def move_from_lost(conference_id: UUID) -> None:
    """Let another node have it: its legs count as gone, so everybody who was in is called back into place there. One
    that has ended is settled. Nothing if its node was reached meanwhile. Raises NotFound, NoNode.
    """
    now = timezone.now()
    with change(conference_id, by=audit.SYSTEM, action="move_node") as c:
        lost = Node.objects.filter(_lost(now), pk=c.conference.node_id).first()
        if lost is None or c.conference.settled_at is not None:
            return
        c.detail["from"] = lost.name
        Attempt.objects.filter(conference=c.conference).exclude(phase=Attempt.Phase.ENDED).update(
            phase=Attempt.Phase.ENDED, cause=NODE_LOST, ended_at=now
        )
        if c.conference.phase == Conference.Phase.ENDED:
            c.set(c.conference, settled_at=now)
            return
        node = Node.objects.filter(_within_reach(now), enabled=True).order_by("legs", "name").first()
        if node is None:
            raise NoNode
        c.detail["to"] = node.name
        c.set(c.conference, node_id=node.pk)


def _within_reach(now: datetime) -> Q:
    return Q(connected=True, lease_until__gt=now)


def _lost(now: datetime) -> Q:
    """No switchboard has reached it, or none has even tried to: the one beside it may have died with it."""
    limit = now - timedelta(seconds=settings.SPARKLE_NODE_LOST_SECONDS)
    return Q(connected=False, unreachable_since__lt=limit) | Q(lease_until__lt=limit)
