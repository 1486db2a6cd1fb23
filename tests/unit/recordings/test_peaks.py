"""How loud a track is: the numbers, who gets them, and that they are never in the clear on a disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Whisper
from apps.core.models import AuditEntry
from apps.recordings import peaks
from apps.recordings.models import Track
from apps.recordings.places import peaks_file
from apps.recordings.tasks.afterwards import make_missing_peaks, make_peaks
from sparkle.celery import app
from tests.factories import CAST, add_participant, make_conference, make_scene
from tests.unit.recordings.tracks import flip, make_track, path_of, refused

RATE = 16_000


def tone(amplitude: float, seconds: float, channels: int = 1) -> bytes:
    """1 kHz, as loud as that on the last channel, silent on the others."""
    samples = np.zeros((int(RATE * seconds), channels), dtype="<i2")
    samples[:, -1] = np.rint(amplitude * np.sin(2 * np.pi * 1000 * np.arange(len(samples)) / RATE))
    return samples.tobytes()


def pieces(data: bytes, size: int) -> list[memoryview]:
    return [memoryview(data[start : start + size]) for start in range(0, len(data), size)]


class TestNumbers:
    @pytest.mark.parametrize("size", [2, 999, 3200, 65_536, 1 << 20])
    def test_the_loudest_of_each_tenth(self, size: int) -> None:
        said = tone(1000, 0.1) + tone(0, 0.2) + tone(20_000, 0.25)
        found = peaks.loudest(pieces(said, size), RATE, 1)
        assert found.tolist() == [1000, 0, 0, 20_000, 20_000, 20_000]

    def test_of_all_channels(self) -> None:
        found = peaks.loudest(pieces(tone(5000, 0.2, channels=2), 1024), RATE, 2)
        assert found.tolist() == [5000, 5000]

    def test_the_lowest_sample_is_full_scale(self) -> None:
        lowest = np.full(1600, -32_768, dtype="<i2").tobytes()
        assert peaks.scaled(peaks.loudest([memoryview(lowest)], RATE, 1)) == [255]

    def test_nothing(self) -> None:
        assert peaks.scaled(peaks.loudest([], RATE, 1)) == []

    @pytest.mark.parametrize(
        ("amplitude", "step"),
        # 0, -6.02, -20, -40, -60 dB, and below.
        [(32_767, 255), (16_384, 229), (3277, 170), (328, 85), (33, 0), (1, 0), (0, 0)],
    )
    def test_even_steps_of_loudness(self, amplitude: int, step: int) -> None:
        assert peaks.scaled(np.array([amplitude], dtype=np.int16)) == [step]


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SAID = tone(3277, 1) + tone(0, 0.5) + tone(32_767, 0.05)
STEPS = [170] * 10 + [0] * 5 + [255]
AsUser = Callable[[User], APIClient]


def address_of(track: Track) -> str:
    return f"/api/v1/conferences/{track.conference_id}/recording/tracks/{track.pk}/peaks/"


def told(client: APIClient, track: Track) -> list[int]:
    answer = client.get(address_of(track))
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store, private"
    body: dict[str, Any] = answer.json()
    assert body["per_second"] == 10
    found: list[int] = body["peaks"]
    return found


def kept(track: Track) -> Path:
    return peaks_file(track.conference_id, track.pk)


class TestKept:
    def test_without_the_file_it_is_reckoned_and_not_kept(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        assert told(client, track) == STEPS
        assert not kept(track).exists()
        assert not AuditEntry.objects.exists()

    def test_by_a_worker_once(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        assert make_peaks(str(track.pk)) is True
        path_of(track).rename(path_of(track).with_suffix(".away"))
        assert told(client, track) == STEPS
        assert make_peaks(str(track.pk)) is False
        assert sorted(path.suffix for path in kept(track).parent.iterdir()) == [".away", ".peaks"]

    def test_sealed_on_the_disk(self, conference: Conference) -> None:
        track = make_track(conference, tone(3277, 600))
        make_peaks(str(track.pk))
        data = kept(track).read_bytes()
        assert len(data) > 12_000
        assert (3277).to_bytes(2, "little") * 2 not in data
        # Each byte is as frequent as any other.
        counts = np.bincount(np.frombuffer(data[68:], dtype=np.uint8), minlength=256)
        assert counts.max() < 3 * len(data) / 256
        assert kept(track).stat().st_mode & 0o777 == 0o600

    def test_more_than_one_frame(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, tone(3277, 300))
        make_peaks(str(track.pk))
        path_of(track).unlink()
        assert told(client, track) == [170] * 3000

    @pytest.mark.parametrize("place", [20, 80, -1])
    def test_damaged_peaks_are_reckoned_again(self, client: APIClient, conference: Conference, place: int) -> None:
        track = make_track(conference, SAID)
        make_peaks(str(track.pk))
        data = bytearray(kept(track).read_bytes())
        data[place] ^= 1
        kept(track).write_bytes(data)
        assert told(client, track) == STEPS
        assert make_peaks(str(track.pk)) is True
        assert kept(track).read_bytes() != data

    def test_the_track_itself_is_no_file_of_peaks(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        kept(track).write_bytes(path_of(track).read_bytes())
        assert told(client, track) == STEPS

    def test_nothing_is_left_of_what_failed(
        self, conference: Conference, recordings: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        track = make_track(conference, SAID)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("apps.recordings.storage.folder.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            make_peaks(str(track.pk))
        assert [path.name for path in (recordings / conference.pk.hex).iterdir()] == [path_of(track).name]


class TestMissing:
    @pytest.fixture(autouse=True)
    def forgotten(self) -> None:
        cache.clear()

    def test_are_made_soon_after_sealing(self, conference: Conference) -> None:
        now = timezone.now()
        fresh = [make_track(conference, SAID, ended_at=now) for _ in range(2)]
        old = make_track(conference, SAID, ended_at=now - timedelta(days=2))
        live = make_track(conference, SAID, live=True)
        assert make_missing_peaks() == 2
        assert make_missing_peaks() == 0
        assert [kept(track).exists() for track in (*fresh, old, live)] == [True, True, False, False]

    def test_what_cannot_be_opened_holds_nothing_up(
        self, conference: Conference, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        damaged = make_track(conference, SAID, ended_at=timezone.now())
        flip(damaged, 200)
        good = make_track(conference, SAID, ended_at=timezone.now())
        assert make_missing_peaks() == 1
        assert kept(good).exists()
        tried: list[str] = []
        monkeypatch.setattr("apps.recordings.tasks.afterwards.make_peaks", tried.append)
        assert make_missing_peaks() == 0
        assert tried == []

    def test_in_turns(self, conference: Conference, monkeypatch: pytest.MonkeyPatch) -> None:
        make_track(conference, SAID, ended_at=timezone.now())
        monkeypatch.setattr("apps.recordings.tasks.afterwards.TURN", -1.0)
        assert make_missing_peaks() == 0

    def test_beat_and_workers_know_it(self) -> None:
        scheduled = [each for each in app.conf.beat_schedule.values() if each["task"] == make_missing_peaks.name]
        assert len(scheduled) == 1
        app.loader.import_default_modules()
        assert {make_peaks.name, make_missing_peaks.name} <= set(app.tasks)


class TestRefused:
    def test_while_it_is_recorded(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID, live=True)
        assert refused(client, address_of(track)) == (409, "still_recorded")
        assert make_peaks(str(track.pk)) is False

    @pytest.mark.parametrize(
        ("state", "expected"),
        [
            ("empty", (409, "nothing_recorded")),
            ("erased", (410, "recording_erased")),
            ("damaged", (500, "recording_damaged")),
        ],
    )
    def test_where_there_is_nothing_to_hear(
        self, client: APIClient, conference: Conference, state: str, expected: tuple[int, str]
    ) -> None:
        track = make_track(conference, SAID)
        make_peaks(str(track.pk))
        Track.objects.update(state=state)
        assert refused(client, address_of(track)) == expected
        assert make_peaks(str(track.pk)) is False

    def test_where_the_track_is_damaged(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        flip(track, 200)
        assert refused(client, address_of(track)) == (500, "recording_damaged")
        assert make_peaks(str(track.pk)) is False
        assert not kept(track).exists()

    def test_where_the_key_is_missing(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        make_peaks(str(track.pk))
        Track.objects.update(key_id="another")
        assert refused(client, address_of(track)) == (503, "recording_key_missing")


class TestRights:
    def test_who_may_hear_it(self, as_user: AsUser) -> None:
        scene = make_scene(member_may_replay=True, participant_may_replay=False)
        track = make_track(scene.conference, SAID)
        found = {role: as_user(scene.users[role]).get(address_of(track)).status_code for role in CAST}
        none = {"participant": 403, "outsider": 404}
        assert found == {role: none.get(role, 200) for role in CAST}
        assert APIClient().get(address_of(track)).status_code == 401

    def test_of_a_whisper_only_who_was_in_it(self, as_user: AsUser) -> None:
        scene = make_scene(member_may_replay=True)
        whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"])
        track = make_track(scene.conference, SAID, participant=scene.own["member"], whisper=whisper)
        assert told(as_user(scene.users["member"]), track) == STEPS
        for role in ("owner", "manager", "chair"):
            assert refused(as_user(scene.users[role]), address_of(track)) == (404, "not_found")

    def test_only_by_its_own_conference(self, client: APIClient, conference: Conference) -> None:
        track = make_track(make_conference(conference.owner), SAID, participant=None)
        other = add_participant(conference)
        assert other.conference_id == conference.pk
        address = address_of(track).replace(str(track.conference_id), str(conference.pk))
        assert refused(client, address) == (404, "not_found")
