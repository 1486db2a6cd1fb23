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


def start(change: Change) -> None:
    """Stop waiting for quorum and chair; later of both locks the conference if its plan says so."""
    conference = change.conference
    values = {"phase": Conference.Phase.RUNNING.value, "wait_for_chair": False, "waiting": False}
    if conference.started_at is None:
        change.set(conference, started_at=timezone.now())
        values["locked"] = conference.locked or conference.lock_after_start
    change.set(conference, **values)


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
        waiting=False,
    )
    for whisper in change.conference.whispers.filter(closed_at=None):
        change.set(whisper, closed_at=change.conference.ended_at)


def start_gathered(conference_id: UUID, *, waits_for_chair: bool) -> None:
    """For the switchboard: the quorum is met. The chair is still awaited if the plan says so and `waits_for_chair`.

    Does nothing when the conference gathers no longer.
    """
    with change(conference_id, by=audit.SYSTEM, action="start") as c:
        conference = c.conference
        if conference.phase == Conference.Phase.GATHERING:
            c.set(
                conference,
                phase=Conference.Phase.RUNNING.value,
                started_at=timezone.now(),
                waiting=conference.wait_for_chair and waits_for_chair,
                locked=conference.locked or conference.lock_after_start,
            )


def end_conference(conference_id: UUID, reason: Conference.EndReason, *, by: audit.By = audit.SYSTEM) -> None:
    """End it, unless it has ended. Raises NotFound."""
    with change(conference_id, by=by, action="end") as c:
        end(c, reason)
