"""The one way in which a person changes minutes: under the lock of their row, numbered, kept, told and audited.

The order of locks is: transcripts (only who erases or writes), minutes, passages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.conferences.actors import Actor
from apps.core import audit
from apps.core.errors import NotFound
from apps.minutes.errors import MinutesSigned, PassageOutdated
from apps.minutes.models import Minutes, Passage, Revision
from apps.minutes.rights import may_see
from apps.minutes.selectors import with_words
from apps.minutes.telling import for_reader, tell


class Change:
    """Collects what one act changes in minutes, whose row is locked and fresh in `minutes`."""

    def __init__(self, minutes: Minutes, *, actor: Actor, by: audit.By, act: str) -> None:
        self.minutes = minutes
        self.actor = actor
        self.by = by
        self.act = act
        self.seq = minutes.seq + 1
        self.at = timezone.now()
        self.changed: list[Passage] = []
        self.numbered = False
        self.detail: dict[str, Any] = {}

    def passage(self, passage_id: UUID, version: int) -> Passage:
        """The one that the person saw as `version`, locked. Raises PassageOutdated with the passage as it is now, and
        NotFound where there is none for them.
        """
        passage = with_words(self.minutes.passages.select_for_update(of=("self",))).filter(pk=passage_id).first()
        if passage is None or not may_see(self.actor, passage):
            raise NotFound
        if passage.version != version:
            raise PassageOutdated(passage=for_reader(passage, self.actor))
        if passage.removed:
            raise NotFound
        return passage

    def revise(self, passage: Passage, *, act: str = "", **values: Any) -> None:
        """Give columns of the passage these values, and keep what they were; nothing where none is another."""
        before = {name: getattr(passage, name) for name in values}
        changed = {name: value for name, value in values.items() if value != before[name]}
        if not changed:
            return
        for name, value in changed.items():
            setattr(passage, name, value)
        if "sentences" in changed:
            passage.say(passage.sentences)
        if "participant_id" in changed:
            there = self.minutes.conference.participants.all()
            passage.participant = there.get(pk=passage.participant_id) if passage.participant_id else None
        passage.edited = True
        passage.version += 1
        self._keep(passage, act or self.act, {name: before[name] for name in changed}, changed)

    def add(self, passage: Passage, **after: Any) -> None:
        """A new passage, of which this is the first version."""
        passage.edited = True
        self._keep(passage, self.act, {}, after)

    def _keep(self, passage: Passage, act: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        passage.seq = self.seq
        passage.save()
        person = self.actor.login
        Revision.objects.create(
            passage=passage,
            version=passage.version,
            at=self.at,
            by=person,
            by_name=self.actor.user.display_name[:64],
            act=act,
            before=_kept(before),
            after=_kept(after),
        )
        self.changed.append(passage)

    def store(self) -> None:
        if not self.changed and not self.numbered:
            return
        self.minutes.seq = self.seq
        self.minutes.save()
        tell(self.minutes, self.changed)
        audit.record(
            by=self.by,
            action=f"minutes_{self.act}",
            on=self.minutes,
            # The conference's log is read by people who were in no whisper.
            conference_id=self.minutes.conference_id if self.minutes.whisper_id is None else None,
            detail=self.detail,
        )


@contextmanager
def change(minutes_id: UUID, *, actor: Actor, by: audit.By, act: str, signed: bool = False) -> Iterator[Change]:
    """One act on minutes, whole or not at all. A block that changes nothing leaves no trace. Raises MinutesSigned,
    unless it is for `signed` ones.
    """
    with transaction.atomic():
        minutes = Minutes.objects.select_for_update(of=("self",)).select_related("conference").get(pk=minutes_id)
        if minutes.state == Minutes.State.SIGNED and not signed:
            raise MinutesSigned
        collected = Change(minutes, actor=actor, by=by, act=act)
        yield collected
        collected.store()


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    """As JSON, by the names of the API."""
    return {name.removesuffix("_id"): _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            return value
