"""The folder of a machine: where the sealer of its node writes, and where sealed files stay unless they are moved."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from apps.recordings.places import PEAKS, SEALED
from apps.recordings.sealed.files import OpenFile, Source

from .store import pieces

_LOCK: Final = ".moving"
_LEFT: Final = 24 * 3600.0
"""Seconds after which nobody writes any more to what was not brought to its end."""


class File(OpenFile):
    """Open for as long as somebody reads it."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        super().__init__(descriptor)
        weakref.finalize(self, os.close, descriptor)


class Folder:
    """A Store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, name: str) -> Source:
        return File(self._path / name)

    def put(self, name: str, source: Source) -> None:
        path = self._path / name
        make_folder(path.parent)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                for piece in pieces(source):
                    file.write(piece)
                file.flush()
                os.fsync(descriptor)
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        sync_folder(path.parent)

    def remove(self, name: str) -> None:
        (self._path / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        for path in sorted(self._path.glob("*/*")):
            if path.suffix in (SEALED, PEAKS):
                yield f"{path.parent.name}/{path.name}"

    def belongs_to(self, node: str) -> None:
        """From now on: what this node has recorded is here, or lost."""
        make_folder(self._path)
        self._mark(node).touch(mode=0o600)

    def is_of(self, node: str) -> bool:
        return self._mark(node).exists()

    def _mark(self, node: str) -> Path:
        return self._path / f".node-{node}"

    @contextlib.contextmanager
    def held(self, *, wait: bool = False) -> Iterator[bool]:
        """Whether no other process moves files from or to here meanwhile (flock(2))."""
        make_folder(self._path)
        descriptor = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    def drop_parts(self) -> None:
        """Of what killed processes had begun to `put`."""
        for path in self._path.glob("*/.*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _LEFT:
                    path.unlink()


def make_folder(folder: Path) -> None:
    """For nobody else to read, and there after a loss of power."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
