"""Correcting a passage, and taking back what was corrected."""

from __future__ import annotations

from datetime import date
from typing import Any, TypedDict
from uuid import UUID

from django.utils.translation import gettext as _

from apps.conferences.actors import Actor
from apps.conferences.errors import require
from apps.core import audit
from apps.core.errors import FieldError, Invalid
from apps.minutes.document import joined
from apps.minutes.errors import NothingToRestore
from apps.minutes.models import Passage, Transcript
from apps.minutes.retiming import Sentence, between, normalised, retimed
from apps.minutes.rights import may_correct

from .changing import Change, change


class Values(TypedDict, total=False):
    """What may be changed; what is not there stays. `participant` is somebody on the roster, `speaker` the name of
    somebody who is not.
    """

    text: str
    participant: UUID
    speaker: str
    mark: str
    task_person: str
    task_due: date | None
    hidden: bool


def edit(*, by: audit.By, actor: Actor, minutes_id: UUID, passage_id: UUID, version: int, values: Values) -> Passage:
    """Raises NotFound, PassageOutdated, MinutesSigned, Invalid, and what says why they may not."""
    with change(minutes_id, actor=actor, by=by, act="edit") as c:
        passage = c.passage(passage_id, version)
        require(may_correct(actor, passage, text_only=values.keys() <= {"text"}))
        columns: dict[str, Any] = {}
        if "text" in values:
            columns["sentences"] = _written(passage, values["text"])
        columns |= speaker_columns(c, values)
        columns |= _marked(passage, values)
        if "hidden" in values:
            columns["hidden"] = values["hidden"]
        c.revise(passage, **columns)
        c.detail["fields"] = sorted(values)
    return passage


def restore(*, by: audit.By, actor: Actor, minutes_id: UUID, passage_id: UUID, version: int) -> Passage:
    """What the engine wrote for its stretch of time, in place of what people made of it; the speaker stays. Raises what
    `edit` raises, NothingToRestore.
    """
    with change(minutes_id, actor=actor, by=by, act="restore") as c:
        passage = c.passage(passage_id, version)
        require(may_correct(actor, passage, text_only=True))
        original = original_of(passage)
        if not original:
            raise NothingToRestore
        c.revise(passage, sentences=original)
    return passage


def original_of(passage: Passage) -> list[Sentence]:
    """Of what the engine wrote at its time, all that is not in the passages beside this one."""
    there = Transcript.objects.filter(track=passage.track_id, start__lt=passage.end, end__gt=passage.start)
    spans = list(there.order_by("start").values_list("start", "end", "sentences"))
    if not spans:
        return []
    beside = Passage.objects.filter(track=passage.track_id, removed=False).exclude(pk=passage.pk)
    # Only those that are made of the same: others may reach a little into its time.
    before = beside.filter(start__lt=passage.start, end__gt=spans[0][0]).order_by("-start").first()
    after = beside.filter(start__gt=passage.start, start__lt=spans[-1][1]).order_by("start").first()
    written = [each for *_, sentences in spans for each in sentences]
    return between(written, before.end if before else None, after.start if after else None)


def speaker_columns(c: Change, values: Values) -> dict[str, Any]:
    """Raises Invalid for somebody who is not on the roster."""
    if "participant" in values and "speaker" in values:
        raise Invalid(errors=[FieldError("speaker", "invalid", _("Name a participant or a speaker, not both."))])
    if "participant" in values:
        if not c.minutes.conference.participants.filter(pk=values["participant"]).exists():
            detail = _("Name somebody who is on the roster of this conference.")
            raise Invalid(errors=[FieldError("participant", "not_found", detail)])
        return {"participant_id": values["participant"], "speaker": ""}
    return {"participant_id": None, "speaker": values["speaker"]} if "speaker" in values else {}


def _written(passage: Passage, text: str) -> list[Sentence]:
    if normalised(text) == joined(each[2] for each in passage.sentences):
        return list(passage.sentences)
    try:
        return retimed(passage.sentences, passage.start, passage.end, text)
    except ValueError:
        detail = _("Write something, or hide the passage.")
        raise Invalid(errors=[FieldError("text", "blank", detail)]) from None


def _marked(passage: Passage, values: Values) -> dict[str, Any]:
    """Person and date belong to a task, and go with it."""
    mark = values.get("mark", passage.mark)
    if mark != Passage.Mark.TASK:
        for name in ("task_person", "task_due"):
            if values.get(name):
                raise Invalid(errors=[FieldError(name, "invalid", _("Only a task has this."))])
        return {"mark": mark, "task_person": "", "task_due": None}
    return {
        "mark": mark,
        "task_person": values.get("task_person", passage.task_person),
        "task_due": values.get("task_due", passage.task_due),
    }
