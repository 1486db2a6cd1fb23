"""Erasing one person's voice: their tracks, also in whispers, and the mixes that they are in. The main room is mixed
anew from the others.

What others' microphones picked up of them is in the others' tracks, and what was exported is out of reach.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.conferences.models import Conference, Participant
from apps.core import audit
from apps.core.errors import FieldError, Invalid
from apps.core.ids import new_id

from .audio import SAMPLE
from .errors import OnLegalHold, StillRecorded
from .holds import held
from .mixing import voices_of
from .models import Track
from .shredding import shred
from .storage.configured import destination

AROUND: Final = timedelta(seconds=5)
"""Somebody may be heard in a mix so much before and after what their tracks say: they speak before the switch is told
to record them.
"""

ERASERS: Final[list[Callable[[Participant], None]]] = []
"""What else is erased with a person's voice, in the same transaction and before the tracks are locked. Apps above this
one add theirs when they are ready (minutes: their words).
"""


@transaction.atomic
def erase_voice(*, by: audit.By, conference_id: UUID, participant_id: UUID, reason: str = "") -> None:
    """From then on nobody hears that person in anything that was recorded of the conference; the files, which nobody
    can open any more, go when the store is tidied. Done again, it changes nothing. `reason` is told
    in the log where there is one. Raises Invalid where nobody of the conference is meant, StillRecorded, OnLegalHold.
    """
    # One after the other: each has to see the mixes that the one before has left.
    conference = Conference.objects.select_for_update(no_key=True).get(pk=conference_id)
    person = conference.participants.filter(pk=participant_id).first()
    if person is None:
        detail = _("Name somebody who is on the roster of this conference.")
        raise Invalid(errors=[FieldError("participant", "not_found", detail)])
    if conference.phase != Conference.Phase.ENDED or conference.tracks.filter(state=Track.State.LIVE).exists():
        raise StillRecorded(_("A voice can be erased once the conference is over and all of it is sealed."))
    if held(conference.pk):
        raise OnLegalHold
    for erase in ERASERS:
        erase(person)
    erased = shred(conference.tracks.filter(Q(participant=person) | Q(pk__in=_mixes_with(person))))
    for track in erased:
        if track.kind == Track.Kind.MIX:
            _replace(track)
    # Nothing of which tracks there were: the conference's log is read by people who know of no whisper.
    about = {"name": person.name} | ({"reason": reason} if reason else {})
    audit.record(by=by, action="erase_voice", on=person, conference_id=conference.pk, detail=about)


def _mixes_with(person: Participant) -> list[UUID]:
    """Those that the person is in, or may be: also where their own track is damaged, or empty."""
    spoke = [_span(track) for track in person.tracks.filter(kind=Track.Kind.PERSON)]
    mixes = Track.objects.filter(conference=person.conference_id, kind=Track.Kind.MIX).exclude(state=Track.State.ERASED)
    return [
        mix.pk
        for mix in mixes
        for begins, ends in [_span(mix)]
        if any(begins < ended + AROUND and began - AROUND < ends for began, ended in spoke)
    ]


def _span(track: Track) -> tuple[datetime, datetime]:
    begins = track.begins_at or track.requested_at
    lasts = timedelta(seconds=(track.length or 0) / (track.rate * track.channels * SAMPLE))
    return begins, max(begins + lasts, track.ended_at or begins)


def _replace(erased: Track) -> None:
    """A mix of the same stretch of time, to be made; none where nobody is left in it."""
    begins, ends = _span(erased)
    length = erased.length // erased.channels if erased.length else 0
    mix = Track(
        id=new_id(),
        conference_id=erased.conference_id,
        node_id=erased.node_id,
        kind=Track.Kind.MIX,
        part=erased.part,
        requested_at=timezone.now(),
        started_at=begins,
        ended_at=ends,
        behind=0,
        aligned=True,
        rate=erased.rate,
        state=Track.State.MIXING,
        length=length or round((ends - begins) / timedelta(seconds=1) * erased.rate) * SAMPLE,
        storage=destination(),
    )
    if voices_of(mix):
        mix.save(force_insert=True)
