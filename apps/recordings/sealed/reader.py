"""Opening a track, or any part of it (docs/sealed-format.md, "Reading")."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from cryptography.utils import Buffer

from apps.recordings.sealed.errors import Damaged, Truncated
from apps.recordings.sealed.files import Source
from apps.recordings.sealed.frames import MAX_FRAMES, OVERHEAD, Cipher, Layout, read_exactly, read_header, read_runs


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
        self._stored = memoryview(bytearray(self._layout.stored_size))
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
        self.length = frames * self._layout.frame_size + tail
        proof = frames if self.complete else frames - 1
        self._runs = read_runs(source, self._layout, proof)
        self._firsts = [run.first for run in self._runs]
        if self._runs:
            self._cipher = Cipher(data_key, self._header, self._runs)
            self._open(proof, self._plain[: self._size(proof)])

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
                frame, skip = divmod(offset + done, self._layout.frame_size)
                size = self._size(frame)
                count = min(size - skip, wanted - done)
                if count == size:
                    self._open(frame, view[done : done + count])
                else:
                    self._open(frame, self._plain[:size])
                    view[done : done + count] = self._plain[skip : skip + count]
                done += count
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
        size = self._layout.frame_size
        buffer = memoryview(bytearray(size))
        while offset < end:
            piece = buffer[: min(size - offset % size, end - offset)]
            offset += self.read_into(offset, piece)
            yield piece.toreadonly()

    def _size(self, frame: int) -> int:
        return min(self._layout.frame_size, self.length - frame * self._layout.frame_size)

    def _open(self, frame: int, plaintext: memoryview) -> None:
        place = bisect_right(self._firsts, frame)
        if self._cipher.run is not self._runs[place - 1]:
            self._cipher = Cipher(self._data_key, self._header, self._runs[:place])
        stored = self._stored[: len(plaintext) + OVERHEAD]
        read_exactly(self._source, self._layout.offset(frame), stored, frame)
        self._cipher.open(frame, stored, plaintext, last=self.complete and frame == self.frames)
