"""What recordings take, counted from the rows, is what their files take."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.core.audit import SYSTEM
from apps.core.ids import new_id
from apps.recordings.holds import set_hold
from apps.recordings.models import LegalHold, Track
from apps.recordings.sealed.header import FRAME_SIZE
from apps.recordings.shredding import shred
from apps.recordings.storage_use import Use, storage_use
from tests.factories import add_participant, make_conference, make_unit, make_user

from .recording import Recording, recording, until_done
from .tracks import make_track, path_of

__all__ = ["recording"]

pytestmark = pytest.mark.django_db
SECOND = bytes(32_000)


def ended(owner: User, days: float = 0) -> Conference:
    at = timezone.now() - timedelta(days=days)
    return make_conference(owner, phase=Conference.Phase.ENDED, ended_at=at)


def test_nothing_takes_nothing() -> None:
    assert storage_use() == ([], Use(None, None, None, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("said", [b"", b"x" * 1000, bytes(1024), SECOND])
def test_a_file_is_as_large_as_its_row_says(recordings: Path, conference: Conference, said: bytes) -> None:
    tracks = [make_track(conference, said), make_track(conference, said, participant=add_participant(conference))]
    assert storage_use()[1].size == sum(path_of(track).stat().st_size for track in tracks)


def test_also_while_it_is_recorded(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(5 * FRAME_SIZE + 1)
    sealing.round()
    _, total = storage_use()
    assert total.size == tap.sealed.stat().st_size
    assert total.seconds == pytest.approx(5 * FRAME_SIZE / 32_000)
    tap.end()
    until_done(sealing)
    assert storage_use()[1].size == tap.sealed.stat().st_size


def test_by_the_units_of_owners(recordings: Path) -> None:
    company = make_unit("集团", recordings_kept=100)
    lab = make_unit("研发部", parent=company)
    alice, bob, carol = make_user("alice", unit=lab), make_user("bob", unit=company), make_user("carol")
    for owner, conferences, seconds in ((alice, 2, 3), (bob, 1, 2), (carol, 1, 1)):
        for _ in range(conferences):
            conference = ended(owner)
            for _ in range(2):
                make_track(conference, SECOND * seconds)
    make_unit("nothing here")
    units, total = storage_use()
    assert [(each.unit, each.path, each.kept, each.conferences, each.seconds) for each in units] == [
        (lab.pk, "集团 / 研发部", 100, 2, 12),
        (company.pk, "集团", 100, 1, 4),
        (None, None, None, 1, 2),
    ]
    assert (total.conferences, total.seconds, total.size) == (4, 18, sum(each.size for each in units))


def test_what_is_held_and_what_goes_soon(recordings: Path) -> None:
    alice = make_user("alice", unit=make_unit(recordings_kept=100))
    late, soon, held = ended(alice, 69), ended(alice, 71), ended(alice, 99)
    for conference, seconds in ((late, 1), (soon, 2), (held, 3)):
        make_track(conference, SECOND * seconds)
    set_hold(LegalHold(conference=held, reason="a lawsuit"), by=SYSTEM)
    ((unit,), total) = storage_use()
    sizes = {each: path_of(each.tracks.get()).stat().st_size for each in (late, soon, held)}
    assert (unit.size, unit.held, unit.going) == (sum(sizes.values()), sizes[held], sizes[soon])
    assert total[3:] == unit[3:]


def test_what_was_erased_or_never_was_takes_nothing(recordings: Path, conference: Conference) -> None:
    make_track(conference, SECOND)
    shred(conference.tracks.all())
    row = {"kind": Track.Kind.MIX, "part": 2, "requested_at": timezone.now(), "node": conference.node}
    conference.tracks.create(pk=new_id(), state=Track.State.EMPTY, **row)
    conference.tracks.create(pk=new_id(), **row)
    assert storage_use() == ([], Use(None, None, None, 0, 0, 0, 0, 0))


def test_many_are_one_statement(db: None) -> None:
    """As many hours as a company records: the figures do not overflow."""
    owners = [make_user(f"user{n}", unit=make_unit()) for n in range(5)]
    conferences = [ended(owner) for owner in owners for _ in range(10)]
    day = 24 * 3600 * 32_000
    tracks = [
        Track(
            pk=new_id(),
            conference=conference,
            participant=person,
            node=conference.node,
            leg=uuid4(),
            kind=Track.Kind.PERSON,
            part=part,
            requested_at=timezone.now(),
            state=Track.State.SEALED,
            frames=day // FRAME_SIZE,
            length=day,
        )
        for conference in conferences
        for person in [add_participant(conference)]
        for part in range(100)
    ]
    Track.objects.bulk_create(tracks, batch_size=1000)
    with CaptureQueriesContext(connection) as asked:
        units, total = storage_use()
    assert len(asked) == 1
    assert [each.conferences for each in units] == [10] * 5
    assert total.hours == pytest.approx(5000 * 24)
    assert day * 5000 < total.size < day * 5000 * 1.003
