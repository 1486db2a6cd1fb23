"""Erasing what was recorded: first the keys, which is what counts, then the files."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db.models import QuerySet

from .errors import RecordingOnItsNode, StorageAway
from .files import remove
from .models import Track, Utterance

logger = logging.getLogger(__name__)


def shred(tracks: QuerySet[Track]) -> list[Track]:
    """Those that were not erased yet: once the transaction has ended nobody can hear them any more, wherever copies of
    their files are. Their rows stay, without utterances.
    """
    found = list(
        tracks.exclude(state=Track.State.ERASED).select_related("node").select_for_update(of=("self",)).order_by("pk")
    )
    Track.objects.filter(pk__in=[track.pk for track in found]).update(
        state=Track.State.ERASED, key_id="", sealed_key=b""
    )
    # Afterwards: the sealer writes them together with the row of a track that is still live.
    Utterance.objects.filter(track__in=found).delete()
    return found


def remove_files(tracks: Iterable[Track]) -> None:
    """Of tracks that are shredded. What fails is removed by `tidy` (tasks/moving.py), on whichever machine has it."""
    for track in tracks:
        try:
            remove(track)
        except RecordingOnItsNode:
            pass
        except (StorageAway, OSError) as error:
            logger.warning("the files of track %s are removed later: %s", track.pk, error)
