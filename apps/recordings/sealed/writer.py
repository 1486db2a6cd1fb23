"""Sealing a track, in as many runs as it takes (docs/sealed-format.md, "Writing")."""

from __future__ import annotations

import os

from cryptography.utils import Buffer

from apps.recordings.sealed.errors import Complete, Damaged, TooLong, Truncated
from apps.recordings.sealed.files import Sink
from apps.recordings.sealed.frames import (
    MAX_FRAMES,
    OVERHEAD,
    Cipher,
    Layout,
    Room,
    Run,
    read_exactly,
    read_header,
    read_runs,
)
from apps.recordings.sealed.header import HEADER_SIZE, Header


class Writer:
    """Begins a file, or goes on with one that a writer before left anywhere. One writer for a file at a time.

    Only whole frames are taken until the track ends: what is said after them waits where it came from. `confirmed` is
    how many frames the caller has on record as sealed; plaintext from there on it must still have. `frames` says where
    this writer goes on, and then how many whole frames there are. Raises Complete, Damaged, Truncated, WrongKey,
    UnknownVersion, OSError.
    """

    def __init__(self, file: Sink, data_key: bytes, header: Header, *, confirmed: int = 0) -> None:
        self._file = file
        self._data_key = data_key
        self._layout = Layout(header.frame_size)
        self._room = Room()
        self._header = header.pack(data_key)
        self.frames = 0
        runs: list[Run] = []
        if file.size() < HEADER_SIZE and not confirmed:
            self._cut(0)
            file.write_at(0, memoryview(self._header))
        else:
            if read_header(file, data_key)[1] != self._header:
                raise Damaged(None)
            self.frames, runs = self._left(confirmed)
            self._cut(self._layout.offset(self.frames))
        # Never a salt of before: whatever that run may have sealed, none of its nonces can come again.
        self._cipher = Cipher(data_key, self._header, [*runs, Run.new(self.frames)])
        self._process = os.getpid()
        self._usable = True

    def append(self, plaintext: Buffer) -> None:
        """Seal whole frames. Raises TooLong before anything is sealed, and OSError: then this writer is of no more use,
        and another one has to go on.
        """
        view = memoryview(plaintext).cast("B")
        size = self._layout.frame_size
        count, rest = divmod(len(view), size)
        if rest:
            raise ValueError("only whole frames before the last one")
        if self.frames + count >= MAX_FRAMES:
            raise TooLong(f"a file has {MAX_FRAMES} frames at most")
        at_once = self._layout.at_once * size
        for start in range(0, len(view), at_once):
            piece = view[start : start + at_once]
            self._seal(piece, last=False)
            self.frames += len(piece) // size

    def finish(self, tail: Buffer = b"") -> None:
        """Seal the last frame: what is left after the whole ones, perhaps nothing. The track is complete with it.
        Raises OSError as `append` does.
        """
        view = memoryview(tail).cast("B")
        if len(view) >= self._layout.frame_size:
            raise ValueError("the last frame is shorter than a whole one")
        self._seal(view, last=True)
        self._usable = False

    def _seal(self, plaintext: memoryview, *, last: bool) -> None:
        """Whole frames, or the last one."""
        if not self._usable or self._process != os.getpid():
            raise RuntimeError("this writer has ended, has failed, or is a copy in another process")
        # Until they are written: after a failure nothing else may be sealed under their nonces.
        self._usable = False
        size, stored_size = self._layout.frame_size, self._layout.stored_size
        count = 1 if last else len(plaintext) // size
        stored = self._room.of(len(plaintext) + count * OVERHEAD)
        for number in range(count):
            self._cipher.seal(
                self.frames + number,
                plaintext[number * size : (number + 1) * size],
                stored[number * stored_size : (number + 1) * stored_size],
                last=last,
            )
        self._file.write_at(self._layout.offset(self.frames), stored)
        self._usable = True

    def _cut(self, size: int) -> None:
        # Only where there is something: ext4 writes a file out at its closing once it was truncated (auto_da_alloc).
        if self._file.size() > size:
            self._file.cut(size)

    def _left(self, confirmed: int) -> tuple[int, list[Run]]:
        """How many good frames the writers before have left, and their runs. What was being written when one was
        killed, or did not reach the disk, is let go where it was not confirmed.
        """
        whole, rest = self._layout.split(self._file.size())
        if whole >= MAX_FRAMES:
            raise Damaged(MAX_FRAMES)
        if rest >= OVERHEAD and self._is_good(whole, rest, last=True):
            raise Complete(f"complete with {whole} whole frames")
        if whole < confirmed:
            raise Truncated(whole)
        while whole:
            if self._is_good(whole - 1, self._layout.stored_size, last=False):
                return whole, read_runs(self._file, self._layout, whole - 1)
            if whole == confirmed:
                raise Damaged(whole - 1)
            whole -= 1
        return 0, []

    def _is_good(self, frame: int, stored_size: int, *, last: bool) -> bool:
        stored = self._room.of(stored_size)
        try:
            cipher = Cipher(self._data_key, self._header, read_runs(self._file, self._layout, frame))
            read_exactly(self._file, self._layout.offset(frame), stored, frame)
            cipher.open(frame, stored, memoryview(bytearray(stored_size - OVERHEAD)), last=last)
        except (Damaged, Truncated):
            return False
        return True
