"""What somebody said goes with their voice: in transcripts, passages, revisions, search, and in what was signed.

Theirs is what was written of their tracks, whoever is named as its speaker, since its sound is gone as well; and what
is theirs on others' tracks, where a telephone was used by several. A summary is what its writer made, and stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.conferences.models import Participant
from apps.core.models import IdempotencyRecord

from .chain import erased, is_erased
from .document import joined
from .models import Minutes, MinutesWords, Passage, Revision, SignedVersion, Transcript
from .telling import tell

REASON = "erased"
"""Of transcripts that were emptied."""


def erase_words(person: Participant) -> None:
    """In the running transaction. The order of locks is: transcripts, minutes, passages."""
    conference = person.conference_id
    written = Transcript.objects.filter(minutes__conference=conference)
    # Not their keys: whoever splits a passage refers to its transcript, and holds the minutes.
    list(written.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))
    locked = Minutes.objects.filter(conference=conference).select_for_update(of=("self",)).select_related("conference")
    for minutes in locked.order_by("pk"):
        _erase(minutes, person)
    # Answers that are kept to be repeated have passages in them.
    IdempotencyRecord.objects.filter(path__startswith=f"/api/v1/conferences/{conference}/minutes/").delete()


def _erase(minutes: Minutes, person: Participant) -> None:
    theirs = minutes.passages.filter(Q(track__participant=person) | Q(participant=person))
    gone = {each.pk: each for each in theirs.select_related("track")}
    own = Transcript.objects.filter(minutes=minutes, track__participant=person)
    if not gone and not own.exists():
        return
    mixed = _mixed(minutes, [each for each in gone.values() if each.track.participant_id != person.pk])
    beside = {each.pk: each for each in _made_of(minutes, mixed) if each.pk not in gone}
    Revision.objects.filter(passage__in=beside).delete()
    mixed.update(sentences=[], reason=REASON)
    # The sound is still there, and nobody is to write it again.
    mixed.exclude(state=Transcript.State.DONE).update(state=Transcript.State.REFUSED)
    theirs.delete()
    own.delete()
    minutes.seq += 1
    minutes.erased = minutes.seq
    minutes.save(update_fields=["seq", "erased"])
    # They are indexed anew.
    MinutesWords.objects.filter(minutes=minutes).delete()
    now = {key: joined(each[2] for each in passage.sentences) for key, passage in beside.items()}
    for version in SignedVersion.objects.filter(minutes=minutes).select_for_update():
        kept = version.document["passages"]
        version.document["passages"] = [erased(each) if _is_theirs(each, gone.keys(), now) else each for each in kept]
        version.save(update_fields=["document"])
    tell(minutes)


def _mixed(minutes: Minutes, passages: list[Passage]) -> Any:
    """Transcripts in which these words of theirs are, with those of the one whose track it is."""
    which = Q(pk=None)
    for each in passages:
        which |= Q(track=each.track_id, start__lt=each.end, end__gt=each.start)
    return Transcript.objects.filter(which, minutes=minutes)


def _made_of(minutes: Minutes, transcripts: Any) -> list[Passage]:
    which = Q(pk=None)
    for track, start, end in transcripts.values_list("track", "start", "end"):
        which |= Q(track=track, start__lt=end, end__gt=start)
    return list(minutes.passages.filter(which))


def _is_theirs(passage: Mapping[str, Any], gone: Any, now: Mapping[UUID, str]) -> bool:
    """Also one of another speaker, where it was signed with words that were found to be theirs later."""
    if is_erased(passage):
        return False
    key = UUID(passage["id"])
    return key in gone or (key in now and now[key] != joined(each["text"] for each in passage["sentences"]))
