"""Moving sealed tracks from one store to another, and clearing away what is left where nobody reads it."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Final
from uuid import UUID

from apps.core.errors import Problem

from .errors import Away
from .files import SUFFIXES, open_file, remove
from .models import Track
from .peaks import keep_peaks
from .places import PEAKS, SEALED, name_of, track_in
from .storage.configured import folder, store_of
from .storage.store import Store, digest

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 1000


def move(track: Track, to: str, *, wait: bool = False) -> bool:
    """Copy its files, read the copies again, tell the row, and only then remove what was copied. A process may die
    anywhere: the next one begins with the track again, or `clear` has the rest. False: there is nothing to do,
    or (unless `wait`) another process moves something here.

    Raises OSError; RecordingOnItsNode where this machine does not have it; Away.
    """
    with folder().held(wait=wait) as alone:
        if not alone:
            return False
        track.refresh_from_db(fields=["state", "storage"])
        if track.state != Track.State.SEALED or track.storage == to:
            return False
        origin, target = store_of(track.storage), store_of(to)
        if track.storage == Track.Storage.FOLDER:
            # Nobody looks there for tracks without them. A track of which there are none moves as it is.
            try:
                keep_peaks(track)
            except Away:
                raise
            except (Problem, OSError) as error:
                logger.warning("track %s moves without peaks: %s", track.pk, error)
        _copy(track, target)
        sealed = Track.objects.filter(pk=track.pk, state=Track.State.SEALED)
        if sealed.filter(storage=track.storage).update(storage=to):
            _remove(track, origin)
            return True
        if not sealed.filter(storage=to).exists():
            _remove(track, target)  # it was erased meanwhile
        return False


def _copy(track: Track, target: Store) -> None:
    for suffix in SUFFIXES:
        name = name_of(track.conference_id, track.pk, suffix)
        try:
            source = open_file(track, suffix)
        except FileNotFoundError:
            if suffix == SEALED:
                raise
            continue
        target.put(name, source)
        if digest(target.open(name)) != digest(source):
            raise OSError(f"{name}: what was read again is not what was written; nothing was removed")


def _remove(track: Track, store: Store) -> None:
    for suffix in SUFFIXES:
        store.remove(name_of(track.conference_id, track.pk, suffix))


def remove_erased() -> None:
    """What is left in other stores of tracks that were erased. Raises StorageAway."""
    for track in Track.objects.filter(state=Track.State.ERASED).exclude(storage=Track.Storage.FOLDER):
        remove(track)


def clear(storage: str) -> None:
    """Remove what nobody reads any more of a store: of tracks that were erased, or that are whole in another one. What
    belongs to no track stays (verify.py tells it). Not while another process moves something. Raises StorageAway.
    """
    with folder().held() as alone:
        if alone:
            names = store_of(storage).names()
            while some := list(islice(names, _AT_ONCE)):
                _clear(storage, {name: track for name in some if (track := track_in(name))})


def _clear(storage: str, names: dict[str, UUID]) -> None:
    rows = Track.objects.filter(pk__in=names.values()).values_list("pk", "state", "storage")
    found = {pk: (state, where) for pk, state, where in rows}
    for name, track in names.items():
        state, where = found.get(track, (None, storage))
        if state == Track.State.ERASED or (where != storage and _is_twice(name, storage, where)):
            store_of(storage).remove(name)


def _is_twice(name: str, storage: str, where: str) -> bool:
    """A file may have come back from a backup since the other one was lost. Peaks can be made again."""
    if name.endswith(PEAKS):
        return True
    try:
        return digest(store_of(storage).open(name)) == digest(store_of(where).open(name))
    except FileNotFoundError:
        logger.error("%s is not where its row says that it is; another one stays", name)
        return False
