"""`manage.py recordings` where there are two stores."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.recordings.storage.configured import folder
from tests.factories import make_conference, make_node
from tests.unit.recordings.bucket import Service, s3
from tests.unit.recordings.test_moving import ONLY_FOLDER, ONLY_S3, S3, SAID, places
from tests.unit.recordings.tracks import flip, make_track, path_of

__all__ = ["s3"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]


def run(*arguments: str) -> tuple[str, str, str]:
    """Output, errors, and how it ended."""
    out, errors, end = StringIO(), StringIO(), ""
    try:
        call_command("recordings", *arguments, stdout=out, stderr=errors)
    except CommandError as error:
        end = str(error)
    return out.getvalue(), errors.getvalue(), end


class TestCommand:
    def test_moves_all_or_one_conference(self, alice: User, conference: Conference, s3: Service) -> None:
        track, other = make_track(conference, SAID), make_track(make_conference(alice), SAID)
        assert run("move", "--to", "s3", "--conference", str(conference.pk)) == ("1 tracks were moved.\n", "", "")
        assert places(track) == ONLY_S3
        assert places(other)[S3] == []
        assert run("verify") == ("2 tracks were opened.\n", "", "")
        assert run("move", "--to", "s3") == ("1 tracks were moved.\n", "", "")
        assert run("move", "--to", "folder") == ("2 tracks were moved.\n", "", "")
        assert places(track) == places(other) == ONLY_FOLDER

    def test_not_to_where_they_would_be_moved_from(
        self, conference: Conference, s3: Service, settings: LazySettings
    ) -> None:
        settings.SPARKLE_RECORDINGS_STORAGE = "s3"
        assert "SPARKLE_RECORDINGS_STORAGE=folder" in run("move", "--to", "folder")[2]

    def test_tells_what_is_on_other_nodes_and_what_failed(self, conference: Conference, s3: Service) -> None:
        good, lost = make_track(conference, SAID), make_track(conference, SAID)
        away = make_track(conference, SAID, node=make_node())
        path_of(lost).unlink()
        path_of(away).unlink()
        next(folder()._path.glob(f".node-{away.node.name}")).unlink()
        for what, done in (("move --to s3", "1 tracks were moved."), ("verify", "2 tracks were opened.")):
            out, errors, end = run(*what.split())
            assert out == f"{done}\n1 tracks are in the folders of other nodes: run this there, too.\n"
            assert str(lost.pk) in errors
            assert str(good.pk) not in errors
            assert str(away.pk) not in errors
            assert end.startswith("1 of what there is cannot be ")

    def test_says_that_the_store_is_away(self, conference: Conference, s3: Service) -> None:
        track = make_track(conference, SAID)
        s3.goes_away()
        assert "storage_away" in run("move", "--to", "s3")[2]
        s3.comes_back()
        run("move", "--to", "s3")
        s3.goes_away()
        _, errors, end = run("verify")
        assert "storage_away" in end
        assert str(track.pk) not in errors

    def test_verify_looks_into_the_bucket(self, conference: Conference, s3: Service) -> None:
        bad, twice = make_track(conference, SAID), make_track(conference, SAID)
        flip(bad, 2000)
        data = path_of(twice).read_bytes()
        run("move", "--to", "s3")
        path_of(twice).write_bytes(data)
        s3.write(f"of/this/installation/{conference.pk.hex}/{'0' * 32}.sealed", b"")
        _, errors, end = run("verify")
        assert f"track {bad.pk} of conference {conference.pk}: recording_damaged" in errors
        assert f"s3:{conference.pk.hex}/{'0' * 32}.sealed: no_row" in errors
        assert f"folder:{conference.pk.hex}/{twice.pk.hex}.sealed: left_over" in errors
        assert end.startswith("3 of what")
