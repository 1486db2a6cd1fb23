"""One track of a sealer: its clear file, its sealed file, and who speaks in it."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Final

from cryptography.utils import Buffer

from apps.recordings.models import Track
from apps.recordings.sealed.errors import Complete, Truncated
from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.header import FRAME_SIZE, Header
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealed.writer import Writer
from apps.recordings.storage.folder import make_folder, sync_folder

from .rows import Progress, Row
from .speech import STEP, Detector, Span
from .spool import let_go

log = logging.getLogger(__name__)

SYNC: Final = 15.0
"""Seconds between two writings of a growing file to the disk. Until then a loss of power takes what is sealed; it takes
the spool, which is memory, as well, so to wait for the disk before plaintext is let go would save no more than this.
"""
LOOK_BACK: Final = 60_000
"""Milliseconds, at most, of sealed audio that a detector hears again after an interruption."""


class Sealing:
    """Goes on with the track of `row` where its row and its files say, or begins it. `clear` is None where the spool
    was lost; `told` is where its last utterance ended (ms). Raises OSError; Damaged, WrongKey, UnknownVersion: the
    sealed file cannot be gone on with.

    `work` in turns with a commit of `progress`, and only after that `committed` and `let_go`.
    """

    def __init__(self, row: Row, clear: Path | None, sealed: Path, data_key: bytes, told: int) -> None:
        self.row = row
        self._size = -1
        # Tracks that begin together are not written to the disk in one round.
        self._synced = time.monotonic() - row.id.int % 1000 / 1000 * SYNC
        self._sealed_path = sealed
        self._let_go = 0
        self._spans: list[Span] = []
        self.length: int | None = None
        """Bytes in all, once the track has its last frame."""
        self._clear = self._sealed = -1
        make_folder(sealed.parent)
        try:
            if clear is not None:
                self._clear = os.open(clear, os.O_RDWR | os.O_CLOEXEC)
            self._sealed = os.open(sealed, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._begin(data_key, told)
        except BaseException:
            self.close()
            raise

    def _begin(self, data_key: bytes, told: int) -> None:
        row, file = self.row, OpenFile(self._sealed)
        header = Header(row.id, row.rate, row.channels, FRAME_SIZE)
        try:
            try:
                self._writer = Writer(file, data_key, header, confirmed=row.frames)
            except Truncated as error:
                # After a loss of power. What is gone reads as zeros in the spool: the track keeps its time.
                log.error("track %s: of %d sealed frames, %d are there; going on", row.id, row.frames, error.frames)
                self._writer = Writer(file, data_key, header)
            self.frames = self._writer.frames
            reader = Reader(file, data_key, frames=self.frames)
        except Complete:
            # A sealer before had finished it, and was killed before its row said so.
            reader = Reader(file, data_key)
            self.frames, self.length = reader.frames, reader.length
        self._listen(reader, told)

    def _listen(self, reader: Reader, told: int) -> None:
        """Hear again what an interrupted detector had heard since the last utterance that it told."""
        rate, sample = self.row.rate, 2 * self.row.channels
        heard = reader.length // sample * 1000 // rate
        start = min(heard, max(told, heard - LOOK_BACK)) // STEP * STEP
        self._detector = Detector(rate, self.row.channels, start=start)
        for piece in reader.pieces(start * rate // 1000 * sample):
            self._hear(piece)
        if self.length is not None:
            self._hear(b"", last=True)

    def _hear(self, piece: Buffer, *, last: bool = False) -> None:
        if self.row.of_one:
            self._spans += self._detector.feed(piece)
            self._spans += self._detector.finish() if last else ()

    def work(self, buffer: memoryview, *, ended: bool) -> None:
        """Seal the whole frames that are new, as many as the buffer takes; after the end, what is left. Raises OSError
        and TooLong: then it has to be closed, and another one goes on.
        """
        if self.length is not None:
            return
        before, self._size = self._size, os.fstat(self._clear).st_size if self._clear >= 0 else self.frames * FRAME_SIZE
        start = self.frames * FRAME_SIZE
        room = len(buffer) // FRAME_SIZE * FRAME_SIZE
        whole = min(max(0, self._size - start) // FRAME_SIZE * FRAME_SIZE, room)
        if whole:
            piece = self._read(start, buffer[:whole])
            self._writer.append(piece)
            self.frames = self._writer.frames
            self._hear(piece)
            if time.monotonic() - self._synced >= SYNC:
                self._sync()
        elif ended and self._size == before:
            self._finish(self._read(start, buffer[: max(0, self._size - start)]))

    def _finish(self, tail: memoryview) -> None:
        self._writer.finish(tail)
        os.fsync(self._sealed)
        sync_folder(self._sealed_path.parent)
        self._hear(tail, last=True)
        self.length = self.frames * FRAME_SIZE + len(tail)

    def _read(self, offset: int, buffer: memoryview) -> memoryview:
        if len(buffer) and OpenFile(self._clear).read_into(offset, buffer) != len(buffer):
            raise OSError(f"{self.row.id}: the clear file became shorter")
        return buffer

    def _sync(self) -> None:
        os.fdatasync(self._sealed)
        self._synced = time.monotonic()

    @property
    def progress(self) -> Progress | None:
        """What its row does not say yet."""
        if self.length is not None:
            return Progress(
                self.row.id, self.row.frames, self.frames, Track.State.SEALED, self.length, tuple(self._spans)
            )
        if self.frames == self.row.frames and not self._spans:
            return None
        return Progress(self.row.id, self.row.frames, self.frames, spans=tuple(self._spans))

    def committed(self) -> None:
        """The row says all of that."""
        self.row = self.row._replace(frames=self.frames)
        self._spans.clear()

    def let_go(self) -> None:
        """Free the plaintext of frames that the row confirms, also what a sealer before did not come to. Raises
        OSError.
        """
        end = min(self.row.frames, self.frames) * FRAME_SIZE
        if self._clear >= 0 and self._let_go < end:
            let_go(self._clear, self._let_go, end)
            self._let_go = end

    def look(self, row: Row) -> bool:
        """Take over what the row says now; False: somebody else wrote it. It may say what we know to be committed, or
        what we tried to.
        """
        ours = row.frames in (self.row.frames, self.frames)
        self.row = row
        return ours

    def close(self) -> None:
        for descriptor in (self._clear, self._sealed):
            if descriptor >= 0:
                os.close(descriptor)
        self._clear = self._sealed = -1
