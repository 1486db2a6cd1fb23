"""One person's voice is erased: nobody hears it again, in whatever it was, and the others are still heard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.audit import SYSTEM
from apps.core.models import AuditEntry
from apps.recordings.holds import set_hold
from apps.recordings.mixing import mix_anew
from apps.recordings.models import LegalHold, Track, Utterance
from apps.recordings.peaks import keep_peaks
from apps.recordings.places import peaks_file
from apps.recordings.tasks import keep_mixing, mix_main_rooms, tidy
from tests.factories import add_participant, make_conference, make_node, make_scene

from .tracks import BEGAN, heard, make_track, part_link, path_of, recording, refused, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
HEAD = 44


def noise(seed: int, milliseconds: int, loud: int = 9000) -> bytes:
    return np.random.default_rng(seed).integers(-loud, loud, milliseconds * 16, np.int16).astype("<i2").tobytes()


@pytest.fixture
def conference(alice: User) -> Conference:
    return make_conference(alice, phase=Conference.Phase.ENDED, ended_at=timezone.now())


@pytest.fixture
def bob(conference: Conference) -> Participant:
    return add_participant(conference)


def erase(client: APIClient, conference: Conference, participant: Any) -> Any:
    address = f"/api/v1/conferences/{conference.pk}/recording/erase/"
    key = {"Idempotency-Key": uuid4().hex}
    return client.post(address, {"participant": str(participant)}, format="json", headers=key)


def shown(client: APIClient, conference: Conference) -> list[dict[str, Any]]:
    tracks: list[dict[str, Any]] = client.get(f"/api/v1/conferences/{conference.pk}/recording/").json()["tracks"]
    return tracks


def at(milliseconds: int) -> dict[str, Any]:
    return {"started_at": BEGAN + timedelta(milliseconds=milliseconds)}


def summed(length: int, *voices: tuple[bytes, int]) -> bytes:
    """Of voices and where each begins, ms."""
    total = np.zeros(length * 16, np.int32)
    for said, begins in voices:
        samples = np.frombuffer(said, "<i2").astype(np.int32)
        first = max(0, begins * 16)
        piece = samples[first - begins * 16 :][: len(total) - first]
        total[first : first + len(piece)] += piece
    return np.clip(total, -32768, 32767).astype("<i2").tobytes()


def mixed_again(conference: Conference) -> Track:
    assert mix_main_rooms(conference.node.name) == 1
    return Track.objects.get(conference=conference, kind=Track.Kind.MIX, state=Track.State.SEALED)


def test_nobody_hears_them_again(client: APIClient, alice: User, conference: Conference, bob: Participant) -> None:
    whisper = Whisper.objects.create(conference=conference, opened_by=alice)
    theirs = [
        make_track(conference, noise(1, 800), participant=bob),
        make_track(conference, noise(2, 500), participant=bob, whisper=whisper),
    ]
    mix = make_track(conference, noise(3, 1000))
    for track in (*theirs, mix):
        keep_peaks(track)
    say(theirs[0], 0, 500)
    links = [part_link(alice, track, 0, 500) for track in (theirs[0], mix)]
    answer = erase(client, conference, bob.pk)
    assert (answer.status_code, answer.content) == (204, b"")
    assert {each["state"] for each in shown(client, conference)} == {"erased"}, "nobody is left to be mixed"
    for track in (*theirs, mix):
        track.refresh_from_db()
        assert (track.state, track.key_id, bytes(track.sealed_key)) == ("erased", "", b"")
    assert not Utterance.objects.exists()
    for link in links:
        assert refused(client, link) == (410, "recording_erased")
    tidy()
    assert not any(path_of(track).exists() or peaks_file(conference.pk, track.pk).exists() for track in (*theirs, mix))
    [entry] = AuditEntry.objects.filter(action="erase_voice")
    assert (entry.actor_name, entry.object_id, entry.detail) == (alice.display_name, str(bob.pk), {"name": bob.name})

    assert erase(client, conference, bob.pk).status_code == 204, "again"
    assert not mix_main_rooms(conference.node.name)


def test_the_main_room_is_mixed_anew_from_the_others(
    client: APIClient, alice: User, conference: Conference, bob: Participant
) -> None:
    voices = [noise(n, lasts, loud) for n, lasts, loud in ((4, 21_000, 9000), (5, 3_000, 30_000), (6, 2_500, 30_000))]
    erin, dave = add_participant(conference), add_participant(conference)
    make_track(conference, noise(7, 20_000), participant=bob)
    make_track(conference, voices[0], participant=erin, **at(-300))
    late = make_track(conference, voices[1], participant=dave, **at(9_000), behind=20)
    make_track(conference, voices[2], participant=dave, **at(18_700), part=2)
    whisper = Whisper.objects.create(conference=conference, opened_by=alice)
    make_track(conference, noise(8, 20_000), participant=erin, whisper=whisper)
    # The mix began 40 ms before, by its own clock, and is as much behind.
    old = make_track(conference, noise(9, 20_000), **at(40), behind=40, part=3)
    # From 1.5 s on, 40 ms of Dave were lost.
    Utterance.objects.create(track=late, start=200, end=1200, shift=-20)
    Utterance.objects.create(track=late, start=1800, end=2800, shift=20)

    erase(client, conference, bob.pk)
    [waits] = [each for each in shown(client, conference) if each["kind"] == "mix"]
    assert (waits["state"], waits["duration_ms"], waits["audio"]) == ("mixing", 0, None)
    assert refused(client, part_link(alice, Track.objects.get(pk=waits["id"]), 0, 100)) == (503, "still_mixed")
    assert refused(client, part_link(alice, old, 0, 100)) == (410, "recording_erased")

    mix = mixed_again(conference)
    assert (str(mix.pk), mix.part, mix.behind, mix.aligned) == (waits["id"], 3, 0, True)
    assert mix.begins_at == BEGAN
    first, second = voices[1][: 1500 * 32], voices[1][1500 * 32 :]
    others = summed(20_000, (voices[0], -300), (first, 8_980), (second, 10_520), (voices[2], 18_700))
    assert heard(client, recording(client, mix)["audio"])[HEAD:] == others
    assert b"\xff\x7f" in others, "what is too loud is cut off"
    assert peaks_file(conference.pk, mix.pk).exists()
    assert AuditEntry.objects.filter(action="erase_voice").count() == 1


def test_one_after_the_other(client: APIClient, conference: Conference, bob: Participant) -> None:
    """Also while the mix without the first is not made yet."""
    erin, dave = add_participant(conference), add_participant(conference)
    said = noise(10, 1000)
    for person in (bob, erin, dave):
        make_track(conference, said if person == dave else noise(11, 1000), participant=person)
    make_track(conference, noise(12, 1000))
    for person in (bob, erin):
        assert erase(client, conference, person.pk).status_code == 204
    mix = mixed_again(conference)
    assert heard(client, recording(client, mix)["audio"])[HEAD:] == said
    assert erase(client, conference, dave.pk).status_code == 204
    assert not Track.objects.exclude(state=Track.State.ERASED).exists()


def test_a_mix_without_them_stays(client: APIClient, conference: Conference, bob: Participant) -> None:
    make_track(conference, noise(13, 1000), participant=bob)
    with_bob, without = make_track(conference, noise(14, 1000)), make_track(conference, noise(15, 900), **at(60_000))
    assert erase(client, conference, bob.pk).status_code == 204
    with_bob.refresh_from_db()
    without.refresh_from_db()
    assert (with_bob.state, without.state) == ("erased", "sealed")


def test_made_twice_or_erased_meanwhile(client: APIClient, conference: Conference, bob: Participant) -> None:
    erin = add_participant(conference)
    said = noise(16, 1000)
    make_track(conference, noise(17, 1000), participant=bob)
    make_track(conference, said, participant=erin)
    make_track(conference, noise(18, 1000))
    erase(client, conference, bob.pk)
    first, second = (Track.objects.get(state=Track.State.MIXING) for _ in range(2))
    assert (mix_anew(first), mix_anew(second)) == (True, False)
    first.refresh_from_db()
    assert heard(client, recording(client, first)["audio"])[HEAD:] == said
    erase(client, conference, erin.pk)
    assert not mix_anew(second)
    second.refresh_from_db()
    assert second.state == "erased"


def test_it_is_mixed_beside_the_folder_of_its_node(
    client: APIClient, conference: Conference, bob: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (bob, add_participant(conference)):
        make_track(conference, noise(24, 500), participant=person)
    make_track(conference, noise(25, 500))
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(mix_main_rooms, "apply_async", lambda args, queue, expires: sent.append((args[0], queue)))
    make_node()
    keep_mixing()
    assert sent == []
    erase(client, conference, bob.pk)
    keep_mixing()
    name = conference.node.name
    assert sent == [(name, f"files.{name}")]
    assert mix_main_rooms(make_node().name) == 0


def test_what_is_left_where_nobody_has_a_name(
    client: APIClient, conference: Conference, bob: Participant, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voice that cannot be reached now: nothing of the mix is left, and it is made later."""
    erin = add_participant(conference)
    said = noise(19, 1000)
    make_track(conference, noise(20, 1000), participant=bob)
    voice = make_track(conference, said, participant=erin)
    make_track(conference, noise(21, 1000))
    erase(client, conference, bob.pk)
    Track.objects.filter(pk=voice.pk).update(storage=Track.Storage.S3)
    before = sorted(recordings.rglob("*"))
    assert mix_main_rooms(conference.node.name) == 0
    assert sorted(recordings.rglob("*")) == before
    Track.objects.filter(pk=voice.pk).update(storage=Track.Storage.FOLDER)
    monkeypatch.setattr("apps.recordings.tasks.erasing.AGAIN", 0)
    cache.clear()
    assert heard(client, recording(client, mixed_again(conference))["audio"])[HEAD:] == said


