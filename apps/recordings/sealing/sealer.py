"""The sealer of a node: encrypts what its FreeSWITCH records, while it records."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Container, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.recordings.models import Track
from apps.recordings.places import sealed_file
from apps.recordings.sealed.errors import Damaged, SealProblem, UnknownVersion, WrongKey
from apps.recordings.sealed.header import FRAME_SIZE

from . import rows
from .alarms import Told
from .keys import DataKeys
from .rows import Progress, Row
from .spool import Spool
from .track import Sealing

log = logging.getLogger(__name__)

NOTHING_COMES: Final = timedelta(seconds=5)
"""After a track has ended, for how long its clear file may still appear."""
STRAY: Final = 3600.0
"""Seconds after which a clear file that belongs to no track is removed."""
_PIECE: Final = 64 * FRAME_SIZE
"""Bytes of one track that are sealed at most in a round, so that each has its turn, and memory is freed, while there is
much to catch up with: 32 s of 16 kHz mono.
"""
_PAUSE: Final = 2.0
"""Seconds that a track waits after something failed."""
_BETWEEN_SWEEPS: Final = 5.0


class Sealer:
    """One for a node, for as long as its process lives: each new one begins a new run in every file.

    What fails for one track does not hinder the others, and is tried again; nothing is let go before the database has
    confirmed its sealed copy.
    """

    def __init__(self, node_name: str, spool: Spool) -> None:
        self._node = node_name
        self._spool = spool
        self._keys = DataKeys()
        self._told = Told(node_name)
        self._open: dict[UUID, Sealing] = {}
        self._buffer = memoryview(bytearray(_PIECE))
        self._not_before: dict[UUID, float] = {}
        #: What was logged of a track, so that it is not said each round.
        self._said: dict[UUID, str] = {}
        self._swept = -_BETWEEN_SWEEPS

    def round(self) -> int:
        """Seal what is there; how many live tracks the node has, 0 also while another process seals. Raises Error of
        django.db and OSError of the spool; then nothing is lost, and the next round goes on.
        """
        if not self._spool.hold():
            return 0
        live = {row.id: row for row in rows.live_rows(self._node)}
        for track in self._open.keys() - live.keys():
            self._drop(track)
        done = [each for row in live.values() if (each := self._advance(row)) is not None]
        done += [each for track in self._keys.arrived(live) if (each := self._advance(live[track])) is not None]
        self._confirm(done)
        for track in tuple(self._open):
            self._let_go(track)
        self._sweep(live)
        self._told.tell(self._spool.watch(), live=bool(live))
        if not live:
            self.close()
        return len(live)

    def close(self) -> None:
        """Let another process go on."""
        for track in tuple(self._open):
            self._drop(track)
        self._not_before.clear()
        self._spool.release()

    def _advance(self, row: Row) -> Progress | None:
        """Work on one track; what there is to be written of it."""
        if self._not_before.get(row.id, 0.0) > time.monotonic():
            return None
        try:
            sealing = self._open.get(row.id)
            if sealing is None:
                if not row.told:
                    return None
                clear = self._spool.file(row.id)
                if row.frames == 0 and (clear is None or not clear.stat().st_size):
                    return self._nothing(row) if _is_over(row) else None
                if clear is None and not _is_over(row):
                    return None
                if (data_key := self._keys.of(row)) is None:
                    return None
                sealing = self._begin(row, clear, data_key)
            elif not sealing.look(row):
                self._wait(row.id, "its row was written by another sealer")
                return None
            sealing.work(self._buffer, ended=row.ended_at is not None)
        except (Damaged, WrongKey, UnknownVersion) as error:
            # What is in the spool may be the only copy: it stays, for an operator to decide.
            self._say(row.id, f"its sealed file cannot be gone on with, what is in the spool stays there: {error}")
            return Progress(row.id, row.frames, row.frames, Track.State.DAMAGED)
        except (OSError, SealProblem) as error:
            self._wait(row.id, str(error))
            return None
        return sealing.progress

    def _begin(self, row: Row, clear: Path | None, data_key: bytes) -> Sealing:
        if clear is None:
            log.error("track %s: the spool was lost; sealed as far as it came", row.id)
        path = sealed_file(row.conference, row.id)
        sealing = Sealing(row, clear, path, data_key, rows.last_told(row.id) if row.frames else 0)
        self._open[row.id] = sealing
        return sealing

    def _nothing(self, row: Row) -> Progress:
        log.warning("track %s: nothing was recorded", row.id)
        return Progress(row.id, 0, 0, Track.State.EMPTY)

    def _confirm(self, done: Sequence[Progress]) -> None:
        """One transaction for all. Only then is plaintext let go."""
        written = rows.confirm(done) if done else set()
        for each in done:
            if each.track not in written:
                self._wait(each.track, "its row was written by somebody else")
            elif each.state is Track.State.LIVE:
                self._open[each.track].committed()
                self._said.pop(each.track, None)
            else:
                self._drop(each.track)
                if each.state is not Track.State.DAMAGED and (clear := self._spool.file(each.track)):
                    self._remove(each.track, clear, each.length)

    def _let_go(self, track: UUID) -> None:
        try:
            self._open[track].let_go()
        except OSError as error:
            self._wait(track, f"its plaintext cannot be let go: {error}")

    def _sweep(self, live: Container[UUID]) -> None:
        """Clear files of no live track: what a killed sealer did not come to remove, and what nobody knows."""
        if time.monotonic() - self._swept < _BETWEEN_SWEEPS:
            return
        self._swept = time.monotonic()
        strays = {track: path for track, path in self._spool.files().items() if track not in live}
        known = rows.states(tuple(strays)) if strays else {}
        for track, path in strays.items():
            state, length = known.get(track, (None, None))
            if state is None:
                self._unknown(track, path)
            elif state == Track.State.ERASED:
                path.unlink(missing_ok=True)
            elif state in (Track.State.SEALED, Track.State.EMPTY):
                self._remove(track, path, length)
            # Live: its row is newer than this round. Damaged: see above.

    def _unknown(self, track: UUID, path: Path) -> None:
        self._say(track, f"{path} belongs to no track; it is removed when it is an hour old")
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STRAY:
                path.unlink()

    def _remove(self, track: UUID, path: Path, length: int | None) -> None:
        """The clear file of a track that is sealed, or empty."""
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > (length or 0):
                self._say(track, f"{path} went on after the track had ended; it stays, for an operator to decide")
            else:
                path.unlink()
                self._said.pop(track, None)

    def _wait(self, track: UUID, why: str) -> None:
        """Another writer goes on later."""
        self._drop(track)
        self._not_before[track] = time.monotonic() + _PAUSE
        self._say(track, f"waits: {why}")

    def _say(self, track: UUID, what: str) -> None:
        if self._said.get(track) != what:
            self._said[track] = what
            log.error("track %s: %s", track, what)

    def _drop(self, track: UUID) -> None:
        self._not_before.pop(track, None)
        if sealing := self._open.pop(track, None):
            sealing.close()


def _is_over(row: Row) -> bool:
    return row.ended_at is not None and timezone.now() - row.ended_at > NOTHING_COMES
