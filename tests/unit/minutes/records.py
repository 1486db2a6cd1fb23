"""Minutes as rows, as the engine leaves them: people, tracks, what was heard in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient

from apps.conferences.models import Conference, Participant, Whisper
from apps.minutes.models import Minutes, Passage, Transcript
from apps.recordings.models import Track
from tests.factories import Scene
from tests.unit.recordings.tracks import BEGAN, make_track

SAID = bytes(range(256)) * 5000
"""40 s of it."""
ENGINE = "faster-whisper base"


def minutes_of(scene: Scene, whisper: Whisper | None = None) -> Minutes:
    Conference.objects.filter(pk=scene.conference.pk).update(started_at=BEGAN)
    minutes, _ = Minutes.objects.get_or_create(
        conference=scene.conference, whisper=whisper, defaults={"opened_at": BEGAN, "state": "ready"}
    )
    return minutes


def track_of(scene: Scene, person: Participant, whisper: Whisper | None = None) -> Track:
    found = Track.objects.filter(participant=person, whisper=whisper).first()
    return found or make_track(
        scene.conference, SAID, participant=person, whisper=whisper, ended_at=BEGAN + timedelta(seconds=40)
    )


def heard(
    scene: Scene, *texts: str, role: str = "chair", start: int = 0, whisper: Whisper | None = None, **fields: Any
) -> Passage:
    """What one person said, a second for each of `texts`."""
    person = scene.own[role]
    track = track_of(scene, person, whisper)
    minutes = minutes_of(scene, whisper)
    minutes.seq += 1
    minutes.save()
    end = start + 1000 * len(texts)
    sentences = [[start + 1000 * at, start + 1000 * (at + 1), text, "check"] for at, text in enumerate(texts)]
    times: dict[str, Any] = {"start": start, "end": end, "starts_at": BEGAN + timedelta(milliseconds=start)}
    transcript = Transcript.objects.create(
        id=uuid4(),
        minutes=minutes,
        track=track,
        state=Transcript.State.DONE,
        language="en",
        sentences=sentences,
        engine=ENGINE,
        written_at=BEGAN,
        **times,
    )
    passage = Passage(
        minutes=minutes, transcript=transcript, track=track, participant=person, seq=minutes.seq, **times, **fields
    )
    passage.say(sentences)
    passage.save()
    return passage


def address(scene: Scene, path: str = "", whisper: Whisper | None = None) -> str:
    query = f"?whisper={whisper.pk}" if whisper else ""
    return f"/api/v1/conferences/{scene.conference.pk}/minutes/{path}{query}"


def ask(client: APIClient, method: str, where: str, body: Any = None) -> tuple[int, Any]:
    """Status and document."""
    answer: Any = getattr(client, method)(where, body, format="json")
    return answer.status_code, answer.json()


def passage_of(passage: Passage, action: str = "", whisper: Whisper | None = None) -> str:
    conference = passage.minutes.conference_id
    query = f"?whisper={whisper.pk}" if whisper else ""
    return f"/api/v1/conferences/{conference}/minutes/passages/{passage.pk}/{action}{query}"


def text_of(document: Any) -> list[str]:
    return [each["text"] for each in document["sentences"]]
