"""Sealed files in a bucket: no more of them is read than is needed, and what is wrong is told apart."""

from __future__ import annotations

import socket
from pathlib import Path
from random import Random

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.recordings.errors import StorageAway
from apps.recordings.files import remove
from apps.recordings.models import Track
from apps.recordings.moving import move
from apps.recordings.peaks import keep_peaks
from apps.recordings.replay import open_clip
from apps.recordings.sealed.files import Memory
from apps.recordings.sealed.header import FRAME_SIZE, Header
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealed.writer import Writer
from apps.recordings.storage import s3 as module
from apps.recordings.storage.configured import folder
from apps.recordings.storage.s3 import LONG, Bucket, connect
from tests.factories import make_conference
from tests.unit.recordings.bucket import Service, s3
from tests.unit.recordings.sealing import KEY, TRACK, speech
from tests.unit.recordings.tracks import heard, link_to, make_track, part_link, path_of, recording, refused

__all__ = ["s3"]

pytestmark = pytest.mark.django_db
SECOND = 32_000
SAID = speech(100 * SECOND)


def whole(data: bytes) -> Memory:
    file = Memory()
    file.write_at(0, memoryview(data))
    return file


def in_bucket(conference: Conference, said: bytes = SAID) -> Track:
    track = make_track(conference, said)
    assert move(track, "s3")
    track.refresh_from_db()
    return track


class TestReading:
    @pytest.mark.parametrize("size", [0, 1, 5000, (1 << 15) + 1, (9 << 20) + 77])
    def test_any_part_of_any_object(self, s3: Service, size: int) -> None:
        """The longest was put there in parts."""
        data = Random(size).randbytes(size)
        s3.bucket.put("folder/object", whole(data))
        assert s3.bytes_of("of/this/installation/folder/object") == data
        opened = s3.bucket.open("folder/object")
        assert opened.size() == size
        places = st.integers(0, size + 10) | st.integers(0, size // 1000).map(lambda each: each * 1000)
        lengths = st.sampled_from([0, 1, 20, 68, 255, 257, 16_420]) | st.integers(0, min(size + 10, 3 << 20))

        @options(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.tuples(places, lengths), max_size=4))
        def check(reads: list[tuple[int, int]]) -> None:
            for offset, length in reads:
                buffer = bytearray(length)
                count = opened.read_into(offset, memoryview(buffer))
                assert bytes(buffer[:count]) == data[offset : offset + length]

        check()

    def test_few_requests_and_little_of_a_long_track(self, s3: Service) -> None:
        """20 minutes of 16 kHz mono, as the sealer seals them; two writers were at it."""
        said = Random(1).randbytes(1200 * SECOND)
        sealed = Memory()
        header = Header(TRACK, frame_size=FRAME_SIZE)
        half = 1000 * FRAME_SIZE
        Writer(sealed, KEY, header).append(said[:half])
        writer = Writer(sealed, KEY, header, confirmed=1000)
        rest = len(said) // FRAME_SIZE * FRAME_SIZE
        writer.append(said[half:rest])
        writer.finish(said[rest:])
        s3.bucket.put("long", sealed)
        for start in (0, 100 * SECOND + 1, half - 2 * SECOND, len(said) - 5 * SECOND):
            s3.got.clear()
            reader = Reader(s3.bucket.open("long"), KEY)
            assert reader.read(start, 5 * SECOND) == said[start : start + 5 * SECOND]
            assert len(s3.got) <= 3 + 1, "one for each writer before the last"
            assert sum(s3.got) < 1 << 20
        s3.got.clear()
        reader = Reader(s3.bucket.open("long"), KEY)
        place = 0
        for piece in reader.pieces():
            assert piece == said[place : place + len(piece)]
            place += len(piece)
        assert place == len(said)
        assert len(s3.got) <= sealed.size() / LONG + 6
        assert max(s3.got) <= LONG

    def test_a_part_of_it_by_its_link(self, client: APIClient, alice: User, s3: Service, recordings: Path) -> None:
        track = in_bucket(make_conference(alice))
        assert not path_of(track).exists()
        link = part_link(alice, track, 40_000, 45_000)
        s3.got.clear()
        assert heard(client, link)[44:] == SAID[40 * SECOND : 45 * SECOND]
        assert len(s3.got) <= 3
        assert sum(s3.got) < 1 << 20
        assert heard(client, link, range="bytes=44-53") == SAID[40 * SECOND : 40 * SECOND + 10]


