"""Passages as the engine leaves them, without an engine."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from apps.conferences.models import Whisper
from apps.minutes.models import Minutes, Passage, Transcript
from apps.recordings.models import Track
from tests.factories import Scene
from tests.unit.recordings.tracks import make_track

SAID = bytes(range(256)) * 500
"""4 s of sound, of which each part is another one."""


def write(
    scene: Scene, text: str, role: str = "chair", whisper: Whisper | None = None, start: int = 0, **fields: Any
) -> Passage:
    """A passage of a second, `start` ms after the track began."""
    person = scene.own[role]
    track = Track.objects.filter(participant=person, whisper=whisper).first() or make_track(
        scene.conference, SAID, participant=person, whisper=whisper
    )
    assert track.started_at is not None
    minutes, _ = Minutes.objects.get_or_create(
        conference=scene.conference, whisper=whisper, defaults={"opened_at": track.started_at, "state": "ready"}
    )
    minutes.seq += 1
    minutes.save()
    place = {"minutes": minutes, "track": track, "start": start, "end": start + 1000, "starts_at": track.started_at}
    row = Transcript.objects.create(id=uuid4(), state=Transcript.State.DONE, language="en", **place)
    passage = Passage(transcript=row, participant=person, seq=minutes.seq, **place, **fields)
    passage.say([[start, start + 1000, text, "good"]])
    passage.save()
    return passage
