"""Tracks whose keys are wrapped in AWS KMS: recorded, heard, rotated; and what becomes of them while it is away."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.recordings import kms as under_test
from apps.recordings.audio import WAV_HEADER
from apps.recordings.keys import key_provider
from apps.recordings.models import Track
from apps.recordings.replay import open_clip
from apps.recordings.rotation import tracks_by_key
from apps.recordings.sealing.keys import TOGETHER
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.tasks.afterwards import align_mixes, make_missing_peaks
from tests.factories import add_participant

from .kms import Kms, kms
from .recording import FRAME as WHOLE
from .recording import Recording, at_once, errors, recording, until_done
from .sealing import speech
from .test_peaks import address_of
from .tracks import FRAME, heard, link_to, make_track, part_link, say

__all__ = ["at_once", "kms", "recording"]
HELD = f"file {base64.b64encode(bytes(range(32))).decode()}"
SAID = speech(20 * FRAME)


def ring(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """As after a start of all processes: nothing is remembered."""
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS_FILE", raising=False)
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", "\n".join(lines))
    key_provider.cache_clear()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def sound(client: APIClient, track: Track) -> bytes:
    return heard(client, link_to(client, track))[WAV_HEADER:]


def rounds_until(sealing: Sealer, condition: Callable[[], object]) -> None:
    for _ in range(200):
        if condition():
            return
        sealing.round()
    raise AssertionError("not within 200 rounds")


@pytest.mark.django_db
@pytest.mark.usefixtures("recordings")
class TestHearing:
    def test_a_players_many_requests_ask_kms_once(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, client: APIClient, conference: Conference
    ) -> None:
        line = f"kms {kms.key()}"
        ring(monkeypatch, line)
        track, other = make_track(conference, SAID), make_track(conference, SAID)
        address = link_to(client, track)
        ring(monkeypatch, line)
        for start in range(0, len(SAID), 1000):
            answer: Any = client.get(address, headers={"range": f"bytes={start + 44}-{start + 143}"})
            assert b"".join(answer.streaming_content) == SAID[start : start + 100]
        assert kms.of("Decrypt") == [str(track.pk)]
        kms.fails = 503, "KMSInternalException"
        assert client.get(address).status_code == 200
        assert client.get(link_to(client, other)).status_code == 503

    def test_what_was_erased_is_not_heard_from_memory(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, client: APIClient, conference: Conference
    ) -> None:
        ring(monkeypatch, f"kms {kms.key()}")
        track = make_track(conference, SAID)
        address = link_to(client, track)
        assert client.get(address).status_code == 200
        Track.objects.filter(pk=track.pk).update(key_id="", sealed_key=b"", state=Track.State.ERASED)
        assert client.get(address).status_code == 410

    def test_away_is_no_damage(
        self,
        kms: Kms,
        monkeypatch: pytest.MonkeyPatch,
        client: APIClient,
        alice: User,
        conference: Conference,
    ) -> None:
        cache.clear()
        line = f"kms {kms.key()}"
        ring(monkeypatch, line)
        track, live = make_track(conference, SAID), make_track(conference, SAID, live=True)
        ring(monkeypatch, line)
        kms.fails = 503, "KMSInternalException"
        for address in (part_link(alice, track, 0, 9000), address_of(track)):
            answer = client.get(address)
            assert (answer.status_code, answer.json()["code"]) == (503, "recording_keys_away")
            assert int(answer["Retry-After"]) > 0
        listed = client.get(f"/api/v1/conferences/{conference.pk}/recording/").json()["tracks"]
        assert {each["id"]: bool(each["audio"]) for each in listed} == {str(track.pk): True, str(live.pk): False}
        with pytest.raises(CommandError, match="recording_keys_away"):
            run("recordings", "verify")
        kms.fails = None
        ring(monkeypatch, line)
        assert sound(client, track) == SAID
        assert "1 tracks were opened" in run("recordings", "verify")

    def test_jobs_leave_what_is_out_of_reach_for_later(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, conference: Conference
    ) -> None:
        cache.clear()
        line = f"kms {kms.key()}"
        ring(monkeypatch, line)
        mix = make_track(conference, SAID, ended_at=timezone.now())
        voice = make_track(conference, SAID, participant=add_participant(conference), ended_at=timezone.now())
        say(voice, 300, 640)
        ring(monkeypatch, line)
        kms.fails = 503, "KMSInternalException"
        assert make_missing_peaks() == 0
        align_mixes()
        kms.fails = None
        ring(monkeypatch, line)
        open_clip(mix, 0)
        kms.fails = 503, "KMSInternalException"
        align_mixes()
        mix.refresh_from_db()
        assert not mix.aligned, "also where only a voice is out of reach"
        kms.fails = None
        ring(monkeypatch, line)
        assert make_missing_peaks() == 2
        align_mixes()
        mix.refresh_from_db()
        assert mix.aligned


@pytest.mark.django_db
@pytest.mark.usefixtures("recordings")
class TestRotating:
    def test_from_the_file_to_kms_and_back(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, client: APIClient, conference: Conference
    ) -> None:
        there = f"kms {kms.key()}"
        ring(monkeypatch, HELD)
        old = make_track(conference, SAID)
        ring(monkeypatch, there, HELD)
        new = make_track(conference, SAID[::-1])
        assert run("keys", "status").splitlines() == ["kms: 1 tracks, current", "file: 1 tracks"]
        for lines, current in (((there, HELD), "kms"), ((HELD, there), "file")):
            ring(monkeypatch, *lines)
            run("keys", "rewrap")
            assert tracks_by_key() == {current: 2}
            ring(monkeypatch, lines[0])
            assert sound(client, old) == SAID
            assert sound(client, new) == SAID[::-1]

    def test_away_while_it_is_at_it(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, client: APIClient, conference: Conference
    ) -> None:
        ring(monkeypatch, HELD)
        track = make_track(conference, SAID)
        ring(monkeypatch, f"kms {kms.key()}", HELD)
        for answer in ((503, "KMSInternalException"), (400, "AccessDeniedException")):
            kms.fails = answer
            with pytest.raises(CommandError, match="run it again"):
                run("keys", "rewrap")
            assert tracks_by_key() == {"file": 1}
            key_provider.cache_clear()
        kms.fails = None
        assert "1 tracks" in run("keys", "rewrap")
        assert sound(client, track) == SAID


class TestSealing:
    def test_who_has_a_key_does_not_wait_for_those_that_have_none(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, recording: Recording
    ) -> None:
        # Longer than any test: that a request was given up and asked again would show that a round has waited for it.
        monkeypatch.setattr(under_test, "TIMEOUT", 600.0)
        ring(monkeypatch, f"kms {kms.key()}")
        sealing, first = recording.sealer(), recording.track()
        first.noise(WHOLE)
        rounds_until(sealing, lambda: first.row().frames)
        kms.answers.clear()
        others = [recording.track() for _ in range(3 * TOGETHER)]
        for tap in (first, *others):
            tap.noise(2 * WHOLE)
        sealing.round()
        assert first.row().frames == 3
        assert {(tap.row().frames, tap.row().key_id) for tap in others} == {(0, "")}
        assert all(tap.clear.read_bytes() == tap.written for tap in others)
        kms.answers.set()
        for tap in (first, *others):
            tap.end()
        until_done(sealing, rounds=200)
        asked = kms.of("Encrypt")
        assert len(asked) == len(set(asked)) == 1 + len(others)
        assert all(tap.is_sealed() for tap in (first, *others))

    def test_away_it_waits_in_memory_and_is_heard_of_in_the_log(
        self, kms: Kms, monkeypatch: pytest.MonkeyPatch, recording: Recording, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(under_test, "AWAY", 0.0)
        ring(monkeypatch, f"kms {kms.key()}")
        sealing, tap = recording.sealer(), recording.track()
        tap.noise(3 * WHOLE)
        kms.fails = 503, "KMSInternalException"
        rounds_until(sealing, lambda: any("waits: " in each for each in errors(caplog)))
        assert tap.row().frames == 0
        assert tap.row().state == Track.State.LIVE
        assert tap.clear.read_bytes() == tap.written
        kms.fails = None
        tap.end()
        until_done(sealing, rounds=200)
        assert tap.is_sealed()

    def test_a_sealer_after_another_one(self, kms: Kms, monkeypatch: pytest.MonkeyPatch, recording: Recording) -> None:
        """The row has its key: it is unwrapped, and the file gone on with."""
        line = f"kms {kms.key()}"
        ring(monkeypatch, line)
        sealing, tap = recording.sealer(), recording.track()
        tap.noise(2 * WHOLE)
        rounds_until(sealing, lambda: tap.row().frames)
        sealing.close()
        ring(monkeypatch, line)
        tap.noise(2 * WHOLE)
        tap.end()
        until_done(recording.sealer(), rounds=200)
        assert kms.of("Encrypt") == kms.of("Decrypt")[:1] == [str(tap.track.pk)]
        assert tap.is_sealed()
