"""Making two passages of one, where a telephone is used by several, and one of two."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.core import audit
from apps.core.errors import FieldError, Invalid
from apps.core.ids import new_id
from apps.minutes.errors import NothingToMerge
from apps.minutes.models import Passage
from apps.minutes.retiming import cut
from apps.minutes.selectors import with_words

from .changing import change
from .editing import Values, speaker_columns


def split(
    *, by: audit.By, actor: Actor, minutes_id: UUID, passage_id: UUID, version: int, at: int, speaker: Values
) -> tuple[Passage, Passage]:
    """What is before character `at` of the text, and what is after it, of the same speaker unless `speaker` names
    another. A mark stays with the first. Raises NotFound, PassageOutdated, MinutesSigned, Invalid, and what says why
    they may not.
    """
    actor.require(Action.CORRECT_MINUTES)
    with change(minutes_id, actor=actor, by=by, act="split") as c:
        first = c.passage(passage_id, version)
        try:
            before, after = cut(first.sentences, at)
        except ValueError:
            detail = _("Split where there is text on both sides.")
            raise Invalid(errors=[FieldError("at", "invalid", detail)]) from None
        if first.end - first.start < 2:
            raise Invalid(errors=[FieldError("at", "invalid", _("This passage is too short."))])
        begins = min(max(after[0][0], first.start + 1), first.end - 1)
        second = Passage(
            id=new_id(),
            minutes=c.minutes,
            transcript=first.transcript,
            track_id=first.track_id,
            participant=first.participant,
            speaker=first.speaker,
            start=begins,
            end=first.end,
            starts_at=first.starts_at + timedelta(milliseconds=begins - first.start),
            hidden=first.hidden,
        )
        second.say(after)
        columns = speaker_columns(c, speaker)
        for name, value in columns.items():
            setattr(second, name, value)
        c.revise(first, sentences=before, end=min(max(before[-1][1], first.start + 1), begins))
        c.add(second, sentences=after, start=begins, end=second.end, **{"from": first.pk}, **columns)
        # As whoever reads it next finds it: with the participant that it was given.
        second = with_words(Passage.objects.all()).get(pk=second.pk)
        c.changed[-1] = second
    return first, second


def merge(*, by: audit.By, actor: Actor, minutes_id: UUID, passage_id: UUID, version: int) -> tuple[Passage, Passage]:
    """The passage with the next one of its track in it, which is removed; both have to be of one speaker. Raises what
    `split` raises, NothingToMerge.
    """
    actor.require(Action.CORRECT_MINUTES)
    with change(minutes_id, actor=actor, by=by, act="merge") as c:
        first = c.passage(passage_id, version)
        there = c.minutes.passages.filter(track=first.track_id, removed=False)
        later = there.filter(Q(start__gt=first.start) | Q(start=first.start, pk__gt=first.pk))
        second = with_words(later.select_for_update(of=("self",))).order_by("start", "pk").first()
        if second is None or (second.participant_id, second.speaker) != (first.participant_id, first.speaker):
            raise NothingToMerge
        marked = first if first.mark else second
        c.revise(
            first,
            sentences=[*first.sentences, *second.sentences],
            end=max(first.end, second.end),
            mark=marked.mark,
            task_person=marked.task_person,
            task_due=marked.task_due,
            # Nothing that was hidden is distributed by this.
            hidden=first.hidden or second.hidden,
        )
        c.revise(second, act="merged", removed=True)
    return first, second
