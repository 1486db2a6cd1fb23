"""Looking at every recording there is: what can be opened whole, and what is wrong with the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from apps.core.errors import Problem

from .errors import RecordingKeysAway
from .models import Track
from .replay import open_clip


@dataclass(frozen=True, slots=True)
class Damage:
    """`track` is None for a file that is no track's."""

    track: UUID | None
    path: Path | None
    why: str


def verify(tracks: QuerySet[Track]) -> Iterator[tuple[Track, Damage | None]]:
    """Each track that is sealed, opened from its first to its last frame. What is found is told, and nothing changed: a
    file may come back from a backup. Raises RecordingKeysAway.
    """
    for track in tracks.filter(state=Track.State.SEALED).order_by("requested_at", "pk").iterator(chunk_size=500):
        yield track, _damage(track)


def _damage(track: Track) -> Damage | None:
    if not track.length:
        return None  # only its last frame, which says that there is nothing, was looked for when it was sealed
    try:
        for _ in open_clip(track, 0).pieces():
            pass
    except RecordingKeysAway:
        raise
    except Problem as problem:
        return Damage(track.pk, None, problem.code)
    return None


def files_of_nobody() -> Iterator[Damage]:
    """Sealed files without a row, of which nobody hears anything any more: what a deleted row, or another database,
    has left.
    """
    known = set(Track.objects.values_list("pk", flat=True))
    for path in sorted(Path(settings.SPARKLE_RECORDINGS_DIR).glob("*/*.sealed")):
        try:
            track = UUID(hex=path.name.split(".")[0])
        except ValueError:
            track = None
        if track not in known:
            yield Damage(None, path, "no_row")
