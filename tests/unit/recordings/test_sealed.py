"""What is sealed is read again, any part of it; what was changed anywhere is found."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apps.recordings.sealed.errors import Damaged, SealProblem, TooLong, Truncated, UnknownVersion, WrongKey
from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.frames import MAX_FRAMES, Cipher, Run
from apps.recordings.sealed.header import Header
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealed.writer import Writer
from tests.unit.recordings.sealing import (
    HEADER,
    HEADER_SIZE,
    KEY,
    OTHER_KEY,
    SIZE,
    STORED,
    Memory,
    few_at_once,
    sealed,
    speech,
    stored,
    with_frame,
)

__all__ = ["few_at_once"]
TEXT = speech(5 * SIZE + 10)
FILE = bytes(sealed(TEXT, turns=[2, 3]).data)
#: The same track and the same key once more; another track with the same key; the same track with another key.
SAME = bytes(sealed(TEXT, turns=[2, 3]).data)
SISTER = bytes(sealed(speech(5 * SIZE + 10, seed=2), header=Header(UUID(int=7), frame_size=SIZE)).data)
STRANGER = bytes(sealed(TEXT, key=OTHER_KEY).data)

lengths = st.integers(0, 5 * SIZE) | st.integers(0, 5).map(SIZE.__mul__)
others = st.sampled_from([SAME, SISTER, STRANGER])
places = st.sets(st.integers(0, 5))


def whole(data: bytes | bytearray, frames: int | None = None) -> bytes:
    reader = Reader(Memory(data), KEY, frames=frames)
    return reader.read(0, reader.length)


def is_found(data: bytes | bytearray, frames: int | None = None) -> None:
    """The whole does not open, and of no frame comes anything but what was sealed there."""
    with pytest.raises(SealProblem):
        whole(data, frames)
    try:
        reader = Reader(Memory(data), KEY, frames=frames)
    except SealProblem:
        return
    for start in range(0, reader.length, SIZE):
        try:
            assert reader.read(start, SIZE) == TEXT[start : start + SIZE]
        except (Damaged, Truncated):
            continue


@given(length=lengths, turns=places, offset=st.integers(0, 6 * SIZE), count=st.integers(0, 6 * SIZE))
def test_any_part_is_what_was_sealed(length: int, turns: set[int], offset: int, count: int) -> None:
    text = speech(length)
    reader = Reader(sealed(text, sorted(turns)), KEY)
    assert (reader.length, reader.frames, reader.complete) == (length, length // SIZE, True)
    assert reader.header == HEADER
    assert reader.read(offset, count) == text[offset : offset + count]
    assert b"".join(map(bytes, reader.pieces(offset, count))) == text[offset : offset + count]
    assert b"".join(map(bytes, reader.pieces())) == text
    buffer = bytearray(b"?" * count)
    done = reader.read_into(offset, buffer)
    assert buffer[:done] == text[offset : offset + count]


def test_a_part_needs_its_own_frames_only() -> None:
    file = sealed(speech(1000 * SIZE))
    reader = Reader(file, KEY)
    file.read = 0
    reader.read(500 * SIZE + 10, 2 * SIZE)
    assert file.read == 3 * STORED


def test_a_live_file_is_read_as_far_as_it_is_confirmed_and_never_complete() -> None:
    file = Memory()
    writer = Writer(file, KEY, HEADER)
    assert Reader(file, KEY, frames=0).length == 0
    writer.append(TEXT[: 3 * SIZE])
    file.data += b"half a frame"
    reader = Reader(file, KEY, frames=2)
    assert (reader.read(0, 1000), reader.complete) == (TEXT[: 2 * SIZE], False)
    with pytest.raises(Truncated):
        Reader(file, KEY, frames=4)
    del file.data[-12:]
    with pytest.raises(Truncated) as failure:
        Reader(file, KEY)
    assert failure.value.frames == 3


def test_a_file_that_was_rolled_back_is_shorter_than_confirmed() -> None:
    file = Memory()
    writer = Writer(file, KEY, HEADER)
    writer.append(TEXT[: 2 * SIZE])
    before = bytes(file.data)
    writer.append(TEXT[2 * SIZE : 4 * SIZE])
    with pytest.raises(Truncated):
        Reader(Memory(before), KEY, frames=4)
    with pytest.raises(Truncated):
        Writer(Memory(before), KEY, HEADER, confirmed=4)


def test_every_flipped_bit_is_found() -> None:
    for bit in range(len(FILE) * 8):
        data = bytearray(FILE)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealProblem):
            whole(data)


def test_every_cut_is_found() -> None:
    for size in range(len(FILE)):
        with pytest.raises((Truncated, Damaged)):
            whole(FILE[:size])


def test_a_damaged_frame_is_named_and_the_others_are_still_heard() -> None:
    for frame in range(5):
        for place in (0, 4, 20, STORED - 1):
            data = bytearray(FILE)
            data[HEADER_SIZE + frame * STORED + place] ^= 1
            try:
                reader = Reader(Memory(data), KEY)
            except Damaged:  # the head that said whose run was before
                assert place < 20
                assert frame in (1, 2)
                continue
            with pytest.raises(Damaged) as failure:
                reader.read(frame * SIZE, 1)
            assert failure.value.frame == frame
            for other in {*range(5)} - {frame}:
                assert reader.read(other * SIZE, SIZE) == TEXT[other * SIZE : (other + 1) * SIZE]


@given(bits=st.sets(st.integers(0, len(FILE) * 8 - 1), min_size=1))
def test_flipped_bits_are_found(bits: set[int]) -> None:
    data = bytearray(FILE)
    for bit in bits:
        data[bit // 8] ^= 1 << bit % 8
    is_found(data)


@given(start=st.integers(0, len(FILE)), gone=st.integers(0, len(FILE)), put=st.binary(max_size=2 * STORED))
def test_cuts_and_insertions_are_found(start: int, gone: int, put: bytes) -> None:
    data = FILE[:start] + put + FILE[start + gone :]
    assume(data != FILE)
    is_found(data)


def test_every_swap_copy_and_loss_of_a_frame_is_found() -> None:
    for data in (FILE, bytes(sealed(TEXT).data)):
        header, each = data[:HEADER_SIZE], [stored(data, frame) for frame in range(6)]
        for one in range(6):
            is_found(header + b"".join(each[:one] + each[one + 1 :]))
            is_found(header + b"".join([*each[:one], each[one], *each[one:]]))
            for other in {*range(6)} - {one}:
                swapped = each.copy()
                swapped[one], swapped[other] = swapped[other], swapped[one]
                is_found(header + b"".join(swapped))
                is_found(with_frame(data, one, each[other]))


@given(order=st.lists(st.integers(0, 5), max_size=8))
def test_frames_in_another_order_number_or_twice_are_found(order: list[int]) -> None:
    assume(order != [0, 1, 2, 3, 4, 5])
    is_found(FILE[:HEADER_SIZE] + b"".join(stored(FILE, frame) for frame in order))


@given(other=others, frame=st.integers(0, 5), place=st.integers(0, 5), body=st.booleans())
def test_frames_of_another_file_are_found(other: bytes, frame: int, place: int, body: bool) -> None:
    """Also those of the same track, samples and key, and those that kept the head that was there."""
    put = stored(other, frame)
    is_found(with_frame(FILE, place, stored(FILE, place)[:20] + put[20:] if body else put))


@given(other=others, place=st.integers(1, len(FILE) - 1), live=st.booleans())
def test_the_beginning_of_one_file_and_the_end_of_another_are_found(other: bytes, place: int, live: bool) -> None:
    data = FILE[:place] + other[place:]
    assume(data[: HEADER_SIZE + 5 * STORED] != FILE[: HEADER_SIZE + 5 * STORED] or not live)
    assume(data not in (FILE, other))  # their last bytes may be the same, or their first
    is_found(data, frames=5 if live else None)


def test_frames_of_a_run_before_are_found_alone_and_together() -> None:
    """What a power failure took off was sealed again, by a run that others came after; and somebody has kept it."""
    file = Memory()
    writer = Writer(file, KEY, HEADER)
    writer.append(TEXT[: 2 * SIZE])
    Writer(file, KEY, HEADER, confirmed=2).append(speech(2 * SIZE, seed=9))
    kept = bytes(file.data)
    file.cut(HEADER_SIZE + 2 * STORED)
    Writer(file, KEY, HEADER, confirmed=2).append(TEXT[2 * SIZE : 4 * SIZE])
    writer = Writer(file, KEY, HEADER, confirmed=4)
    writer.append(TEXT[4 * SIZE : 5 * SIZE])
    live = bytes(file.data)
    writer.finish(TEXT[5 * SIZE :])
    for data, count in ((bytes(file.data), None), (live, 5)):
        assert whole(data, count) == TEXT[: 5 * SIZE if count else None]
        first, second = (with_frame(data, frame, stored(kept, frame)) for frame in (2, 3))
        for changed in (first, second, with_frame(first, 3, stored(kept, 3))):
            is_found(changed, count)


def test_what_does_not_verify_is_wiped_where_it_was_opened() -> None:
    cipher = Cipher(KEY, b"header", [Run.new(0)])
    frame, plaintext = memoryview(bytearray(STORED)), memoryview(bytearray(SIZE))
    cipher.seal(0, memoryview(TEXT[:SIZE]), frame, last=False)
    cipher.open(0, frame, plaintext, last=False)
    assert plaintext == TEXT[:SIZE]
    with pytest.raises(Damaged):
        cipher.open(0, frame, plaintext, last=True)
    assert not any(plaintext)


def test_nothing_of_a_frame_that_does_not_verify_is_handed_out() -> None:
    data = bytearray(FILE)
    data[HEADER_SIZE + 2 * STORED - 1] ^= 1  # the tag of frame 1
    reader = Reader(Memory(data), KEY)
    for offset, size in ((SIZE, SIZE), (SIZE + 3, 10), (0, 3 * SIZE)):
        buffer = bytearray(b"?" * size)
        with pytest.raises(Damaged):
            reader.read_into(offset, buffer)
        assert not any(buffer)
    with pytest.raises(Damaged):
        list(reader.pieces())


def test_another_key_another_version_and_no_sealed_file_are_told_apart() -> None:
    with pytest.raises(WrongKey):
        Reader(Memory(FILE), OTHER_KEY)
    with pytest.raises(UnknownVersion):
        Reader(Memory(FILE[:9] + b"\x02" + FILE[10:]), KEY)
    with pytest.raises(Damaged) as failure:
        Reader(Memory(b"RIFF" + FILE[4:]), KEY)
    assert failure.value.frame is None
    with pytest.raises(ValueError, match="32 bytes"):
        Reader(Memory(FILE), KEY[:16])


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"channels": 256}, {"frame_size": 100}, {"frame_size": 1 << 21}])
def test_a_header_has_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Header(UUID(int=1), **wrong)


def test_only_whole_frames_come_before_the_last_one() -> None:
    writer = Writer(Memory(), KEY, HEADER)
    with pytest.raises(ValueError, match="whole"):
        writer.append(bytes(SIZE + 1))
    with pytest.raises(ValueError, match="shorter"):
        writer.finish(bytes(SIZE))
    writer.finish()
    with pytest.raises(RuntimeError, match="ended"):
        writer.finish()
    with pytest.raises(RuntimeError, match="ended"):
        writer.append(bytes(SIZE))


class Endless(Memory):
    """Keeps nothing but how much there would be."""

    length = 0

    def size(self) -> int:
        return self.length

    def write_at(self, offset: int, buffer: memoryview) -> None:
        self.length = offset + len(buffer)


def test_a_file_has_a_most_number_of_frames_and_the_last_one_always_fits() -> None:
    file = Endless()
    writer = Writer(file, KEY, HEADER)
    many = bytes(SIZE * (1 << 10))
    for _ in range((MAX_FRAMES >> 10) - 1):
        writer.append(many)
    with pytest.raises(TooLong):
        writer.append(many)
    writer.append(many[:-SIZE])
    with pytest.raises(TooLong):
        writer.append(bytes(SIZE))
    writer.finish(b"the end")
    assert file.length == HEADER_SIZE + (MAX_FRAMES - 1) * STORED + 36 + 7


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    piece = bytes(1 << 16)
    peaks = []
    for count in (4, 200):
        descriptor = os.open(tmp_path / f"track-{count}", os.O_RDWR | os.O_CREAT)
        tracemalloc.start()
        writer = Writer(OpenFile(descriptor), KEY, Header(UUID(int=3)))
        for _ in range(count):
            writer.append(piece)
        writer.finish(b"end")
        read = sum(len(part) for part in Reader(OpenFile(descriptor), KEY).pieces())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        os.close(descriptor)
        assert read == count * len(piece) + 3
    assert peaks[1] < 500_000
    assert peaks[1] - peaks[0] < 10_000
