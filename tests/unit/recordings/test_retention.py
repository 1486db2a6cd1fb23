"""What has been kept for as long as its unit says is erased for good, and nothing else is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from celery.schedules import crontab
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, OrganisationUnit, User
from apps.conferences.models import Conference, Whisper
from apps.core.audit import SYSTEM, By
from apps.core.models import AuditEntry
from apps.recordings.errors import RecordingErased
from apps.recordings.holds import held, lift_hold, set_hold
from apps.recordings.models import LegalHold, Track, Utterance
from apps.recordings.peaks import keep_peaks
from apps.recordings.places import peaks_file
from apps.recordings.replay import open_clip
from apps.recordings.retention import expired, shred_expired
from apps.recordings.tasks import erase_expired, tidy
from sparkle.celery import app
from tests.factories import add_participant, make_conference, make_unit, make_user
from tests.servers import wait_until

from .tracks import make_track, path_of, recording, refused, say

pytestmark = pytest.mark.django_db
SAID = bytes(range(256)) * 40


@pytest.fixture
def unit() -> OrganisationUnit:
    """Its people's recordings are kept for ten days."""
    return make_unit(recordings_kept=10)


@pytest.fixture
def alice(unit: OrganisationUnit) -> User:
    return make_user("alice", unit=unit)


@pytest.fixture
def conference(alice: User) -> Conference:
    return ended(alice, 11)


def ended(owner: User, days: float) -> Conference:
    """A conference that ended so many days ago."""
    at = timezone.now() - timedelta(days=days)
    return make_conference(owner, phase=Conference.Phase.ENDED, ended_at=at)


def hold(**on: Conference | OrganisationUnit) -> LegalHold:
    made = LegalHold(**on, reason="a lawsuit")
    set_hold(made, by=SYSTEM)
    return made


def test_all_of_a_conference_is_erased(recordings: Path, conference: Conference, alice: User) -> None:
    """Voices, whispers and the mix: keys, utterances and files. The rows stay. The log tells of it, not of what was."""
    person = add_participant(conference)
    whisper = Whisper.objects.create(conference=conference, opened_by=alice)
    tracks = [
        make_track(conference, SAID),
        make_track(conference, SAID, participant=person),
        make_track(conference, SAID, participant=person, whisper=whisper),
    ]
    for track in tracks:
        keep_peaks(track)
    say(tracks[1], 0, 100)
    assert erase_expired() == 1
    for track in tracks:
        track.refresh_from_db()
        assert (track.state, track.key_id, bytes(track.sealed_key)) == (Track.State.ERASED, "", b"")
        assert not path_of(track).exists()
        assert not peaks_file(conference.pk, track.pk).exists()
        with pytest.raises(RecordingErased):
            open_clip(track, 0)
    assert not Utterance.objects.exists()
    (entry,) = AuditEntry.objects.filter(conference_id=conference.pk)
    assert (entry.action, entry.actor_id, entry.detail) == ("expire_recording", None, {})
    assert erase_expired() == 0
    assert AuditEntry.objects.filter(conference_id=conference.pk).count() == 1


def test_a_link_from_before_leads_nowhere(
    recordings: Path, conference: Conference, alice: User, as_user: Callable[[User], APIClient]
) -> None:
    track = make_track(conference, SAID)
    client = as_user(alice)
    link = recording(client, track)["audio"]
    erase_expired()
    assert refused(client, link) == (410, "recording_erased")


@pytest.mark.parametrize(("days", "goes"), [(9.9, False), (10.1, True)])
def test_the_days_count_from_the_end(recordings: Path, alice: User, days: float, goes: bool) -> None:
    track = make_track(ended(alice, days), SAID)
    assert erase_expired() == goes
    assert path_of(track).exists() is not goes


def test_what_runs_is_kept(recordings: Path, alice: User) -> None:
    running = make_conference(alice, started_at=timezone.now() - timedelta(days=20))
    make_track(running, SAID)
    assert erase_expired() == 0


def test_the_nearest_policy_upwards_decides(recordings: Path, unit: OrganisationUnit) -> None:
    below = make_unit(parent=make_unit(parent=unit))
    longer = make_unit(parent=below, recordings_kept=100)
    for_ever = make_unit(parent=unit, may_export=True)
    kept = {
        name: ended(make_user(name.replace(" ", "-"), unit=of), 50)
        for name, of in {
            "own": unit,
            "inherited": below,
            "longer": longer,
            "below longer": make_unit(parent=longer),
            "for ever": for_ever,
            "no policy": make_unit(),
            "no unit": None,
        }.items()
    }
    for conference in kept.values():
        make_track(conference, SAID)
    assert set(expired(timezone.now())) == {kept["own"].pk, kept["inherited"].pk}
    OrganisationPolicy.objects.filter(unit=longer).update(recordings_kept=49)
    assert set(expired(timezone.now())) == {kept[name].pk for name in ("own", "inherited", "longer", "below longer")}
    assert erase_expired() == 4
    assert {kept[name].tracks.get().state for name in ("for ever", "no policy", "no unit")} == {Track.State.SEALED}


