"""Tracks go from one store to another and back: the same samples, once, whatever dies meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.recordings import moving
from apps.recordings.models import Track
from apps.recordings.moving import clear, move, remove_erased
from apps.recordings.peaks import peaks_of
from apps.recordings.replay import open_clip
from apps.recordings.storage.configured import folder, store_of
from apps.recordings.storage.s3 import Bucket
from apps.recordings.storage.store import Store
from apps.recordings.tasks.moving import keep_moving, keep_tidy, move_sealed, tidy
from sparkle.celery import app
from tests.factories import make_conference, make_node
from tests.unit.recordings.bucket import Service, s3
from tests.unit.recordings.kms import Kms, kms
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.test_kms_tracks import ring
from tests.unit.recordings.tracks import flip, heard, make_track, part_link, path_of, refused

__all__ = ["kms", "s3"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SAID = speech(40_000)
FOLDER, S3 = Track.Storage.FOLDER, Track.Storage.S3


def said_in(track: Track) -> bytes:
    return b"".join(bytes(piece) for piece in open_clip(Track.objects.get(pk=track.pk), 0).pieces())


def places(track: Track) -> dict[str, list[str]]:
    """The suffixes of its files in each store."""
    found: dict[str, list[str]] = {}
    for storage in (FOLDER, S3):
        names = [name for name in store_of(storage).names() if track.pk.hex in name]
        found[storage] = sorted(name.partition(".")[2] for name in names)
    return found


ONLY_S3 = {FOLDER: [], S3: ["peaks", "sealed"]}
ONLY_FOLDER = {FOLDER: ["peaks", "sealed"], S3: []}


def erase(track: Track) -> None:
    Track.objects.filter(pk=track.pk).update(state=Track.State.ERASED, key_id="", sealed_key=b"")


class TestOneTrack:
    def test_there_and_back(self, conference: Conference, s3: Service) -> None:
        track = make_track(conference, SAID)
        sealed = path_of(track).read_bytes()
        assert move(track, S3)
        assert places(track) == ONLY_S3
        assert said_in(track) == SAID
        peaks = peaks_of(Track.objects.get(pk=track.pk))
        assert not move(track, S3), "it is there"
        assert move(track, FOLDER)
        assert places(track) == ONLY_FOLDER
        assert path_of(track).read_bytes() == sealed
        assert path_of(track).stat().st_mode & 0o777 == 0o600
        assert said_in(track) == SAID
        assert peaks_of(Track.objects.get(pk=track.pk)) == peaks

    def test_what_is_damaged_goes_as_it_is(self, conference: Conference, s3: Service) -> None:
        track = make_track(conference, SAID)
        flip(track, 2000)
        sealed = path_of(track).read_bytes()
        assert move(track, S3)
        assert places(track) == {FOLDER: [], S3: ["sealed"]}
        assert s3.bytes_of(s3.objects()[0]) == sealed

    @pytest.mark.parametrize("state", ["live", "damaged", "erased", "empty"])
    def test_only_what_is_sealed(self, conference: Conference, s3: Service, state: str) -> None:
        track = make_track(conference, SAID, live=True)
        Track.objects.update(state=state)
        assert not move(track, S3)
        assert places(track) == {FOLDER: ["sealed"], S3: []}

    def test_a_row_that_was_read_before(self, client: APIClient, conference: Conference, s3: Service) -> None:
        """Whoever was about to open it finds it."""
        track = make_track(conference, SAID)
        for to in (S3, FOLDER):
            before = Track.objects.get(pk=track.pk)
            move(track, to)
            assert b"".join(map(bytes, open_clip(before, 0).pieces())) == SAID

    def test_two_at_once(self, conference: Conference, s3: Service) -> None:
        track = make_track(conference, SAID)
        with folder().held() as alone:
            assert alone
            assert not move(track, S3)
            clear(FOLDER)
        assert places(track) == {FOLDER: ["sealed"], S3: []}

    def test_nothing_is_removed_that_was_not_copied_well(
        self, conference: Conference, s3: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        track = make_track(conference, SAID)
        good = Bucket.put

        def lossy(self: Any, name: str, source: Any) -> None:
            good(self, name, source)
            key = f"of/this/installation/{name}"
            s3.write(key, s3.bytes_of(key)[:-1] + b"?")

        monkeypatch.setattr(Bucket, "put", lossy)
        with pytest.raises(OSError, match="is not what was written"):
            move(track, S3)
        assert said_in(track) == SAID
        assert Track.objects.get(pk=track.pk).storage == FOLDER


class Killed(BaseException):
    pass


class Mortal:
    """A store whose user is killed before or after its `left`th call."""

    def __init__(self, store: Store, count: Callable[[], None]) -> None:
        self._store = store
        self._count = count

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self._count()
            result = getattr(self._store, name)(*arguments)
            self._count()
            return result

        return call


class TestKilled:
    @pytest.mark.parametrize("to", [S3, FOLDER])
    @pytest.mark.parametrize("erased", [False, True], ids=["", "and erased"])
    def test_at_any_step(
        self, conference: Conference, s3: Service, monkeypatch: pytest.MonkeyPatch, to: str, erased: bool
    ) -> None:
        """At each of them in turn: meanwhile it is heard, in the end it is there once, or nowhere."""
        killed_at = 0
        while True:
            track = make_track(conference, SAID)
            if to == FOLDER:
                move(track, S3)
            left = killed_at

            def count() -> None:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1

            with monkeypatch.context() as patch:
                patch.setattr(moving, "store_of", lambda storage, count=count: Mortal(store_of(storage), count))
                try:
                    move(track, to)
                except Killed:
                    killed_at += 1
                else:
                    break
            if erased:
                erase(track)
                tidy()
                clear(S3)
                assert places(track) == {FOLDER: [], S3: []}
            else:
                assert said_in(track) == SAID
                move(track, to)
                clear(FOLDER if to == S3 else S3)
                assert places(track) == (ONLY_S3 if to == S3 else ONLY_FOLDER)
                assert said_in(track) == SAID
        assert killed_at >= 12, "put, open, compare and remove of both files"

    def test_erased_while_it_was_copied(
        self, conference: Conference, s3: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        track = make_track(conference, SAID)
        good = Bucket.put

        def meanwhile(self: Any, name: str, source: Any) -> None:
            good(self, name, source)
            erase(track)

        monkeypatch.setattr(Bucket, "put", meanwhile)
        assert not move(track, S3)
        assert places(track)[S3] == []
        tidy()
        assert places(track) == {FOLDER: [], S3: []}


class TestTidy:
    def test_what_is_erased_and_what_is_there_twice_goes(
        self, conference: Conference, s3: Service, recordings: Path
    ) -> None:
        gone, there, here, moved = (make_track(conference, SAID) for _ in range(4))
        again = path_of(moved).read_bytes()
        move(there, S3)
        move(moved, S3)
        path_of(moved).write_bytes(again)
        for track in (gone, there):
            erase(track)
        path_of(gone).with_suffix(".peaks").touch()
        nobodys = path_of(here).with_name("0" * 32 + ".sealed")
        nobodys.touch()
        part = path_of(here).with_name(".x.sealed.part")
        part.touch()
        tidy()
        assert part.exists(), "somebody may be writing it"
        os.utime(part, (0, 0))
        tidy()
        assert sorted(recordings.glob("*/*")) == sorted([path_of(here), nobodys])
        assert places(there) == places(gone) == {FOLDER: [], S3: []}
        assert places(moved) == ONLY_S3
        assert not Track.objects.exclude(storage=FOLDER).filter(state=Track.State.ERASED).exists()

    def test_what_came_back_from_a_backup_stays(self, conference: Conference, s3: Service) -> None:
        lost, damaged = make_track(conference, SAID), make_track(conference, SAID)
        for track in (lost, damaged):
            data = path_of(track).read_bytes()
            move(track, S3)
            (key,) = [key for key in s3.objects() if f"{track.pk.hex}.sealed" in key]
            if track == damaged:
                s3.write(key, b"?" + data[1:])
            else:
                s3.bucket.remove(key.removeprefix("of/this/installation/"))
            path_of(track).write_bytes(data)
        tidy()
        assert path_of(lost).exists()
        assert path_of(damaged).exists()

    def test_another_time_where_the_store_is_away(self, conference: Conference, s3: Service) -> None:
        track = make_track(conference, SAID)
        move(track, S3)
        erase(track)
        s3.goes_away()
        tidy()
        s3.comes_back()
        assert places(track) == ONLY_S3
        remove_erased()
        assert places(track) == {FOLDER: [], S3: []}


class TestJobs:
    @pytest.fixture
    def conference(self, conference: Conference) -> Conference:
        conference.phase = Conference.Phase.ENDED
        conference.save(update_fields=["phase"])
        return conference

    def test_not_before_the_conference_is_over(self, alice: User, s3: Service, settings: LazySettings) -> None:
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        conference = make_conference(alice)
        track = make_track(conference, SAID)
        assert move_sealed(conference.node.name) == 0
        assert places(track)[S3] == []

    def test_of_the_nodes_own_tracks_where_they_belong_elsewhere(
        self, conference: Conference, s3: Service, settings: LazySettings
    ) -> None:
        node = conference.node
        track, live = make_track(conference, SAID), make_track(conference, SAID, live=True)
        other = make_track(conference, SAID, node=make_node())
        assert move_sealed(node.name) == 0, "they belong in the folder"
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        assert move_sealed(node.name) == 1
        assert move_sealed(node.name) == 0
        assert places(track) == ONLY_S3
        assert places(live)[S3] == places(other)[S3] == []

    def test_what_fails_holds_nothing_up_and_is_tried_again(
        self, conference: Conference, s3: Service, settings: LazySettings
    ) -> None:
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        lost, hindered, good = (make_track(conference, SAID) for _ in range(3))
        path_of(lost).unlink()
        data = path_of(hindered).read_bytes()
        path_of(hindered).unlink()
        path_of(hindered).mkdir()
        assert move_sealed(conference.node.name) == 1
        assert places(good) == ONLY_S3
        path_of(hindered).rmdir()
        path_of(hindered).write_bytes(data)
        s3.goes_away()
        assert move_sealed(conference.node.name) == 0
        assert said_in(hindered) == SAID
        s3.comes_back()
        assert move_sealed(conference.node.name) == 1

    def test_a_track_whose_key_is_away_waits(
        self, kms: Kms, conference: Conference, s3: Service, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would have no peaks there."""
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        line = f"kms {kms.key()}"
        ring(monkeypatch, line)
        track = make_track(conference, SAID)
        ring(monkeypatch, line)
        kms.fails = (503, "KMSInternalException")
        assert move_sealed(conference.node.name) == 0
        assert places(track) == {FOLDER: ["sealed"], S3: []}
        kms.fails = None
        ring(monkeypatch, line)
        assert move_sealed(conference.node.name) == 1
        assert places(track) == ONLY_S3

    def test_for_each_node_that_has_something_to_move(
        self, conference: Conference, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_track(conference, SAID)
        make_track(conference, SAID)
        make_node()
        sent: list[tuple[str, str]] = []
        monkeypatch.setattr(move_sealed, "apply_async", lambda args, queue, expires: sent.append((args[0], queue)))
        monkeypatch.setattr(tidy, "apply_async", lambda queue, expires: sent.append(("tidy", queue)))
        keep_moving()
        assert sent == []
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        keep_moving()
        name = conference.node.name
        assert sent == [(name, f"files.{name}")]
        sent.clear()
        keep_tidy()
        assert len(sent) == 2

    def test_beat_and_workers_know_them(self) -> None:
        app.loader.import_default_modules()
        assert {keep_moving.name, keep_tidy.name} <= {each["task"] for each in app.conf.beat_schedule.values()}
        assert {move_sealed.name, tidy.name} <= set(app.tasks)


def test_heard_by_a_listener_while_it_moves(
    client: APIClient, alice: User, conference: Conference, s3: Service
) -> None:
    track = make_track(conference, SAID)
    link = part_link(alice, track, 0, 9000)
    begun: Any = client.get(link)
    move(track, S3)
    assert b"".join(begun.streaming_content)[44:] == SAID
    assert heard(client, link)[44:] == SAID
    erase(track)
    assert refused(client, link) == (410, "recording_erased")


def test_a_folder_of_its_own_needs_no_boto() -> None:
    """It takes its time and memory, which a process without a bucket is to keep."""
    code = (
        "import django, sys; django.setup(); import apps.recordings.api.urls, apps.recordings.tasks;"
        " assert 'boto3' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "DJANGO_SETTINGS_MODULE": "sparkle.settings"}, check=True
    )
