"""Which tracks and utterances a person may know of and hear."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from apps.accounts.models import User
from apps.conferences.access import Action
from apps.conferences.actors import Actor, Caller
from apps.conferences.models import Conference, Participant, Whisper
from apps.conferences.selectors import actor_for
from apps.core.errors import NotFound

from .models import Track, Utterance


def whispers_of(actor: Actor) -> QuerySet[Whisper]:
    """The whispers that the person was recorded in, or is in (access.may_hear_whisper). To have opened one, or
    any role, is not enough.
    """
    if actor.participant is None:
        return Whisper.objects.none()
    recorded = Track.objects.filter(participant=actor.participant)
    present = Participant.objects.filter(pk=actor.participant)
    return Whisper.objects.filter(Q(pk__in=recorded.values("whisper")) | Q(pk__in=present.values("whisper")))


def whispers_of_user(user: User, conferences: Iterable[UUID]) -> QuerySet[Whisper]:
    """`whispers_of` in all of these conferences."""
    people = Participant.objects.filter(user=user, conference__in=list(conferences))
    recorded = Track.objects.filter(participant__in=people)
    return Whisper.objects.filter(Q(pk__in=recorded.values("whisper")) | Q(pk__in=people.values("whisper")))


def tracks_for(actor: Actor, conference_id: UUID) -> QuerySet[Track]:
    """Those of a conference of which the person may know, in the order in which they began."""
    return (
        Track.objects.filter(Q(whisper=None) | Q(whisper__in=whispers_of(actor)), conference=conference_id)
        .select_related("conference", "participant", "node")
        .order_by("started_at", "id")
    )


def shown_of(tracks: Iterable[Track]) -> list[Track]:
    """Without the mixes in whose place there are others (erasing.py)."""
    found = list(tracks)
    gone = (Track.Kind.MIX, Track.State.ERASED)
    mixed = {track.part for track in found if track.kind == gone[0] and track.state != gone[1]}
    return [track for track in found if (track.kind, track.state) != gone or track.part not in mixed]


def parts_of(tracks: Iterable[Track]) -> dict[UUID, int]:
    """For tracks of one conference, in the order in which they began: which part of one story each is, whatever the
    leg.
    """
    told: Counter[tuple[str, UUID | None, UUID | None]] = Counter()
    parts = {}
    for track in tracks:
        story = (track.kind, track.participant_id, track.whisper_id)
        told[story] += 1
        parts[track.pk] = told[story]
    return parts


def utterances_for(actor: Actor, conference_id: UUID) -> QuerySet[Utterance]:
    """What was said in these tracks, with `starts_at` and `ends_at` by the conference's clock."""
    tracks = tracks_for(actor, conference_id).filter(started_at__isnull=False).order_by()
    return with_moments(Utterance.objects.filter(track__in=tracks).select_related("track__participant"))


def with_moments(utterances: QuerySet[Utterance]) -> QuerySet[Any]:
    """With `starts_at` and `ends_at` by the conference's clock; of tracks of which the switch has told."""
    return utterances.annotate(starts_at=_moment("start"), ends_at=_moment("end"))


def speech_of(actor: Actor, conference_id: UUID, participant: UUID) -> QuerySet[Utterance]:
    """What one person said in the main room, in its order, of all that is not gone. Raises NotFound where there is no
    such person.
    """
    if not Participant.objects.filter(pk=participant, conference=conference_id).exists():
        raise NotFound
    kept = (Track.State.LIVE, Track.State.SEALED)
    theirs = utterances_for(actor, conference_id).filter(track__participant=participant, track__whisper=None)
    return theirs.filter(track__state__in=kept).order_by("track__started_at", "track", "start")


def _moment(milliseconds: str) -> ExpressionWrapper[Any]:
    """What was said a moment ago is taken to be where what was said before it is."""
    before = Utterance.objects.filter(track=OuterRef("track"), start__lt=OuterRef("start"), shift__isnull=False)
    shift = Coalesce("shift", Subquery(before.order_by("-start").values("shift")[:1]), -F("track__behind"), 0)
    since = ExpressionWrapper(
        (F(milliseconds) + shift) * Value(timedelta(milliseconds=1)), output_field=DurationField()
    )
    return ExpressionWrapper(F("track__started_at") + since, output_field=DateTimeField())


def track_of(actor: Actor, conference_id: UUID, track_id: UUID) -> Track:
    """One of those in `tracks_for`. Raises NotFound."""
    track = tracks_for(actor, conference_id).filter(pk=track_id).first()
    if track is None:
        raise NotFound
    return track


def track_to_hear(caller: Caller, track_id: UUID) -> Track:
    """A track that the caller may hear now. Raises NotFound, and what says why they may not."""
    conference_id = Track.objects.filter(pk=track_id).values_list("conference", flat=True).first()
    if conference_id is None:
        raise NotFound
    actor = actor_for(caller, Conference, conference_id)
    actor.require(Action.REPLAY)
    return track_of(actor, conference_id, track_id)
