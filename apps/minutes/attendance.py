"""Who attended, in which role, and when they were in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.conferences.models import Attempt, Participant
from apps.recordings.models import Track

from .models import Minutes

Stay = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Attending:
    """`stays` in their order; to None: they are still in."""

    participant: UUID
    name: str
    role: str
    stays: tuple[Stay, ...]


def attendees_of(minutes: Minutes) -> list[Attending]:
    """Everybody on the roster, in its order, also who never came; of a whisper, who was recorded in it."""
    people = Participant.objects.filter(conference=minutes.conference_id)
    if minutes.whisper_id is not None:
        people = people.filter(pk__in=Track.objects.filter(whisper=minutes.whisper_id).values("participant"))
    stays: dict[UUID, list[Stay]] = defaultdict(list)
    joined = Attempt.objects.filter(conference=minutes.conference_id, joined_at__isnull=False).order_by("joined_at")
    for participant, began, ended in joined.values_list("participant", "joined_at", "ended_at"):
        if began is not None:
            stays[participant].append((began, ended))
    return [
        Attending(key, name, role, tuple(stays[key]))
        for key, name, role in people.order_by("position", "pk").values_list("pk", "name", "role")
    ]