def test_a_circle_of_units_keeps_all(recordings: Path, conference: Conference, unit: OrganisationUnit) -> None:
    make_track(conference, SAID)
    unit.parent = make_unit(parent=unit)
    unit.save()
    assert erase_expired() == 0
    hold(unit=unit)
    assert held(conference.pk)


@pytest.mark.parametrize("on", ["conference", "unit", "unit above"])
def test_nothing_is_erased_while_it_is_held(
    recordings: Path, conference: Conference, unit: OrganisationUnit, on: str
) -> None:
    make_track(conference, SAID)
    above = unit.parent = make_unit()
    unit.save()
    assert not held(conference.pk)
    made = hold(conference=conference) if on == "conference" else hold(unit=unit if on == "unit" else above)
    assert held(conference.pk)
    assert expired(timezone.now()) == []
    assert shred_expired(conference.pk) == []
    lift_hold(made, reason="it is over", by=SYSTEM)
    assert not held(conference.pk)
    assert erase_expired() == 1


def test_a_hold_on_another_is_none(recordings: Path, conference: Conference, alice: User) -> None:
    make_track(conference, SAID)
    hold(conference=ended(alice, 11))
    hold(unit=make_unit(parent=alice.unit))
    hold(unit=make_unit())
    nobodys = ended(make_user("bob"), 11)
    assert not held(conference.pk)
    assert not held(nobodys.pk)
    assert erase_expired() == 1


def test_holds_are_audited_where_those_held_do_not_read_it(conference: Conference, alice: User) -> None:
    made = LegalHold(conference=conference, reason="a lawsuit")
    set_hold(made, by=By(alice, "203.0.113.5"))
    lift_hold(made, reason="it is over", by=By(alice))
    lift_hold(made, reason="again", by=SYSTEM)
    made.refresh_from_db()
    assert (made.set_by, made.lifted_by, made.lifted_reason) == (alice, alice, "it is over")
    said = AuditEntry.objects.filter(object_id=str(made.pk)).order_by("id").values_list("action", "actor_id", "detail")
    on = {"conference": str(conference.pk)}
    assert list(said) == [
        ("set_legal_hold", alice.pk, {**on, "reason": "a lawsuit"}),
        ("lift_legal_hold", alice.pk, {**on, "reason": "it is over"}),
    ]
    assert not AuditEntry.objects.filter(conference_id=conference.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_hold_waits_for_what_is_being_erased_and_then_holds(conference: Conference) -> None:
    def set_it() -> None:
        hold(conference=conference)
        connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database"
                " WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted)"
            )
            return bool(cursor.fetchone()[0])

    setting = threading.Thread(target=set_it)
    with transaction.atomic():
        assert not held(conference.pk)
        setting.start()
        wait_until(waits, "the hold to wait")
        assert not held(conference.pk)
    setting.join(10)
    assert held(conference.pk)


def test_killed_between_shredding_and_removing(recordings: Path, conference: Conference) -> None:
    """What is committed is the shredding; the files are noise from then on, and go with what else is tidied."""
    track = make_track(conference, SAID)
    keep_peaks(track)
    assert [each.pk for each in shred_expired(conference.pk)] == [track.pk]
    assert path_of(track).exists()
    assert erase_expired() == 0
    tidy()
    assert not path_of(track).exists()
    assert not peaks_file(conference.pk, track.pk).exists()


def test_killed_before_it_is_committed(recordings: Path, conference: Conference) -> None:
    """Then nothing has happened, and the next night does it."""
    track = make_track(conference, SAID)
    with transaction.atomic():
        shred_expired(conference.pk)
        transaction.set_rollback(True)
    assert open_clip(Track.objects.get(pk=track.pk), 0).size == len(SAID)
    assert not AuditEntry.objects.exists()
    assert erase_expired() == 1


def test_what_cannot_be_removed_hinders_nothing(
    recordings: Path, conference: Conference, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = make_track(conference, SAID)
    path_of(stuck).unlink()
    path_of(stuck).mkdir()  # no file can be removed there
    other = make_track(ended(alice, 10.5), SAID)
    assert erase_expired() == 2
    assert not path_of(other).exists()
    assert f"the files of track {stuck.pk} are removed later" in caplog.text
    stuck.refresh_from_db()
    assert stuck.state == Track.State.ERASED


def test_what_was_never_sealed_goes_too(recordings: Path, conference: Conference) -> None:
    """The track of a node that never came back. Its sealer, should it come, removes what it finds in the clear."""
    track = make_track(conference, SAID, live=True)
    assert erase_expired() == 1
    track.refresh_from_db()
    assert track.state == Track.State.ERASED


def test_beat_knows_it() -> None:
    (entry,) = [each for each in app.conf.beat_schedule.values() if each["task"] == erase_expired.name]
    assert entry["schedule"] == crontab(hour="3", minute="17")