class TestRefusals:
    def test_before_it_is_over_and_sealed(self, client: APIClient, conference: Conference, bob: Participant) -> None:
        make_track(conference, noise(22, 64), participant=bob, live=True)
        answer = erase(client, conference, bob.pk)
        assert (answer.status_code, answer.json()["code"]) == (409, "still_recorded")
        Track.objects.all().delete()
        Conference.objects.filter(pk=conference.pk).update(phase=Conference.Phase.RUNNING, ended_at=None)
        answer = erase(client, conference, bob.pk)
        assert (answer.status_code, answer.json()["code"]) == (409, "still_recorded")

    def test_on_legal_hold(self, client: APIClient, conference: Conference, bob: Participant) -> None:
        track = make_track(conference, noise(23, 64), participant=bob)
        set_hold(LegalHold(conference=conference, reason="a lawsuit"), by=SYSTEM)
        answer = erase(client, conference, bob.pk)
        assert (answer.status_code, answer.json()["code"]) == (409, "on_legal_hold")
        track.refresh_from_db()
        assert track.state == "sealed"
        assert not AuditEntry.objects.filter(action="erase_voice").exists()

    @pytest.mark.parametrize("who", ["x", None, uuid4()])
    def test_nobody_of_the_conference(self, client: APIClient, conference: Conference, who: Any) -> None:
        answer = erase(client, conference, who)
        assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (400, ["participant"])

    def test_whoever_may_not(self, as_user: AsUser) -> None:
        scene = make_scene(member_may_replay=True, participant_may_replay=True)
        unit = scene.users["owner"].unit
        assert unit is not None
        Conference.objects.filter(pk=scene.conference.pk).update(phase=Conference.Phase.ENDED, ended_at=timezone.now())
        person = scene.own["member"].pk
        policy = OrganisationPolicy.objects.create(unit=unit, may_export=False)
        for role in ("chair", "member", "participant"):
            assert erase(as_user(scene.users[role]), scene.conference, person).status_code == 403, role
        assert erase(as_user(scene.users["outsider"]), scene.conference, person).status_code == 404
        assert erase(as_user(scene.users["manager"]), scene.conference, person).json()["code"] == "switched_off"
        OrganisationPolicy.objects.filter(pk=policy.pk).update(may_export=True)
        for role in ("manager", "owner"):
            assert erase(as_user(scene.users[role]), scene.conference, person).status_code == 204, role
