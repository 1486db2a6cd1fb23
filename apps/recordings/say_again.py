"""The live action `say_again`: what somebody else said last where the caller is, once more, in their own leg only.

Decided here, under the conference's lock, with the rights of that moment. The sealer (sealing/again.py) and the
switchboard do the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from apps.conferences.access import Action
from apps.conferences.live.changes import notify
from apps.conferences.models import Participant
from apps.conferences.rooms import main_room, room_owners
from apps.conferences.services.acting import Act, Answer, nothing_to_report
from apps.core.ids import new_id

from .errors import NothingToSayAgain, NotInRoom
from .models import SayAgain, Track, Utterance
from .replay import note_listening
from .selectors import utterances_for

LONGEST: Final = 30_000
"""Milliseconds: of what is longer, the end. It is in the clear for as long as it plays."""
ONE_BACK: Final = timedelta(seconds=5)
"""Who asks again within this time after they heard it means what was said before it."""


def say_again(act: Act) -> Answer:
    """Raises NotInRoom, NothingToSayAgain."""
    act.actor.require(Action.SAY_AGAIN)
    person, whisper = _place(act)
    now = timezone.now()
    utterance = _choose(_said(act, person, whisper), person, now)
    start, end = part_of(utterance)
    track = utterance.track
    SayAgain.objects.bulk_create(
        [SayAgain(participant=person, key=new_id(), utterance=utterance, node=act.conference.node, asked_at=now)],
        update_conflicts=True,
        unique_fields=["participant"],
        update_fields=["key", "utterance", "node", "asked_at", "state"],
    )
    note_listening(act.by, track, start, end)
    notify(act.conference.pk)
    return nothing_to_report(participant=str(track.participant_id), milliseconds=end - start)


def part_of(utterance: Utterance) -> tuple[int, int]:
    """From and to in milliseconds of its track: what is played of it."""
    return max(utterance.start, utterance.end - LONGEST), utterance.end


def _place(act: Act) -> tuple[Participant, UUID | None]:
    """Who asks, and the whisper that they are in, if it is one. Raises NotInRoom, also in the lobby."""
    person = act.participant(act.actor.participant) if act.actor.participant else None
    if person is not None and person.state == Participant.State.CONNECTED:
        if person.observed_room == main_room(act.conference.pk)[0]:
            return person, None
        for whisper in room_owners([person.observed_room])[1]:
            return person, whisper
    raise NotInRoom


def _said(act: Act, person: Participant, whisper: UUID | None) -> QuerySet[Any]:
    """What others said there and can be heard, the last first."""
    heard: QuerySet[Any] = utterances_for(act.actor, act.conference.pk).filter(
        track__participant__isnull=False,
        track__whisper=whisper,
        track__state__in=[Track.State.LIVE, Track.State.SEALED],
    )
    return heard.exclude(track__participant=person).order_by("-ends_at", "-id")


def _choose(said: QuerySet[Any], person: Participant, now: datetime) -> Utterance:
    """The last, or the one before what they have just heard again. Raises NothingToSayAgain."""
    before = SayAgain.objects.filter(participant=person).select_related("utterance").first()
    if before is not None:
        start, end = part_of(before.utterance)
        if now < before.asked_at + timedelta(milliseconds=end - start) + ONE_BACK:
            said_then = said.filter(pk=before.utterance_id).values("ends_at")
            earlier: Utterance | None = said.filter(ends_at__lt=said_then[:1]).first()
            if earlier is not None:
                return earlier
    last: Utterance | None = said.first()
    if last is None:
        raise NothingToSayAgain
    return last
