"""What a node records is sealed as it grows, whatever happens to the sealer, the database, or the machine."""

from __future__ import annotations

import logging
import os
import shutil
import time
from typing import Any

import pytest
from django.db import DatabaseError, connection

from apps.core.ids import new_id
from apps.recordings import keys
from apps.recordings.models import Track, Utterance
from apps.recordings.places import clear_file
from apps.recordings.sealed.header import FRAME_SIZE
from apps.recordings.sealing import rows, sealer
from apps.recordings.sealing import track as sealing_track
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.spool import Spool

from .recording import Recording, recording
from .test_speech import conversation

__all__ = ["recording"]

FRAME = FRAME_SIZE


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again in the next round."""
    monkeypatch.setattr(sealer, "_PAUSE", 0.0)
    monkeypatch.setattr(sealer, "_BETWEEN_SWEEPS", 0.0)


def until_done(sealing: Sealer, rounds: int = 20) -> None:
    for _ in range(rounds):
        if not sealing.round():
            return
    raise AssertionError("tracks are still live")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_track_from_its_beginning_to_its_end(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    sealing, tap = recording.sealer(), recording.track()
    assert sealing.round() == 1
    for _ in range(11):
        tap.noise(FRAME * 2 // 3)
        sealing.round()
        row = tap.row()
        assert row.frames == len(tap.written) // FRAME
        assert tap.reader(live=True).read(0, FRAME * row.frames) == tap.written[: FRAME * row.frames]
        # Of whole frames nothing is left in the clear; the switch sees the file as it wrote it.
        assert recording.clear_bytes() <= FRAME
        assert tap.clear.stat().st_size == len(tap.written)
    tap.noise(1)
    tap.end()
    until_done(sealing)
    assert tap.is_sealed()
    assert tap.sealed.stat().st_mode & 0o777 == 0o600
    assert not errors(caplog)


def test_many_tracks_are_one_statement(recording: Recording) -> None:
    sealing = recording.sealer()
    taps = [recording.track(rate=48_000, channels=2) for _ in range(8)]
    for tap in taps:
        tap.noise(3 * FRAME)
    sealing.round()
    statements: list[str] = []

    def note(execute: Any, sql: str, *others: Any) -> Any:
        statements.append(sql)
        return execute(sql, *others)

    for tap in taps:
        tap.noise(FRAME)
    with connection.execute_wrapper(note):
        sealing.round()
    assert len(statements) == 2
    for tap in taps:
        tap.end()
    until_done(sealing)
    assert all(tap.is_sealed() for tap in taps)


def test_it_is_not_ended_while_it_grows(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.end()
    for _ in range(4):
        tap.noise(1000)
        sealing.round()
        assert tap.row().state == Track.State.LIVE
    until_done(sealing)
    assert tap.is_sealed()


def test_a_backlog_is_sealed_in_turns(recording: Recording) -> None:
    sealing = recording.sealer()
    taps = [recording.track() for _ in range(2)]
    for tap in taps:
        tap.noise(150 * FRAME + 10)
    sealing.round()
    assert [tap.row().frames for tap in taps] == [64, 64]
    assert recording.clear_bytes() <= 2 * 87 * FRAME
    for tap in taps:
        tap.end()
    until_done(sealing)
    assert all(tap.is_sealed() for tap in taps)


def test_who_speaks_when(recording: Recording) -> None:
    """With another sealer in each half second; the rows are those of one that heard it all."""
    signal, _ = conversation()
    told = []
    for restarts in (False, True):
        sealing, tap = recording.sealer(), recording.track()
        for start in range(0, len(signal), 8000):
            tap.speak(signal[start : start + 8000])
            sealing.round()
            if restarts:
                sealing.close()
                sealing = recording.sealer()
        tap.end()
        until_done(sealing)
        assert tap.is_sealed()
        told.append(tap.utterances())
    assert len(told[0]) == 7
    assert told[1] == told[0]


def test_an_utterance_is_there_as_soon_as_its_end_is_certain(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track()
    signal, spans = conversation()
    for start in range(0, spans[0].end * 16 + 16_000 + FRAME // 2, 4000):
        tap.speak(signal[start : start + 4000])
        sealing.round()
    assert len(tap.utterances()) == 1
    sealing.close()


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


def test_a_key_is_made_once(recording: Recording) -> None:
    tap = recording.track()
    (row,) = rows.live_rows(recording.node.name)
    first, second = rows.data_key(row), rows.data_key(row)
    assert first is not None
    assert second is None
    assert rows.data_key(rows.live_rows(recording.node.name)[0]) == first
    assert tap.row().key_id == "first"


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


@pytest.mark.parametrize("made", [False, True])
def test_nothing_was_recorded(recording: Recording, made: bool) -> None:
    sealing, tap = recording.sealer(), recording.track()
    if made:
        tap.write(b"")
    tap.end()
    sealing.round()
    assert tap.row().state == Track.State.LIVE, "the file may still come"
    tap.end(ago=60)
    until_done(sealing)
    assert tap.row().state == Track.State.EMPTY
    assert not tap.clear.exists()
    assert not tap.sealed.exists()


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
    left = 2

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


@pytest.mark.parametrize("age", [10.0, 4000.0])
def test_a_file_that_nobody_knows(recording: Recording, caplog: pytest.LogCaptureFixture, age: float) -> None:
    path = clear_file(new_id())
    path.write_bytes(b"who is this?")
    os.utime(path, (time.time() - age, time.time() - age))
    (recording.spool / "notes").write_text("not ours")
    sealing = recording.sealer()
    for _ in range(2):
        sealing.round()
    assert path.exists() == (age < 3600)
    assert len(errors(caplog)) == 1
    assert (recording.spool / "notes").exists()


def test_what_was_erased_is_not_kept_in_the_clear(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(FRAME + 5)
    sealing.round()
    Track.objects.filter(pk=tap.track.pk).update(state=Track.State.ERASED, key_id="", sealed_key=b"")
    sealing.round()
    assert not tap.clear.exists()
    assert tap.row().state == Track.State.ERASED


def test_what_came_after_the_end_is_not_thrown_away(recording: Recording, caplog: pytest.LogCaptureFixture) -> None:
    sealing, tap = recording.sealer(), recording.track()
    tap.noise(FRAME + 5)
    tap.end()
    sealing.round()
    sealing.round()
    tap.clear.write_bytes(b"")
    tap.noise(2 * FRAME)
    for _ in range(3):
        sealing.round()
    assert tap.clear.exists()
    assert len(errors(caplog)) == 1


def test_tracks_of_another_node_are_not_touched(recording: Recording) -> None:
    tap = recording.track()
    tap.noise(FRAME)
    other = Sealer("elsewhere", Spool(recording.spool))
    assert other.round() == 0
    assert tap.row().frames == 0
    assert tap.clear.exists()


def test_the_spool_frees_what_it_has_sealed_within_a_second_and_a_half(recording: Recording) -> None:
    """In real time, four looks a second."""
    sealing, tap = recording.sealer(), recording.track()
    most = 0
    for _ in range(12):
        began = time.monotonic()
        tap.noise(8_000)
        sealing.round()
        most = max(most, recording.clear_bytes())
        time.sleep(max(0.0, began + 0.25 - time.monotonic()))
    assert most <= 1.5 * 32_000
    sealing.close()
