"""Whatever happens to sealers, database, disk or machine: what can be sealed is, and nothing is thrown away."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from django.db import DatabaseError

from apps.recordings import keys
from apps.recordings.models import Track, Utterance
from apps.recordings.sealing import rows
from apps.recordings.sealing import track as sealing_track
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.speech import Span
from apps.recordings.sealing.spool import Spool

from .recording import FRAME, Recording, at_once, errors, recording, until_done
from .test_speech import conversation

__all__ = ["at_once", "recording"]


def test_a_commit_that_fails(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old rows stand, the plaintext too, and the next round says it again."""
    sealing, tap = recording.sealer(), recording.track()
    signal, spans = conversation()
    cut = spans[1].start * 16
    tap.speak(signal[:cut])

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(Utterance.objects, "bulk_create", fail)
        for _ in range(3):
            with pytest.raises(DatabaseError):
                sealing.round()
            assert tap.row().frames == 0
            assert tap.clear.read_bytes() == tap.written
    sealing.round()
    assert tap.row().frames == cut * 2 // FRAME
    assert len(tap.utterances()) == 1
    assert recording.clear_bytes() <= FRAME
    tap.end()
    until_done(sealing)
    assert tap.is_sealed()


def test_a_commit_of_which_nobody_knows(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made, and the answer was lost: the utterances are there once, and the plaintext is let go."""
    sealing, tap = recording.sealer(), recording.track()
    signal, spans = conversation()
    tap.speak(signal[: spans[1].start * 16])
    confirm = rows.confirm

    def lost(progress: Any) -> None:
        confirm(progress)
        raise DatabaseError

    for finished in (False, True):
        if finished:
            sealing.round()
            tap.end()
        with monkeypatch.context() as patched:
            patched.setattr(rows, "confirm", lost)
            with pytest.raises(DatabaseError):
                until_done(sealing)
        sealing.round()
        assert len(tap.utterances()) == 1
        assert recording.clear_bytes() <= FRAME
    assert tap.is_sealed()


def test_killed_before_it_let_go(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(5 * FRAME + 7)
    with monkeypatch.context() as patched:
        patched.setattr(sealing_track.Sealing, "let_go", lambda self: None)
        sealing.round()
    assert recording.clear_bytes() > 5 * FRAME
    sealing.close()
    sealing = recording.sealer()
    sealing.round()
    assert recording.clear_bytes() <= FRAME
    tap.end()
    until_done(sealing)
    assert tap.is_sealed()


@pytest.mark.parametrize("committed", [False, True])
def test_killed_when_the_last_frame_was_there(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """Before its row said so, and after, when only the clear file was left to remove."""
    sealing, tap = recording.sealer(), recording.track()
    signal, _ = conversation()
    tap.speak(signal)
    tap.end()

    class Killed(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        # The first commits are of whole frames; the last is the one that counts.
        if committed:
            patched.setattr(Sealer, "_remove", killed)
        else:
            confirm = rows.confirm
            patched.setattr(
                rows, "confirm", lambda each: killed() if each[0].state == Track.State.SEALED else confirm(each)
            )
        with pytest.raises(Killed):
            until_done(sealing)
    assert tap.row().state == (Track.State.SEALED if committed else Track.State.LIVE)
    assert tap.clear.exists()
    sealing.close()
    until_done(recording.sealer())
    assert tap.is_sealed()
    assert len(tap.utterances()) == 7


def test_two_sealers(recording: Recording) -> None:
    first, second = recording.sealer(), recording.sealer()
    tap = recording.track()
    tap.noise(2 * FRAME)
    assert first.round() == 1
    assert second.round() == 0
    tap.noise(2 * FRAME)
    first.close()
    assert second.round() == 1
    assert first.round() == 0
    tap.end()
    until_done(second)
    assert tap.is_sealed()


def test_two_sealers_in_spite_of_the_lock(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take turns at one file. Who finds the row written by another drops its writer, and the samples are right."""
    monkeypatch.setattr(Spool, "hold", lambda self: True)
    sealers = recording.sealer(), recording.sealer()
    tap = recording.track()
    for step in range(12):
        tap.noise(FRAME + 100)
        for sealing in sealers if step % 3 else sealers[::-1]:
            sealing.round()
    tap.end()
    for _ in range(6):
        for sealing in sealers:
            sealing.round()
    assert tap.is_sealed()


@pytest.mark.parametrize("damage", ["cut", "zeros", "gone"])
def test_power_was_lost(recording: Recording, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    """The spool with it, and what had not reached the disk: it is sealed as far as it came."""
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(9 * FRAME)
    sealing.round()
    sealing.close()
    tap.clear.unlink()
    stored = FRAME + 36
    if damage == "gone":
        tap.sealed.unlink()
    else:
        os.truncate(tap.sealed, 68 + 7 * stored - 5)
        if damage == "zeros":
            with tap.sealed.open("r+b") as file:
                file.seek(68 + 4 * stored)
                file.write(bytes(stored * 2))
    sealing = recording.sealer()
    sealing.round()
    assert tap.row().frames == 9, "nobody knows yet that it is over"
    tap.end(ago=60)
    until_done(sealing)
    del tap.written[{"cut": 6, "zeros": 4, "gone": 0}[damage] * FRAME :]
    assert tap.is_sealed()
    assert any("of 9 sealed frames" in each for each in errors(caplog))


def test_the_sealed_file_was_lost_alone(recording: Recording) -> None:
    """What the spool has let go is silence in it: the track keeps its time."""
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(3 * FRAME + 9)
    sealing.round()
    sealing.close()
    tap.sealed.unlink()
    tap.noise(2 * FRAME)
    tap.end()
    until_done(recording.sealer())
    tap.written[: 3 * FRAME] = bytes(3 * FRAME)
    assert tap.is_sealed()


def test_a_damaged_file_is_not_gone_on_with_and_nothing_is_thrown_away(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    sealing, tap, other = recording.sealer(), recording.track(), recording.track()
    for each in (tap, other):
        each.noise(2 * FRAME)
    sealing.round()
    sealing.close()
    with tap.sealed.open("r+b") as file:
        file.seek(-9, os.SEEK_END)
        file.write(b"!")
    before = tap.sealed.read_bytes()
    for each in (tap, other):
        each.noise(FRAME)
        each.end()
    sealing = recording.sealer()
    until_done(sealing)
    sealing.round()
    assert tap.row().state == Track.State.DAMAGED
    assert tap.sealed.read_bytes() == before
    assert tap.clear.read_bytes()[2 * FRAME :] == tap.written[2 * FRAME :]
    assert other.is_sealed()
    assert len(errors(caplog)) == 1


def test_one_whose_file_cannot_be_written_waits_alone(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    sealing, tap, other = recording.sealer(), recording.track(), recording.track()
    tap.sealed.mkdir(parents=True)
    for _ in range(3):
        for each in (tap, other):
            each.noise(FRAME)
        sealing.round()
    assert (tap.row().frames, other.row().frames) == (0, 3)
    assert len(errors(caplog)) == 1
    shutil.rmtree(tap.sealed)
    for each in (tap, other):
        each.end()
    until_done(sealing)
    assert tap.is_sealed()
    assert other.is_sealed()


def test_a_disk_that_fails_in_the_middle(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(FRAME)
    sealing.round()
    written = os.pwrite
    left = 1

    def full(descriptor: int, data: Any, offset: int) -> int:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, "no space left on device")
        return written(descriptor, data[:1000] if left == 0 else data, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        for _ in range(2):
            tap.noise(3 * FRAME)
            sealing.round()
        assert tap.row().frames == 1
    tap.end()
    until_done(sealing)
    assert tap.is_sealed()


def test_without_keys_it_waits(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(FRAME)
    sealing.round()
    sealing.close()
    sealing = recording.sealer()
    other = f"other {'A' * 43}="
    for text in ("nonsense", other, other.replace("other", "first")):
        monkeypatch.setenv("SPARKLE_RECORDING_KEYS", text)
        keys.key_provider.cache_clear()
        sealing.round()
        assert tap.row().state == Track.State.LIVE
    assert len(errors(caplog)) == 3
    monkeypatch.undo()
    keys.key_provider.cache_clear()


def test_a_row_that_somebody_wrote_meanwhile_is_not_written_over(recording: Recording) -> None:
    tap = recording.track()
    Track.objects.filter(pk=tap.track.pk).update(frames=5)
    told = [rows.Progress(tap.track.pk, 3, 4, spans=[Span(0, 1000)])]
    assert rows.confirm(told) == set()
    assert tap.row().frames == 5
    assert not tap.utterances()
