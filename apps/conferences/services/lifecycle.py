"""When a conference starts and ends, whoever decides it: a person, the clock, or that everybody has left.

`start` and `end` write through `Change`; the switchboard calls `start_gathered` and `end_conference`, which take the
lock themselves.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from apps.conferences.live.changes import Change, change
from apps.conferences.models import Conference
from apps.core import audit

from . import recording


def start(change: Change) -> None:
    """Wait no longer for quorum and chair; the plan may have it locked from here on. Nothing if it runs already."""
    conference = change.conference
    if conference.phase == Conference.Phase.GATHERING:
        change.set(
            conference,
            phase=Conference.Phase.RUNNING.value,
            started_at=timezone.now(),
            locked=conference.locked or conference.lock_after_start,
        )
        recording.begin(change)


def end(change: Change, reason: Conference.EndReason) -> None:
    """For all and for good. What was desired of the participants stays as it was: it tells how the conference ended."""
    if change.conference.phase == Conference.Phase.ENDED:
        return
    change.detail["reason"] = reason.value
    change.set(
        change.conference,
        phase=Conference.Phase.ENDED.value,
        ended_at=timezone.now(),
        end_reason=reason.value,
        called_id=None,
    )
    for whisper in change.conference.whispers.filter(closed_at=None):
        change.set(whisper, closed_at=change.conference.ended_at)


def start_gathered(conference_id: UUID) -> None:
    """For the switchboard: whoever was waited for is in. Nothing if the conference gathers no longer."""
    with change(conference_id, by=audit.SYSTEM, action="start") as c:
        start(c)


def end_conference(conference_id: UUID, reason: Conference.EndReason, *, by: audit.By = audit.SYSTEM) -> None:
    """End it, unless it has ended. Raises NotFound."""
    with change(conference_id, by=by, action="end") as c:
        end(c, reason)
