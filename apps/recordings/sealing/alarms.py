"""What administrators are to see of a node's spool, in the node's row."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from apps.switch.models import SPOOL_ALARM, Node

log = logging.getLogger(__name__)

STEP: Final = 5
"""Percent by which the use of a spool changes before it is told at once."""
AT_LEAST: Final = 30.0
"""Seconds after which a sealer tells it all the same, while something is recorded."""
LATE: Final = timedelta(minutes=1)
"""What was recorded for so long and is not sealed, or whose sealer has told nothing for so long, is late."""

_UNSEALED: Final = """
UPDATE switch_node SET unsealed_since = late.since
  FROM (
    SELECT node.id, (
        SELECT min(CASE WHEN track.frames = 0 THEN track.requested_at
                        ELSE greatest(track.requested_at, node.spool_told_at) END)
          FROM recordings_track track
         WHERE track.node_id = node.id AND track.state = 'live' AND track.requested_at < %(late)s
           AND (track.frames = 0 OR node.spool_told_at IS NULL OR node.spool_told_at < %(late)s)
    ) AS since
      FROM switch_node node
  ) AS late
 WHERE switch_node.id = late.id AND switch_node.unsealed_since IS DISTINCT FROM late.since
RETURNING switch_node.name, late.since
"""


class Told:
    """What a node's row says of its spool, written seldom."""

    def __init__(self, node_name: str) -> None:
        self._node = node_name
        self._used: int | None = None
        self._at = -AT_LEAST

    def tell(self, used: int, *, live: bool) -> None:
        """Percent. Raises Error of django.db."""
        now = time.monotonic()
        if not (self._is_news(used) or (live and now - self._at >= AT_LEAST)):
            return
        Node.objects.filter(name=self._node).update(spool_used=used, spool_told_at=timezone.now())
        self._used, self._at = used, now

    def _is_news(self, used: int) -> bool:
        before = self._used
        return before is None or abs(used - before) >= STEP or (used >= SPOOL_ALARM) != (before >= SPOOL_ALARM)


def watch_sealers() -> None:
    """Say of each node since when something waits there to be sealed: because nothing seals, or because it cannot."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, {"late": timezone.now() - LATE})
        changed: list[tuple[str, datetime | None]] = cursor.fetchall()
    for node, since in changed:
        if since:
            log.error("node %s: what is recorded there is not sealed since %s", node, since.isoformat())
        else:
            log.warning("node %s: what is recorded there is sealed again", node)
