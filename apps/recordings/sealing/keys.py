"""The data keys of a sealer's tracks, asked for beside its rounds."""

from __future__ import annotations

from collections.abc import Container
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final
from uuid import UUID

from apps.recordings.keys import key_provider
from apps.recordings.sealed.errors import BadKeys, WrongKey
from apps.recordings.sealed.keys import WrappedKey, new_data_key

from . import rows
from .rows import Row

WAIT: Final = 0.5
"""Seconds for which a round waits for keys, all in all."""
TOGETHER: Final = 8
"""Requests at a time."""


class DataKeys:
    """Whoever has the key-encryption keys may be far away, or not answer: tracks that have their keys are not to wait
    for those that have not. No thread of these touches the database.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(TOGETHER, thread_name_prefix="data-keys")
        self._asked: dict[UUID, Future[tuple[bytes, WrappedKey | None]]] = {}

    def of(self, row: Row) -> bytes | None:
        """The track's key, made where it has none; None while it is not there, and where somebody else has just made
        one. Raises BadKeys, UnknownKey, KeysAway: none of them says anything of the sealed file.
        """
        if row.id not in self._asked:
            self._asked[row.id] = self._threads.submit(_ask, row)
        if not self._asked[row.id].done():
            return None
        key, wrapped = self._asked.pop(row.id).result()
        # In the row before anything is sealed with it: without its row, a file is lost.
        return key if wrapped is None or rows.keep_key(row.id, wrapped) else None

    def arrived(self, live: Container[UUID]) -> list[UUID]:
        """The live tracks that were asked for, and for which there is an answer now."""
        self._asked = {track: asked for track, asked in self._asked.items() if track in live}
        wait(self._asked.values(), WAIT)
        return [track for track, asked in self._asked.items() if asked.done()]


def _ask(row: Row) -> tuple[bytes, WrappedKey | None]:
    """The track's key; and, where it has just been made, how its row is to keep it."""
    if not row.key_id:
        key = new_data_key()
        return key, key_provider().wrap(row.id, key)
    try:
        return key_provider().unwrap(row.id, WrappedKey(row.key_id, row.sealed_key)), None
    except WrongKey as error:
        raise BadKeys(f"{row.key_id}: {error}") from None
