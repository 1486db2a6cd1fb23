"""Passages as people are told of them, by REST and by the live feed alike; and telling the feed.

A message says which change of the minutes comes after which, and while the conference runs and its plan lets all who
are in read along (captions), also what changed. Whoever misses one asks for what changed since (`passages/?since=`).
Of a whisper nothing is told here: the feed goes to people who are not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from apps.conferences.actors import Actor
from apps.conferences.live.changes import minutes_channel
from apps.conferences.live.views import plain
from apps.conferences.models import Conference
from apps.core import realtime

from .models import Minutes, Passage, Transcript
from .rights import is_own, may_see

MOST_AT_ONCE = 20
"""So many passages are told of in one message: who missed more asks for them."""


def read_along(conference: Conference) -> bool:
    """Whether all who are in the conference may read what is said in its main room."""
    return conference.captions and conference.phase != Conference.Phase.ENDED


def shown(passage: Passage) -> dict[str, Any]:
    """`passage` with its transcript and participant. Without its words where it is gone."""
    gone = passage.removed
    return {
        "id": str(passage.pk),
        "seq": passage.seq,
        "version": passage.version,
        "removed": gone,
        "participant": passage.participant_id and str(passage.participant_id),
        "speaker": speaker_of(passage),
        "track": str(passage.track_id),
        "starts_at": plain(passage.starts_at),
        "ends_at": plain(passage.starts_at + timedelta(milliseconds=passage.end - passage.start)),
        "start_ms": passage.start,
        "end_ms": passage.end,
        "sentences": [] if gone else [_sentence(each) for each in passage.sentences],
        "language": passage.transcript.language,
        "refined": passage.transcript.state == Transcript.State.DONE,
        "mark": passage.mark,
        "task_person": passage.task_person,
        "task_due": passage.task_due and passage.task_due.isoformat(),
        "hidden": passage.hidden,
        "edited": passage.edited,
    }


def _sentence(sentence: list[Any]) -> dict[str, Any]:
    start, end, text, confidence = sentence
    return {"start_ms": start, "end_ms": end, "text": text, "confidence": confidence}


def speaker_of(passage: Passage) -> str:
    return passage.speaker or (passage.participant.name if passage.participant else "")


def for_all(passage: Passage) -> dict[str, Any]:
    """As those see it who may not correct: what is hidden is gone."""
    document = shown(passage)
    return {**document, "removed": True, "sentences": []} if passage.hidden else document


def for_reader(passage: Passage, actor: Actor) -> dict[str, Any]:
    """As this person sees it."""
    document = shown(passage) if may_see(actor, passage) else for_all(passage)
    return {**document, "mine": is_own(actor, passage)}


def tell(minutes: Minutes, passages: Iterable[Passage] = ()) -> None:
    """Once the running transaction commits. `minutes` has the number of the change already, and its conference."""
    if minutes.whisper_id is not None:
        return
    message: dict[str, Any] = {"type": "minutes", "seq": minutes.seq}
    told = list(passages)
    if read_along(minutes.conference) and 0 < len(told) <= MOST_AT_ONCE:
        message["passages"] = [for_all(each) for each in told]
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    realtime.publish(minutes_channel(minutes.conference_id), text)
