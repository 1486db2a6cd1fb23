"""The sound: exactly what was said, any range of it, nothing of what was changed, and no more decrypted than asked."""

from __future__ import annotations

import io
import logging
import struct
import wave
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
import soundfile
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.core.models import AuditEntry
from apps.recordings.api import streaming
from apps.recordings.audio import wav_header
from apps.recordings.errors import RecordingDamaged
from apps.recordings.models import Track
from apps.recordings.sealed import frames
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import (
    FRAME,
    flip,
    heard,
    link_to,
    make_track,
    part_link,
    path_of,
    recording,
    refused,
    seal,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
SAID = speech(10 * FRAME + 100)
HEAD = 44
STORED = FRAME + 36


# WAV ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (48_000, 2)])
def test_a_wav_file_as_any_player_reads_it(client: APIClient, conference: Conference, rate: int, channels: int) -> None:
    track = make_track(conference, SAID, rate=rate, channels=channels)
    with wave.open(io.BytesIO(heard(client, link_to(client, track)))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (rate, channels, 2)
        assert file.readframes(file.getnframes()) == SAID


def test_headers(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    for answer in (client.get(address), client.head(address)):
        assert answer.status_code == 200
        told = {name: answer[name] for name in ("Content-Type", "Content-Length", "Accept-Ranges", "Cache-Control")}
        assert told == {
            "Content-Type": "audio/wav",
            "Content-Length": str(HEAD + len(SAID)),
            "Accept-Ranges": "bytes",
            "Cache-Control": "no-store, private",
        }
        assert (answer["X-Content-Type-Options"], answer["Content-Disposition"]) == ("nosniff", "inline")
    assert client.head(address).getvalue() == b""


def test_what_players_accept_is_no_matter(client: APIClient, conference: Conference) -> None:
    address = link_to(client, make_track(conference, SAID))
    assert heard(client, address, accept="audio/webm,audio/ogg;q=0.9")
    answer = client.get(f"{address}x", headers={"accept": "audio/*"})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_part_in_milliseconds(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, SAID)
    body = heard(client, part_link(alice, track, 100, 150))
    assert body == wav_header(1600, 16_000, 1) + SAID[3200:4800]
    assert heard(client, part_link(alice, track, 300, 99_000))[HEAD:] == SAID[9600:]
    assert refused(client, part_link(alice, track, 99_000, 99_100)) == (409, "nothing_recorded")


def test_what_is_longer_than_wav_can_say_says_the_most() -> None:
    header = wav_header(5 << 30, 16_000, 1)
    assert struct.unpack("<I", header[4:8]) == struct.unpack("<I", header[40:44]) == (0xFFFFFFFF,)


# Live ---------------------------------------------------------------------------------------------------------


def test_a_track_that_is_being_recorded(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, SAID[: 4 * FRAME], live=True)
    earlier = link_to(client, track)
    everything = part_link(alice, track, 0, 3_600_000)
    assert recording(client, track)["duration_ms"] == 4 * 32
    assert heard(client, earlier)[HEAD:] == heard(client, everything)[HEAD:] == SAID[: 4 * FRAME]

    tags = [client.head(everything)["ETag"]]
    seal(track, SAID[4 * FRAME : 7 * FRAME], live=True)
    assert recording(client, track)["duration_ms"] == 7 * 32
    assert heard(client, earlier) == wav_header(4 * FRAME, 16_000, 1) + SAID[: 4 * FRAME]
    assert heard(client, everything)[HEAD:] == SAID[: 7 * FRAME]

    seal(track, SAID[7 * FRAME :], live=False)
    assert heard(client, earlier)[HEAD:] == SAID[: 4 * FRAME]
    assert heard(client, everything)[HEAD:] == SAID == heard(client, link_to(client, track))[HEAD:]
    tags.append(client.head(everything)["ETag"])
    assert len({*tags}) == 2


def test_frames_that_the_row_does_not_confirm_are_not_played(
    client: APIClient, alice: User, conference: Conference
) -> None:
    track = make_track(conference, SAID, live=True)
    Track.objects.filter(pk=track.pk).update(frames=2)
    assert recording(client, track)["duration_ms"] == 64
    assert heard(client, part_link(alice, track, 0, 9000))[HEAD:] == SAID[: 2 * FRAME]


def test_nothing_yet(client: APIClient, alice: User, conference: Conference) -> None:
    track = make_track(conference, b"", live=True)
    told = recording(client, track)
    assert (told["duration_ms"], told["audio"]) == (0, None)
    assert refused(client, part_link(alice, track, 0, 100)) == (409, "nothing_recorded")


# Damage -------------------------------------------------------------------------------------------------------


def test_one_bit_anywhere_and_nothing_wrong_is_played(
    client: APIClient, alice: User, conference: Conference, caplog: pytest.LogCaptureFixture
) -> None:
    track = make_track(conference, SAID)
    size = path_of(track).stat().st_size
    address = part_link(alice, track, 0, 9000)
    for place in (0, 30, 68, 68 + 25, 68 + 4 * STORED + 500, size - 1):
        flip(track, place)
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            assert refused(client, address) == (500, "recording_damaged"), place
            assert refused(client, f"{address}?format=opus") == (500, "recording_damaged"), place
        assert str(track.pk) in caplog.text
        flip(track, place)
    assert heard(client, address)[HEAD:] == SAID
    flip(track, 68 + 4 * STORED + 500)
    assert heard(client, part_link(alice, track, 0, 128))[HEAD:] == SAID[: 4 * FRAME]
    assert AuditEntry.objects.count() == 2, "what was not played was not listened to"


def test_damage_far_behind_breaks_the_answer_off(
    client: APIClient, conference: Conference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "AHEAD", 2 * FRAME)
    monkeypatch.setattr(frames, "AT_ONCE", FRAME)
    track = make_track(conference, SAID)
    flip(track, 68 + 4 * STORED + 500)
    answer: Any = client.get(link_to(client, track))
    pieces = answer.streaming_content
    assert b"".join(islice(pieces, 5))[HEAD:] == SAID[: 4 * FRAME]
    with pytest.raises(RecordingDamaged):
        next(pieces)


def test_a_file_that_is_cut_off_lost_or_of_another_track(
    client: APIClient, alice: User, conference: Conference
) -> None:
    track, other = make_track(conference, SAID), make_track(conference, SAID)
    address, path = part_link(alice, track, 0, 9000), path_of(track)
    data = path.read_bytes()
    for wrong in (data[:-1], data[: 68 + 3 * STORED], data[:20], b"", path_of(other).read_bytes()):
        path.write_bytes(wrong)
        assert refused(client, address) == (500, "recording_damaged")
    path.unlink()
    assert refused(client, address) == (500, "recording_damaged")
    path.write_bytes(data)
    Track.objects.filter(pk=track.pk).update(length=len(SAID) - 1)
    assert refused(client, address) == (500, "recording_damaged")


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("erased", (410, "recording_erased")),
        ("damaged", (500, "recording_damaged")),
        ("empty", (409, "nothing_recorded")),
    ],
)
def test_states_of_which_nothing_is_played(
    client: APIClient, alice: User, conference: Conference, state: str, refusal: tuple[int, str]
) -> None:
    track = make_track(conference, SAID)
    address = link_to(client, track)
    Track.objects.filter(pk=track.pk).update(state=state)
    told = recording(client, track)
    assert (told["state"], told["duration_ms"], told["audio"]) == (state, 0, None)
    assert refused(client, address) == refusal
    assert refused(client, f"/api/v1/conferences/{conference.pk}/recording/export/?track={track.pk}") == refusal


def test_a_file_without_its_row_is_noise(client: APIClient, conference: Conference) -> None:
    track = make_track(conference, SAID)
    stolen = path_of(track).read_bytes()
    assert not any(SAID[start : start + 8] in stolen for start in range(0, len(SAID) - 8, 8))
    address = link_to(client, track)
    Track.objects.filter(pk=track.pk).update(sealed_key=make_track(conference, SAID).sealed_key)
    assert refused(client, address) == (500, "recording_damaged")
    Track.objects.filter(pk=track.pk).update(key_id="another")
    assert refused(client, address) == (503, "recording_key_missing")


# Opus ---------------------------------------------------------------------------------------------------------


def tone(rate: int, channels: int, seconds: float) -> Any:
    times = np.arange(round(rate * seconds)) / rate
    return np.column_stack([(np.sin(2 * np.pi * 440 * times) * 8000).astype("<i2")] * channels)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 1), (24_000, 1), (48_000, 2)])