@pytest.mark.usefixtures("recordings")
class TestWhatIsWrong:
    def test_an_object_that_is_gone_changed_or_cut_off_is_damaged(
        self, client: APIClient, alice: User, conference: Conference, s3: Service
    ) -> None:
        track = in_bucket(conference)
        link, (key,) = part_link(alice, track, 0, 1000), [each for each in s3.objects() if each.endswith(".sealed")]
        data = s3.bytes_of(key)
        for wrong in (b"", data[:50], data[:-1], data[:100] + b"x" + data[101:]):
            s3.write(key, wrong)
            assert refused(client, link) == (500, "recording_damaged")
        s3.bucket.remove(key.removeprefix("of/this/installation/"))
        assert refused(client, link) == (500, "recording_damaged")

    def test_a_store_that_is_away_says_nothing_of_the_recording(
        self, client: APIClient, alice: User, conference: Conference, s3: Service
    ) -> None:
        track = in_bucket(conference)
        link = link_to(client, track)
        s3.goes_away()
        answer = client.get(link)
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "storage_away", "10")
        assert refused(client, f"/api/v1/conferences/{conference.pk}/recording/tracks/{track.pk}/peaks/")[0] == 503
        assert recording(client, track)["audio"], "what there is can be told"
        track.refresh_from_db()
        assert track.state == Track.State.SEALED
        s3.comes_back()
        assert heard(client, link)[44:] == SAID

    def test_it_goes_away_while_somebody_listens(self, conference: Conference, s3: Service) -> None:
        said = speech(200 * SECOND)
        pieces = open_clip(in_bucket(conference, said), 0).pieces()
        assert said.startswith(bytes(next(pieces)))
        s3.goes_away()
        with pytest.raises(StorageAway):
            list(pieces)

    def test_nobody_waits_for_long(self, monkeypatch: pytest.MonkeyPatch, s3: Service) -> None:
        """For a store that takes connections and does not answer."""
        monkeypatch.setattr(module, "_READ", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            client = connect(f"http://127.0.0.1:{deaf.getsockname()[1]}", "", "testing", "testing")
            with pytest.raises(StorageAway):
                Bucket(client, "bucket", "").open("name")

    def test_what_the_store_refuses_is_not_damage(
        self, client: APIClient, conference: Conference, s3: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        track = in_bucket(conference)
        link = link_to(client, track)
        s3.settings.SPARKLE_RECORDINGS_S3_BUCKET = "another"
        assert refused(client, link) == (503, "storage_away")
        assert "NoSuchBucket" in caplog.text
        s3.settings.SPARKLE_RECORDINGS_S3_BUCKET = ""
        assert refused(client, link) == (503, "storage_away")
        assert "SPARKLE_RECORDINGS_S3_BUCKET" in caplog.text
        assert "testing" not in caplog.text

    @pytest.mark.parametrize("live", [True, False])
    def test_where_the_nodes_folder_is_not(
        self, client: APIClient, alice: User, conference: Conference, settings: LazySettings, tmp_path: Path, live: bool
    ) -> None:
        track = make_track(conference, SAID, live=live)
        link = part_link(alice, track, 0, 1000)
        settings.SPARKLE_RECORDINGS_DIR = tmp_path / "another machine"
        assert refused(client, link) == (503, "recording_on_its_node")
        assert recording(client, track)["audio"], "whoever asks is told why"
        folder().belongs_to(track.node.name)
        assert refused(client, link) == (500, "recording_damaged"), "there it would have to be"


class TestRemoving:
    def erased(self, track: Track) -> Track:
        Track.objects.filter(pk=track.pk).update(state=Track.State.ERASED, key_id="", sealed_key=b"")
        track.refresh_from_db()
        return track

    def test_from_the_folder(self, conference: Conference, recordings: Path) -> None:
        track, other = make_track(conference, SAID), make_track(conference, SAID)
        keep_peaks(track)
        for _ in range(2):
            remove(self.erased(track))
        assert [path.name for path in recordings.glob("*/*")] == [path_of(other).name]

    def test_from_the_bucket(self, conference: Conference, recordings: Path, s3: Service) -> None:
        track, other = in_bucket(conference), in_bucket(conference)
        assert len(s3.objects()) == 4
        for _ in range(2):
            remove(self.erased(track))
        assert {key.split("/")[-1].split(".")[0] for key in s3.objects()} == {other.pk.hex}
        assert Track.objects.get(pk=track.pk).storage == Track.Storage.FOLDER, "nothing is left to be removed"

    def test_it_is_to_be_done_again_where_the_store_is_away(
        self, conference: Conference, recordings: Path, s3: Service
    ) -> None:
        track = self.erased(in_bucket(conference))
        s3.goes_away()
        with pytest.raises(StorageAway):
            remove(track)
        s3.comes_back()
        assert Track.objects.get(pk=track.pk).storage == Track.Storage.S3
