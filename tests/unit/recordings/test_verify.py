"""Whoever looks after recordings learns of everything that cannot be heard."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.conferences.models import Conference
from apps.recordings.models import Track
from tests.factories import make_conference, make_user
from tests.unit.recordings.tracks import flip, make_track, path_of

pytestmark = pytest.mark.django_db
SAID = bytes(range(256)) * 40


def run(*arguments: str) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    try:
        call_command("recordings", "verify", *arguments, stdout=out, stderr=errors)
    except CommandError as error:
        return errors.getvalue(), str(error)
    return errors.getvalue(), out.getvalue()


def test_what_is_well_is_well(recordings: Path, conference: Conference) -> None:
    for said in (SAID, b""):
        make_track(conference, said)
    make_track(conference, SAID, live=True)
    assert run() == ("", "2 tracks were opened.\n")


@pytest.mark.parametrize("place", [3, 70, 2000, -1])
def test_a_flipped_bit_anywhere_is_found(recordings: Path, conference: Conference, place: int) -> None:
    good, bad = make_track(conference, SAID), make_track(conference, SAID)
    flip(bad, place)
    errors, end = run()
    assert f"track {bad.pk} of conference {conference.pk}: recording_damaged" in errors
    assert str(good.pk) not in errors
    assert end == "1 of what there is cannot be heard."
    bad.refresh_from_db()
    assert bad.state == Track.State.SEALED, "it may come back from a backup"


def test_a_file_that_is_gone_and_one_that_is_nobodys_are_found(recordings: Path, conference: Conference) -> None:
    gone, left = make_track(conference, SAID), make_track(conference, SAID)
    path_of(gone).unlink()
    path = path_of(left)
    left.delete()
    errors, _ = run()
    assert f"track {gone.pk}" in errors
    assert f"folder:{path.parent.name}/{path.name}: no_row" in errors


def test_one_conference_is_looked_at_alone(recordings: Path, conference: Conference) -> None:
    other = make_conference(make_user("bob"))
    flip(make_track(other, SAID), 100)
    make_track(conference, SAID)
    assert run("--conference", str(conference.pk)) == ("", "1 tracks were opened.\n")
    assert "1 of what there is" in run("--conference", str(other.pk))[1]
