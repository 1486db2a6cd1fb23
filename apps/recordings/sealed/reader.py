"""Opening a track, or any part of it (docs/sealed-format.md, "Reading")."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from cryptography.utils import Buffer

from apps.recordings.sealed.errors import Damaged, Truncated
from apps.recordings.sealed.files import Source
from apps.recordings.sealed.frames import MAX_FRAMES, OVERHEAD, Cipher, Layout, Room, read_header, read_runs


class Reader:
    """The plaintext of a sealed file, `length` bytes, by position. One thread at a time: the buffers are used again.

    Without `frames` the file has to be complete. While it is live, `frames` are those that the writer's record
    confirms, and they are all there is: what comes after them is not looked at. Opening reads the header and the last
    of the frames, which proves the runs that all others have to be of. Raises Truncated, Damaged, WrongKey,
    UnknownVersion.
    """

    def __init__(self, source: Source, data_key: bytes, *, frames: int | None = None) -> None:
        self._source = source
        self._data_key = data_key
        self.header, self._header = read_header(source, data_key)
        self._layout = Layout(self.header.frame_size)
        self._room = Room()
        #: Of a frame that is not wanted whole.
        self._plain = memoryview(bytearray(self._layout.frame_size))
        self.complete = frames is None
        whole, rest = self._layout.split(source.size())
        if frames is None:
            if rest < OVERHEAD:
                raise Truncated(whole)
            frames, tail = whole, rest - OVERHEAD
        else:
            if whole < frames:
                raise Truncated(whole)
            tail = 0
        if frames >= MAX_FRAMES:
            raise Damaged(MAX_FRAMES)
        #: Whole frames; a complete file has a shorter one after them.
        self.frames = frames
        self._tail = tail
        self.length = frames * self._layout.frame_size + tail
        proof = frames if self.complete else frames - 1
        self._runs = read_runs(source, self._layout, proof)
        self._firsts = [run.first for run in self._runs]
        if self._runs:
            self._cipher = Cipher(data_key, self._header, self._runs)
            self._open(proof, proof + 1, 0, self._plain[: self._size(proof)])

    def read_into(self, offset: int, buffer: Buffer) -> int:
        """Fill the buffer with the plaintext from there; how many bytes, fewer only at its end. Raises Damaged and
        Truncated; then the buffer is all zeros.
        """
        if offset < 0:
            raise ValueError("offset: 0 or more")
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self.length - offset))
        done = 0
        try:
            while done < wanted:
                done += self._fill(offset + done, view[done:wanted])
        except BaseException:
            view[:] = bytes(len(view))
            raise
        return done

    def read(self, offset: int, length: int) -> bytes:
        """The same as bytes."""
        buffer = bytearray(max(0, min(length, self.length - offset)))
        self.read_into(offset, buffer)
        return bytes(buffer)

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The plaintext from there, piece by piece in one buffer: a piece is good until the next one is asked for."""
        end = self.length if length is None else min(self.length, offset + length)
        size = self._layout.at_once * self._layout.frame_size
        buffer = memoryview(bytearray(max(0, min(size, end - offset))))
        while offset < end:
            # To the end of a frame: none is opened twice.
            piece = buffer[: min(size - offset % self._layout.frame_size, end - offset)]
            offset += self.read_into(offset, piece)
            yield piece.toreadonly()

    def _fill(self, offset: int, view: memoryview) -> int:
        """The beginning of the view, from frames of one run that are read at once; how many bytes."""
        first, skip = divmod(offset, self._layout.frame_size)
        end = min(-(-(offset + len(view)) // self._layout.frame_size), first + self._layout.at_once)
        place = bisect_right(self._firsts, first)
        if place < len(self._runs):
            end = min(end, self._firsts[place])
        if self._cipher.run is not self._runs[place - 1]:
            self._cipher = Cipher(self._data_key, self._header, self._runs[:place])
        return self._open(first, end, skip, view)

    def _open(self, first: int, end: int, skip: int, view: memoryview) -> int:
        """These frames, from `skip` in the first one on, as far as the view goes; how many bytes."""
        stored, at, done = self._read(first, end), 0, 0
        for frame in range(first, end):
            size = self._size(frame)
            count = min(size - skip, len(view) - done)
            plaintext = view[done : done + count] if count == size else self._plain[:size]
            sealed = stored[at : at + size + OVERHEAD]
            self._cipher.open(frame, sealed, plaintext, last=self.complete and frame == self.frames)
            if count < size:
                view[done : done + count] = plaintext[skip : skip + count]
            skip = 0
            at += size + OVERHEAD
            done += count
        return done

    def _read(self, first: int, end: int) -> memoryview:
        """These frames as they are stored."""
        size = (end - first - 1) * self._layout.stored_size + self._size(end - 1) + OVERHEAD
        stored = self._room.of(size)
        if (found := self._source.read_into(self._layout.offset(first), stored)) != size:
            raise Truncated(first + found // self._layout.stored_size)
        return stored

    def _size(self, frame: int) -> int:
        return self._layout.frame_size if frame < self.frames else self._tail
