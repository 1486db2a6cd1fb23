"""Looking at every recording there is: what can be opened whole, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from apps.core.errors import Problem

from .errors import Away
from .models import Track
from .places import track_in
from .replay import open_clip
from .storage.configured import stores


def verify(tracks: QuerySet[Track]) -> Iterator[tuple[Track, Problem | None]]:
    """Each track that is sealed, opened from its first to its last frame. What is found is told, and nothing changed: a
    file may come back from a backup. Raises Away.
    """
    sealed = tracks.filter(state=Track.State.SEALED).select_related("node").order_by("requested_at", "pk")
    for track in sealed.iterator(chunk_size=500):
        yield track, _problem(track)


def _problem(track: Track) -> Problem | None:
    if not track.length:
        return None  # only its last frame, which says that there is nothing, was looked for when it was sealed
    try:
        for _ in open_clip(track, 0).pieces():
            pass
    except Away:
        raise
    except Problem as problem:
        return problem
    return None


def files_of_nobody() -> Iterator[tuple[str, str]]:
    """Names of sealed files in this machine's folder and in the bucket of which nobody hears anything, and why: a
    deleted row, or another database, has left them (`no_row`), or their track was erased or is elsewhere (`left_over`).
    Raises Away.
    """
    rows = Track.objects.values_list("pk", "state", "storage")
    known = {pk: None if state == Track.State.ERASED else storage for pk, state, storage in rows}
    for storage, store in stores().items():
        for name in store.names():
            track = track_in(name)
            if track not in known:
                yield f"{storage or 'folder'}:{name}", "no_row"
            elif known[track] != storage:
                yield f"{storage or 'folder'}:{name}", "left_over"
