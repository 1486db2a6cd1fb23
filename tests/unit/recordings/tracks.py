"""Tracks with what was said in them, sealed as the sealer does it; and what the API says of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.ids import new_id
from apps.recordings.keys import key_provider
from apps.recordings.links import Part, token_of
from apps.recordings.models import Track, Utterance
from apps.recordings.places import sealed_file
from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.header import Header
from apps.recordings.sealed.keys import WrappedKey, new_data_key
from apps.recordings.sealed.writer import Writer
from apps.recordings.storage.configured import folder

BEGAN = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
FRAME = 1024
"""Bytes of a frame in tests: 32 ms of 16 kHz mono."""


def make_track(
    conference: Conference,
    said: bytes,
    *,
    participant: Participant | None = None,
    whisper: Whisper | None = None,
    live: bool = False,
    channels: int = 1,
    rate: int = 16_000,
    **fields: Any,
) -> Track:
    """What one person said, also in a whisper; of nobody, the main room. While it is live, only whole frames are
    sealed.
    """
    kind = Track.Kind.WHISPER if whisper else Track.Kind.PERSON if participant else Track.Kind.MIX
    key = new_data_key()
    pk = new_id()
    wrapped = key_provider().wrap(pk, key)
    track = Track.objects.create(
        **{
            "pk": pk,
            "conference": conference,
            "participant": participant,
            "whisper": whisper,
            "leg": uuid4() if participant else None,
            "node": conference.node,
            "kind": kind,
            "part": 1,
            "requested_at": BEGAN,
            "started_at": BEGAN,
            "ended_at": None if live else BEGAN,
            "rate": rate,
            "channels": channels,
            "key_id": wrapped.key_id,
            "sealed_key": wrapped.sealed,
            **fields,
        }
    )
    folder().belongs_to(track.node.name)
    path_of(track).parent.mkdir(exist_ok=True)
    path_of(track).touch()
    seal(track, said, live=live)
    return track


def seal(track: Track, said: bytes, *, live: bool) -> None:
    """What comes next in a track, and its row."""
    key = key_provider().unwrap(track.pk, WrappedKey(track.key_id, bytes(track.sealed_key)))
    descriptor = os.open(path_of(track), os.O_RDWR)
    try:
        header = Header(track.pk, track.rate, track.channels, FRAME)
        writer = Writer(OpenFile(descriptor), key, header, confirmed=track.frames)
        whole = len(said) // FRAME * FRAME
        writer.append(said[:whole])
        if not live:
            writer.finish(said[whole:])
            track.length = writer.frames * FRAME + len(said) - whole
            track.state = Track.State.SEALED
        track.frames = writer.frames
    finally:
        os.close(descriptor)
    track.save()


def say(track: Track, start: int, end: int) -> Utterance:
    return Utterance.objects.create(track=track, start=start, end=end)


def path_of(track: Track) -> Path:
    return sealed_file(track.conference_id, track.pk)


def flip(track: Track, place: int) -> None:
    """One bit of its sealed file."""
    data = bytearray(path_of(track).read_bytes())
    data[place] ^= 1
    path_of(track).write_bytes(data)


def recording(client: APIClient, track: Track) -> dict[str, Any]:
    """What `recording/` says of this track."""
    answer = client.get(f"/api/v1/conferences/{track.conference_id}/recording/")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = next(each for each in answer.json()["tracks"] if each["id"] == str(track.pk))
    return found


def link_to(client: APIClient, track: Track) -> str:
    address = recording(client, track)["audio"]
    assert isinstance(address, str)
    return address


def heard(client: APIClient, address: str, **headers: str) -> bytes:
    """The body of a good answer."""
    answer: Any = client.get(address, headers=headers)
    assert answer.status_code in (200, 206), answer.content
    return b"".join(answer.streaming_content)


def refused(client: APIClient, address: str, **headers: str) -> tuple[int, str]:
    answer: Any = client.get(address, headers=headers)
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def part_link(user: User, track: Track, start: int, end: int) -> str:
    return f"/api/v1/recordings/audio/{token_of(Part(track.pk, start, end), user)}"
