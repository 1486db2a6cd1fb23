"""What viewers see of a conference: the fields, how values are written, and which class of viewer sees which. Pure.

There are three classes of view: FULL for chair and above, LIMITED for those below, who see no numbers and no causes,
and WAITING for those who have not been let in, who see nobody but themselves. One frame is built for each class, not
one for each viewer; those of WAITING are told by snapshots of their own. `snapshot.py` writes the same fields in SQL;
the invariant test (old snapshot + deltas == fresh snapshot) is what keeps the two alike.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.conferences.access import Action, Role, may

Changes = dict[str, Any]
"""`{"conference": {field: value}, "participants": {id: {field: value} | None}, "whispers": …, "announcements": …}`;
absent parts are unchanged.
"""

KINDS = ("participants", "whispers", "announcements")

#: The visible columns, by table; what the viewer's field is called where that differs from the column. `room` is made
#: from a name.
CONFERENCE = (
    "id",
    "plan_id",
    "title",
    "agenda",
    "phase",
    "locked",
    "observed_locked",
    "floor_mode",
    "called_id",
    "wait_for_chair",
    "quorum_percent",
    "lock_after_start",
    "lobby",
    "entry_muted",
    "max_participants",
    "recording_policy",
    "recording",
    "recording_since",
    "minutes_policy",
    "captions",
    "prompt_language",
    "launched_at",
    "started_at",
    "ends_at",
    "ended_at",
    "end_reason",
    "expected_at",
    "guest_link_at",
)
PARTICIPANT = (
    "id",
    "position",
    "name",
    "role",
    "user_id",
    "guest",
    "state",
    "present",
    "refused",
    "admitted",
    "muted",
    "forbidden",
    "granted",
    "deaf",
    "held",
    "volume",
    "hand_raised_at",
    "chair_asked_at",
    "whisper_id",
    "observed_room",
    "observed_muted",
    "observed_deaf",
    "observed_held",
    "observed_volume",
    "codec",
    "encryption",
    "loss",
    "jitter",
    "joined_at",
    "left_at",
    "numbers",
    "round",
    "cause",
    "sip_code",
    "next_try_at",
    "caller_number",
)
WHISPER = ("id", "title", "soft_main", "opened_by_id", "opened_at", "closed_at", "observed_feed")
ANNOUNCEMENT = ("id", "participant_id", "text", "language", "created_at", "played_at", "error")

#: Fields of the conference that WAITING lacks.
INSIDE = frozenset({"agenda", "called"})

#: Fields of a participant that only FULL has.
PRIVATE = frozenset({"numbers", "round", "cause", "sip_code", "next_try_at", "caller_number"})

_RENAMED = {
    "plan_id": "plan",
    "called_id": "called",
    "user_id": "user",
    "whisper_id": "whisper",
    "observed_room": "room",
    "opened_by_id": "opened_by",
    "participant_id": "participant",
}


class View(enum.StrEnum):
    FULL = "full"
    LIMITED = "limited"
    WAITING = "waiting"


def view_of(role: Role, *, waits: bool) -> View:
    if waits:
        return View.WAITING
    return View.FULL if may(role, Action.VIEW_NUMBERS, frozenset()) else View.LIMITED


def field_name(column: str) -> str:
    return _RENAMED.get(column, column)


def shown(columns: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    """Of the columns in `values` those that viewers see, under the viewers' names and as JSON has them."""
    return {
        field_name(column): room(values[column]) if column == "observed_room" else plain(values[column])
        for column in columns
        if column in values
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: ids as text, times in UTC with microseconds (`2026-11-23T08:00:00.000000Z`)."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value


def room(name: str) -> str | None:
    """A room's name on the switch (rooms.py) as viewers know it: "main", "lobby", the whisper's id, or None."""
    if name.startswith("c-"):
        return "main"
    if name.startswith("l-"):
        return "lobby"
    return str(UUID(name[2:])) if name.startswith("w-") else None


def merge(changes: Changes, later: Mapping[str, Any]) -> Changes:
    """Both, as one set of changes: field by field, the later wins; neither argument is altered."""
    merged: Changes = {part: dict(values) for part, values in changes.items()}
    if conference := later.get("conference"):
        merged["conference"] = {**merged.get("conference", {}), **conference}
    for kind in KINDS:
        if kind not in later:
            continue
        objects = merged.setdefault(kind, {})
        for key, fields in later[kind].items():
            before = objects.get(key)
            objects[key] = {**before, **fields} if before is not None and fields is not None else fields
    return merged


def restrict(changes: Changes, view: View) -> Changes:
    """What of these changes a class of view is told."""
    participants = changes.get("participants")
    if view is View.FULL or not participants:
        return changes
    left = {
        key: fields and {name: value for name, value in fields.items() if name not in PRIVATE}
        for key, fields in participants.items()
    }
    # `{}` says nothing; None says that the participant is gone.
    left = {key: fields for key, fields in left.items() if fields != {}}
    rest = {kind: values for kind, values in changes.items() if kind != "participants"}
    return {**rest, "participants": left} if left else rest
