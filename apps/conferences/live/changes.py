"""The one way in which a conference changes: under its row's lock, numbered, told to viewers and to the switchboard,
and audited.

Convention for whoever writes without this module (the switchboard, with plain SQL), in one transaction:

1. `UPDATE conferences_conference SET seq = seq + 1, … WHERE id = … RETURNING seq`: the row's lock keeps the order, so
   it comes before any other row of the conference is locked.
2. Write the facts, then `INSERT INTO conferences_delta (conference_id, seq, at, changes)` with `delta(…)` of this
   module as `changes`. A number without a row is read as "nothing visible changed".
3. After the commit, publish `message(seq, changes)` on `channel(conference)`. Who is talking goes unnumbered, as a
   JSON list of all the ids, on `talking_channel(conference)`.

Services do all of that by `with change(…) as c:`; a block that changes nothing leaves no trace.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, models, transaction
from psycopg.types.json import Jsonb

from apps.conferences.models import Announcement, Conference, Participant, Whisper
from apps.core import audit, realtime
from apps.core.errors import NotFound
from apps.core.sql import instances, update

from .views import ANNOUNCEMENT, CONFERENCE, PARTICIPANT, WHISPER, Changes, shown

#: What the switchboard listens to; the payload is the conference's id.
NOTIFY_CHANNEL = "sparkle_desired"
#: With the parameters `channel` and `conference`.
NOTIFY = "SELECT pg_notify(%(channel)s, %(conference)s::text)"
#: What is written with each change, besides the rows that were set.
_KEPT = (
    "INSERT INTO conferences_delta (conference_id, seq, at, changes)"
    " VALUES (%(conference)s, %(seq)s, clock_timestamp(), %(changes)s)"
)

_KINDS: Mapping[type[models.Model], tuple[str, tuple[str, ...]]] = {
    Participant: ("participants", PARTICIPANT),
    Whisper: ("whispers", WHISPER),
    Announcement: ("announcements", ANNOUNCEMENT),
}


def channel(conference_id: UUID) -> str:
    return f"sparkle:conference:{conference_id}"


def talking_channel(conference_id: UUID) -> str:
    return f"sparkle:talking:{conference_id}"


def minutes_channel(conference_id: UUID) -> str:
    """What is written in the minutes: whole messages for all who are in, as the applications above make them."""
    return f"sparkle:minutes:{conference_id}"


def message(seq: int, changes: Changes) -> str:
    return json.dumps({"seq": seq, "changes": changes}, ensure_ascii=False, separators=(",", ":"))


def delta(
    *,
    conference: Mapping[str, Any] | None = None,
    participants: Mapping[UUID, Mapping[str, Any]] | None = None,
    whispers: Mapping[UUID, Mapping[str, Any]] | None = None,
    announcements: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> Changes:
    """Changed columns (names and values as in the tables) as what viewers are told; columns that nobody sees are left
    out. Pure.
    """
    changes: Changes = {}
    if fields := shown(CONFERENCE, conference or {}):
        changes["conference"] = fields
    for kind, columns, rows in (
        ("participants", PARTICIPANT, participants),
        ("whispers", WHISPER, whispers),
        ("announcements", ANNOUNCEMENT, announcements),
    ):
        told = {str(key): fields for key, values in (rows or {}).items() if (fields := shown(columns, values))}
        if told:
            changes[kind] = told
    return changes


class Change:
    """Collects what one act changes in one conference, whose row is locked and fresh in `conference`."""

    def __init__(self, conference: Conference) -> None:
        self.conference = conference
        self.seq = conference.seq
        self.detail: dict[str, Any] = {}
        self._updates: dict[models.Model, dict[str, Any]] = defaultdict(dict)
        self._created: list[models.Model] = []
        self._along: list[tuple[str, Mapping[str, Any]]] = []

    def set(self, on: models.Model, **values: Any) -> bool:
        """Give columns (`called_id`) of the conference or of something in it these values; whether any was another
        before.
        """
        changed = {name: value for name, value in values.items() if getattr(on, name) != value}
        for name, value in changed.items():
            setattr(on, name, value)
            self._updates[on][name] = value
        return bool(changed)

    def create(self, *instances: models.Model) -> None:
        """Add participants, a whisper or an announcement; they are stored at once."""
        for model in {type(each) for each in instances}:
            model._default_manager.bulk_create([each for each in instances if type(each) is model])
        self._created.extend(instances)

    def along(self, text: str, values: Mapping[str, Any]) -> None:
        """Write with the rest what no viewer sees and the switchboard is to look at: SQL that writes, and its
        parameters, whose names nothing else has. It is written also where nothing else changes.
        """
        self._along.append((text, values))

    def store(self, by: audit.By, action: str) -> Changes | None:
        """Write what was set, number it, and say who did it; None where viewers see nothing new."""
        key = self.conference.pk
        if not self._updates and not self._created:
            if self._along:
                _write(key, self._along)
            return None
        conference = self._updates.pop(self.conference, {})
        same: dict[tuple[type[models.Model], str], list[models.Model]] = defaultdict(list)
        for instance, values in self._updates.items():
            same[type(instance), repr(sorted(values.items()))].append(instance)
        updates = [
            update(model, [each.pk for each in alike], self._updates[alike[0]], prefix=f"set{at}_")
            for at, ((model, _), alike) in enumerate(same.items())
        ]
        self.seq = self.conference.seq = self.seq + 1
        changes = delta(conference=conference, **self._rows())
        numbered = update(Conference, [key], {**conference, "seq": self.seq}, prefix="conference_")
        kept = _KEPT, {"seq": self.seq, "changes": Jsonb(changes)}
        audited = audit.values(by=by, action=action, on=self.conference, conference_id=key, detail=self.detail)
        _write(key, [*updates, numbered, kept, (audit.INSERT, audited), *self._along])
        return changes

    def _rows(self) -> dict[str, dict[UUID, Mapping[str, Any]]]:
        rows: dict[str, dict[UUID, Mapping[str, Any]]] = {kind: {} for kind, _ in _KINDS.values()}
        for instance, values in self._updates.items():
            rows[_KINDS[type(instance)][0]][instance.pk] = values
        for instance in self._created:
            kind, columns = _KINDS[type(instance)]
            rows[kind][instance.pk] = {name: getattr(instance, name) for name in columns}
        return rows


def _write(conference_id: UUID, parts: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """All of it, and the wake-up, in one statement: a person waits for each."""
    values: dict[str, Any] = {"conference": conference_id, "channel": NOTIFY_CHANNEL}
    written = []
    for at, (text, more) in enumerate(parts):
        written.append(f"written{at} AS ({text})")
        values |= more
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(written)} {NOTIFY}", values)


class Which(NamedTuple):
    """A conference by what is known of it: SQL of a condition for its row `t`, and the parameters."""

    where: str
    values: Mapping[str, Any]


def lock(conference: UUID | Which) -> Conference:
    """The conference's row, locked until the transaction ends. Raises NotFound."""
    which = conference if isinstance(conference, Which) else Which("t.id = %(id)s", {"id": conference})
    found = instances(Conference, *which, "FOR UPDATE")
    if not found:
        raise NotFound
    return found[0]


@contextmanager
def change(conference: UUID | Which, *, by: audit.By, action: str) -> Iterator[Change]:
    """One act on a conference, whole or not at all; see the top of this module. Raises NotFound."""
    with transaction.atomic():
        collected = Change(lock(conference))
        yield collected
        changes = collected.store(by, action)
        if changes is not None:
            realtime.publish(channel(collected.conference.pk), message(collected.seq, changes))


def notify(conference_id: UUID) -> None:
    """Wake the switchboard once the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(NOTIFY, {"channel": NOTIFY_CHANNEL, "conference": conference_id})


def names(participants: Iterable[Participant]) -> list[str]:
    """For the audit log: whom an act was done to."""
    return [participant.name for participant in participants]
