"""The document of minutes (document.py) from rows: as they are now, and as they were signed.

Nobody's rights are asked here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.recordings.models import Track

from . import document as written
from .attendance import attendees_of
from .chain import is_erased
from .exports import as_json
from .models import Minutes, Passage, SignedVersion, Transcript
from .selectors import lacks_some, with_words

OVERLAP: Final = timedelta(milliseconds=300)
"""Whoever speaks for longer while another one does speaks at the same time."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def document_now(minutes: Minutes, *, site: str, language: written.Language) -> written.Document:
    """The minutes as they are, hidden passages too, with links that begin with `site` ("https://host")."""
    conference, whisper = minutes.conference, minutes.whisper
    attending = attendees_of(minutes)
    names = _apart([(each.participant, each.name) for each in attending])
    passages = list(
        with_words(minutes.passages.filter(removed=False)).select_related("track").order_by("starts_at", "pk")
    )
    # Somebody may speak in a whisper, or be named, who is not among those who attend.
    names |= {
        each.participant.pk: each.participant.name
        for each in passages
        if each.participant and each.participant.pk not in names
    }
    with translation.override(language):
        return written.Document(
            conference=conference.pk,
            title=conference.title,
            started_at=whisper.opened_at if whisper else conference.started_at or conference.launched_at,
            ended_at=whisper.closed_at if whisper else conference.ended_at,
            time_zone=settings.TIME_ZONE,
            language=language,
            whisper=(whisper.title or _("without a title")) if whisper else "",
            agenda="" if whisper else conference.agenda,
            attendees=tuple(written.Attendee(names[each.participant], each.role, each.stays) for each in attending),
            passages=tuple(_overlapping([_passage(each, names, site) for each in passages])),
            notices=tuple(_notices(minutes, passages)),
            summary=minutes.summary,
        )


def document_signed(version: SignedVersion, language: written.Language | None = None) -> written.Document:
    """What was signed, without what was erased since; `language`: that of the document's own words."""
    kept = version.document
    document = as_json.read(json.dumps(kept).encode())
    gone = sum(is_erased(each) for each in kept["passages"])
    with translation.override(language or document.language):
        if gone:
            text = ngettext(
                "%(count)d passage was erased after these minutes were signed.",
                "%(count)d passages were erased after these minutes were signed.",
                gone,
            )
            document = replace(document, notices=(*document.notices, text % {"count": gone}))
    return replace(document, language=language or document.language)


def _passage(passage: Passage, names: dict[UUID, str], site: str) -> written.Passage:
    page = f"{site}/conferences/{passage.track.conference_id}/minutes?passage={passage.pk}"
    if passage.track.whisper_id is not None:
        page += f"&whisper={passage.track.whisper_id}"
    speaker = passage.speaker or (names[passage.participant_id] if passage.participant_id else "")
    return written.Passage(
        id=passage.pk,
        speaker=speaker,
        starts_at=passage.starts_at,
        ends_at=passage.starts_at + (passage.end - passage.start) * _MILLISECOND,
        sentences=tuple(
            written.Sentence(
                text=text,
                starts_at=passage.starts_at + (start - passage.start) * _MILLISECOND,
                ends_at=passage.starts_at + (end - passage.start) * _MILLISECOND,
                link=f"{page}&at={start}",
                confidence=confidence,
            )
            for start, end, text, confidence in passage.sentences
        ),
        mark=passage.mark,  # type: ignore[arg-type]  # the choices of the field
        task_person=passage.task_person,
        task_due=passage.task_due,
        hidden=passage.hidden,
        edited=passage.edited,
    )


def _overlapping(passages: Sequence[written.Passage]) -> Iterable[written.Passage]:
    """In the order of their beginnings; with whether somebody else speaks meanwhile. What is hidden does not count:
    it would be seen in the others.
    """
    overlapped: set[UUID] = set()
    going_on: list[written.Passage] = []
    for passage in passages:
        going_on = [each for each in going_on if each.ends_at - passage.starts_at > OVERLAP]
        for other in going_on:
            together = min(other.ends_at, passage.ends_at) - passage.starts_at
            if other.speaker != passage.speaker and together > OVERLAP:
                overlapped |= {each.id for each, by in ((passage, other), (other, passage)) if not by.hidden}
        going_on.append(passage)
    return (replace(each, overlaps=each.id in overlapped) for each in passages)


def _apart(people: Iterable[tuple[UUID, str]]) -> dict[UUID, str]:
    """Names by which each can be told from the others: the second 王伟 is "王伟 (2)"."""
    people = list(people)
    taken: set[str] = set()
    every = {name for _key, name in people}
    names = {}
    for key, name in people:
        found, number = name, 1
        while found in taken or (number > 1 and found in every):
            number += 1
            found = f"{name} ({number})"
        taken.add(found)
        names[key] = found
    return names


def _notices(minutes: Minutes, passages: Sequence[Passage]) -> Iterable[str]:
    states = Transcript.State
    rows = Transcript.objects.filter(minutes=minutes.pk)
    if waiting := rows.filter(state__in=(states.WAITING, states.HEARD)).count():
        yield ngettext(
            "%(count)d utterance is not written yet, or not for good.",
            "%(count)d utterances are not written yet, or not for good.",
            waiting,
        ) % {"count": waiting}
    if failed := rows.filter(state=states.FAILED).count():
        yield ngettext(
            "%(count)d utterance could not be written, or not refined.",
            "%(count)d utterances could not be written, or not refined.",
            failed,
        ) % {"count": failed}
    if lacks_some(minutes):
        yield _("Some of what was recorded was out of reach, and what was said there is missing.")
    tracks = {each.track_id for each in passages}
    if Track.objects.filter(pk__in=tracks, state=Track.State.ERASED).exists():
        yield _("The audio of some of this was erased: its links lead to the text alone.")
