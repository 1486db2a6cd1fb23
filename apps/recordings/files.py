"""The files of a track, wherever they are: what was said, and how loud it is."""

from __future__ import annotations

from .errors import RecordingOnItsNode
from .models import Track
from .places import PEAKS, SEALED, name_of
from .sealed.files import Source
from .storage.configured import folder, store_of, stores

SUFFIXES = (SEALED, PEAKS)


def open_file(track: Track, suffix: str) -> Source:
    """Raises FileNotFoundError, other OSErrors, RecordingOnItsNode, StorageAway."""
    name = name_of(track.conference_id, track.pk, suffix)
    storage: str = track.storage
    try:
        return store_of(storage).open(name)
    except FileNotFoundError:
        if track.state != Track.State.LIVE:
            # It may have been moved since the row was read.
            storage = Track.objects.values_list("storage", flat=True).get(pk=track.pk)
            if storage != track.storage:
                return store_of(storage).open(name)
        if storage == Track.Storage.FOLDER and not folder().is_of(track.node.name):
            raise RecordingOnItsNode from None
        raise


def keep_file(track: Track, suffix: str, source: Source) -> None:
    """Beside what there is of the track. Raises OSError, StorageAway."""
    store_of(track.storage).put(name_of(track.conference_id, track.pk, suffix), source)


def remove(track: Track) -> None:
    """All files of a track, wherever they are; may be done again. Shred its key before, and say `erased`: that is what
    counts, and what is left then goes by itself (tasks/moving.py). Raises OSError; StorageAway: try again;
    RecordingOnItsNode: what is on this machine is gone, that node has the rest.
    """
    for store in stores().values():
        for suffix in SUFFIXES:
            store.remove(name_of(track.conference_id, track.pk, suffix))
    if track.storage == Track.Storage.FOLDER and not folder().is_of(track.node.name):
        raise RecordingOnItsNode
    Track.objects.filter(pk=track.pk, state=Track.State.ERASED).update(storage=Track.Storage.FOLDER)