def test_opus_sounds_the_same(client: APIClient, conference: Conference, rate: int, channels: int) -> None:
    samples = tone(rate, channels, 3)
    track = make_track(conference, samples.tobytes(), rate=rate, channels=channels)
    address = f"{link_to(client, track)}?format=opus"
    answer: Any = client.get(address, headers={"range": "bytes=0-9"})
    body = b"".join(answer.streaming_content)
    assert (answer.status_code, answer["Content-Type"], answer["Accept-Ranges"]) == (200, "audio/ogg", "none")
    assert body.startswith(b"OggS")
    assert len(body) < samples.nbytes / 2
    decoded, found = soundfile.read(io.BytesIO(body), dtype="int16", always_2d=True)
    assert (found, decoded.shape) == (rate, samples.shape)
    for channel in range(channels):
        assert np.corrcoef(decoded[:, channel], samples[:, channel])[0, 1] > 0.98
    head = client.head(address)
    assert (head.status_code, head["Content-Type"]) == (200, "audio/ogg")
    assert "Content-Length" not in head


def test_formats_that_there_are_not(client: APIClient, conference: Conference) -> None:
    track = make_track(conference, SAID)
    odd = make_track(conference, SAID, rate=44_100)
    for address in (f"{link_to(client, track)}?format=mp3", f"{link_to(client, odd)}?format=opus"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "format")
    assert heard(client, f"{link_to(client, odd)}?format=wav")[HEAD:] == SAID
