"""A writer may be killed at any byte, and its spool may change: another one goes on, and no nonce comes twice."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.recordings.sealed.errors import Complete, Damaged, Truncated, WrongKey
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealed.writer import Writer
from tests.unit.recordings.by_hand import frame_key, open_all
from tests.unit.recordings.sealing import (
    HEADER,
    HEADER_SIZE,
    KEY,
    OTHER_KEY,
    SIZE,
    STORED,
    Killed,
    Memory,
    few_at_once,
    speech,
)

__all__ = ["few_at_once"]
FRAMES = 5


def go_on(file: Memory, text: bytes, confirmed: int, step: int = 1) -> int:
    """Seal what is not sealed yet, `step` frames at once, as a process does that has just started; the frames that it
    could confirm.
    """
    try:
        writer = Writer(file, KEY, HEADER, confirmed=confirmed)
        confirmed = writer.frames
        while count := min(step, len(text) // SIZE - writer.frames):
            writer.append(text[writer.frames * SIZE : (writer.frames + count) * SIZE])
            confirmed = writer.frames
        writer.finish(text[writer.frames * SIZE :])
    except Killed:
        return confirmed
    except Complete:
        pass
    file.left = None
    return FRAMES


@pytest.mark.parametrize("step", [1, 2, FRAMES])
def test_a_writer_killed_at_any_byte_is_followed_by_one_that_loses_nothing(step: int) -> None:
    text = speech(FRAMES * SIZE + 7)
    for left in range(HEADER_SIZE + FRAMES * STORED + 36 + 7 + 1):
        file = Memory(left=left)
        confirmed = go_on(file, text, 0, step)
        file.left = None
        go_on(file, text, confirmed)
        assert Reader(file, KEY).read(0, len(text) + 1) == text


@given(
    lives=st.lists(st.tuples(st.integers(0, 3 * STORED), st.booleans(), st.integers(0, 3)), max_size=12),
    tail=st.integers(0, SIZE - 1),
    step=st.integers(1, FRAMES),
)
def test_no_nonce_is_used_twice_whatever_the_spool_holds_after_a_kill(
    lives: list[tuple[int, bool, int]], tail: int, step: int
) -> None:
    """Each life: bytes until the kill, whether the plaintext is another one behind the frames that are left, and frames
    that a power failure took back as far as they were not confirmed.
    """
    text = speech(FRAMES * SIZE + tail)
    file, confirmed = Memory(), 0
    for number, (left, other, lost) in enumerate(lives):
        file.left = left
        known = go_on(file, text, confirmed, step)
        confirmed = max(confirmed, known - lost)
        if file.survived:
            break
        file.cut(min(len(file.data), max(HEADER_SIZE + confirmed * STORED, len(file.data) - lost * STORED)))
        if other:
            kept = max(0, len(file.data) - HEADER_SIZE) // STORED * SIZE
            text = text[:kept] + speech(FRAMES * SIZE + tail, number + 2)[kept:]
    else:
        file.left = None
        go_on(file, text, confirmed)
    # That these are the nonces is proved below: by them, the file opens.
    used = set()
    for offset, written in file.sealed:
        if not offset:
            continue  # the header
        frame, rest = divmod(offset - HEADER_SIZE, STORED)
        assert not rest
        for number, start in enumerate(range(0, len(written), STORED)):
            stored = written[start : start + STORED]
            pair = frame_key(KEY, stored[4:20], frame + number, len(stored) < STORED)
            assert pair not in used
            used.add(pair)
    reader = Reader(file, KEY)
    assert reader.read(0, confirmed * SIZE) == text[: confirmed * SIZE]
    assert (reader.complete, reader.length) == (True, len(text))
    by_hand = open_all(bytes(file.data), KEY)
    assert (by_hand.complete, by_hand.plaintext) == (True, reader.read(0, len(text)))


def test_a_file_has_the_salts_of_all_who_wrote_in_it_and_they_differ() -> None:
    file = Memory()
    for frame in range(FRAMES):
        Writer(file, KEY, HEADER, confirmed=frame).append(speech(SIZE, frame))
    Writer(file, KEY, HEADER, confirmed=FRAMES).finish(b"end")
    heads = [bytes(file.data[HEADER_SIZE + frame * STORED :][:20]) for frame in range(FRAMES + 1)]
    assert [int.from_bytes(head[:4], "big") for head in heads] == list(range(FRAMES + 1))
    assert all(one[4:] != next_one[4:] for one, next_one in pairwise(heads))
    assert Reader(file, KEY).read(SIZE, SIZE) == speech(SIZE, 1)


def test_after_a_failed_write_a_writer_seals_nothing_more() -> None:
    file = Memory(left=HEADER_SIZE + 10)
    writer = Writer(file, KEY, HEADER)
    with pytest.raises(Killed):
        writer.append(speech(SIZE))
    file.left = None
    with pytest.raises(RuntimeError, match="failed"):
        writer.append(speech(SIZE, 2))
    assert len(file.data) == HEADER_SIZE + 10


def test_a_copy_of_a_writer_in_another_process_seals_nothing() -> None:
    writer = Writer(Memory(), KEY, HEADER)
    child = os.fork()
    if not child:
        try:
            writer.append(speech(SIZE))
        except RuntimeError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer.append(speech(SIZE))


def test_nothing_comes_after_the_last_frame() -> None:
    for tail in (b"", b"some"):
        file = Memory()
        writer = Writer(file, KEY, HEADER)
        writer.append(speech(2 * SIZE))
        writer.finish(tail)
        before = bytes(file.data)
        with pytest.raises(Complete):
            Writer(file, KEY, HEADER, confirmed=2)
        assert file.data == before


def test_what_was_confirmed_is_never_sealed_again() -> None:
    file = Memory()
    Writer(file, KEY, HEADER).append(speech(3 * SIZE))
    file.data[-1] ^= 1
    damaged = bytes(file.data)
    with pytest.raises(Damaged):
        Writer(file, KEY, HEADER, confirmed=3)
    file.cut(len(damaged) - 1)
    with pytest.raises(Truncated):
        Writer(file, KEY, HEADER, confirmed=3)
    assert file.data == damaged[:-1]
    assert Writer(Memory(damaged), KEY, HEADER, confirmed=2).frames == 2


def test_nobody_goes_on_with_another_track_or_key() -> None:
    file = Memory()
    Writer(file, KEY, HEADER).append(speech(SIZE))
    before = bytes(file.data)
    with pytest.raises(WrongKey):
        Writer(file, OTHER_KEY, HEADER)
    with pytest.raises(Damaged):
        Writer(file, KEY, type(HEADER)(HEADER.track, rate=8000, frame_size=SIZE))
    assert file.data == before
