"""What a node records is sealed as it grows, and nothing of it is left in the clear."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.core.ids import new_id
from apps.recordings.models import Track
from apps.recordings.places import clear_file
from apps.recordings.sealing import rows
from apps.recordings.sealing.keys import DataKeys
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.spool import Spool

from .recording import FRAME, Recording, at_once, errors, recording, until_done
from .test_speech import conversation

__all__ = ["at_once", "recording"]


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


def key_of(row: rows.Row) -> bytes | None:
    keys = DataKeys()
    return keys.of(row) or (keys.of(row) if keys.arrived([row.id]) else None)


def test_a_key_is_made_once(recording: Recording) -> None:
    tap = recording.track()
    (before,) = rows.live_rows(recording.node.name)
    first, second = key_of(before), key_of(before)
    assert first is not None
    assert second is None
    (after,) = rows.live_rows(recording.node.name)
    assert key_of(after) == first
    assert tap.row().key_id == "first"


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


def test_a_track_waits_for_what_the_switch_says_of_it(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track(started_at=None)
    tap.noise(6 * FRAME)
    sealing.round()
    assert tap.row().frames == 0
    Track.objects.update(started_at=timezone.now(), channels=2)
    sealing.round()
    assert tap.row().frames == 6
    assert tap.reader(live=True).header.channels == 2


def test_a_track_of_which_the_switch_says_nothing_is_sealed_all_the_same(recording: Recording) -> None:
    sealing, tap = recording.sealer(), recording.track(started_at=None)
    tap.noise(3 * FRAME)
    Track.objects.update(requested_at=timezone.now() - rows.UNTOLD)
    sealing.round()
    assert tap.row().frames == 3


def test_nobodys_utterances_are_looked_for_in_a_mix(recording: Recording) -> None:
    sealing = recording.sealer()
    mix = recording.track(kind="mix", participant=None, leg=None)
    own = recording.track()
    for tap in (mix, own):
        tap.speak(conversation()[0])
        tap.end()
    until_done(sealing)
    assert own.utterances()
    assert not mix.utterances()
