"""The spool of a node: what FreeSWITCH records, in the clear, in memory only, until it is sealed."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Final
from uuid import UUID

from apps.recordings.places import CLEAR
from apps.switch.models import SPOOL_ALARM

log = logging.getLogger(__name__)

LOCK: Final = "lock"
_BETWEEN_ALARMS: Final = 60.0

_TMPFS_MAGIC: Final = 0x01021994  # linux/magic.h
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # linux/falloc.h
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class SpoolRefused(Exception):  # noqa: N818 - a wrong setting
    """The directory must not hold what people say. The text names the variable and says what would be right."""


class Spool:
    """A directory in memory, made where there is none. Raises SpoolRefused and OSError.

    On a disk, what was let go could be found again: such a directory is refused unless `may_be_on_disk`.
    """

    def __init__(self, directory: Path, *, may_be_on_disk: bool = False) -> None:
        self.directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o007:
            raise SpoolRefused(f"SPARKLE_SPOOL_DIR: others may look into {directory}; chmod 700, or 770 for a group")
        if _file_system(directory) != _TMPFS_MAGIC:
            if not may_be_on_disk:
                raise SpoolRefused(f"SPARKLE_SPOOL_DIR: {directory} is on a disk; name a directory of a tmpfs")
            log.warning(
                "SPARKLE_SPOOL_DIR: %s is ON A DISK, where what people say can be found in the clear, also after it was"
                " sealed. Only for development (SPARKLE_SPOOL_MAY_BE_ON_DISK).",
                directory,
            )
        self._lock: int | None = None
        self._alarm_at = -_BETWEEN_ALARMS

    def hold(self) -> bool:
        """Keep other sealers of this machine out (flock(2)), until `release` or the end of the process. False: another
        one has it.
        """
        if self._lock is not None:
            return True
        descriptor = os.open(self.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return False
            raise
        self._lock = descriptor
        return True

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def file(self, track: UUID) -> Path | None:
        """A track's, if it is there."""
        path = self.directory / f"{track.hex}{CLEAR}"
        return path if path.exists() else None

    def files(self) -> dict[UUID, Path]:
        """All that are named like a track's."""
        found = {}
        for path in self.directory.iterdir():
            if path.suffix == CLEAR:
                with contextlib.suppress(ValueError):
                    found[UUID(hex=path.stem)] = path
        return found

    def watch(self) -> int:
        """How full it is, in percent. An error in the log, once a minute, while it is nearly full: then FreeSWITCH
        could not write any more.
        """
        state = os.statvfs(self.directory)
        used = round(100 * (1 - state.f_bavail / state.f_blocks)) if state.f_blocks else 0
        if used >= SPOOL_ALARM and time.monotonic() - self._alarm_at >= _BETWEEN_ALARMS:
            self._alarm_at = time.monotonic()
            log.error("the spool %s is full to %d %%", self.directory, used)
        return used


def let_go(descriptor: int, start: int, end: int) -> None:
    """Free the memory of these bytes of a file that still grows: they read as zeros from then on, and whoever writes at
    its end notices nothing. Raises OSError.
    """
    if end > start and _libc.fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, start, end - start):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _file_system(directory: Path) -> int:
    """Its magic number. `f_type` is the first word of struct statfs (statfs(2)), which has 120 bytes."""
    state = (ctypes.c_long * 32)()
    if _libc.statfs(os.fsencode(directory), ctypes.byref(state)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(directory))
    return int(state[0])
