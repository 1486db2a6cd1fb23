"""What is signed along with the text: the sealed files that were recorded, and what was done to the conference."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.core.errors import Problem
from apps.core.models import AuditEntry
from apps.recordings.audio import SAMPLE
from apps.recordings.errors import OUT_OF_REACH, RecordingDamaged, StillMixed, StillRecorded, StorageAway
from apps.recordings.files import open_file
from apps.recordings.models import Track
from apps.recordings.places import SEALED

from .chain import Control, canonical, plain, sha256_of
from .chain import Track as Signed
from .engines.protocol import RATE
from .errors import EvidenceMissing
from .models import Minutes

log = logging.getLogger(__name__)

PIECE: Final = 1 << 20
"""Bytes of a file that are in memory at a time."""
WITHOUT_FILE: Final = {Track.State.ERASED: "erased", Track.State.DAMAGED: "damaged"}
"""What stands in place of a digest."""


def tracks_of(minutes: Minutes) -> QuerySet[Track]:
    """All that was recorded of the room."""
    tracks = Track.objects.filter(conference=minutes.conference_id, whisper=minutes.whisper_id)
    return tracks.exclude(state=Track.State.EMPTY).select_related("participant", "node").order_by("requested_at", "pk")


def signed_tracks(minutes: Minutes) -> list[Signed]:
    """With the digests of their files, which are read for it. Raises EvidenceMissing, which names what cannot be."""
    found, missing = [], []
    silent: dict[str, StorageAway] = {}
    for track in tracks_of(minutes):
        try:
            if track.state == Track.State.SEALED and track.storage in silent:
                # A store that does not answer is asked once: somebody waits.
                raise silent[track.storage]
            found.append(_signed(track, digest_of(track)))
        except Problem as problem:
            if isinstance(problem, StorageAway):
                silent[track.storage] = problem
            name = track.participant.name if track.participant else str(track.get_kind_display())
            missing.append({"track": str(track.pk), "name": name, "code": problem.code, "reason": str(problem.title)})
    if missing:
        raise EvidenceMissing(
            _("Not there now: %(names)s. Try again later.") % {"names": ", ".join(each["name"] for each in missing)},
            tracks=missing,
        )
    return found


def digest_of(track: Track) -> str:
    """SHA-256 of its sealed file, hex, or why it has none. Raises what says why it cannot be read now."""
    if why := WITHOUT_FILE.get(Track.State(track.state)):
        return why
    if track.state == Track.State.LIVE:
        raise StillRecorded
    if track.state == Track.State.MIXING:
        raise StillMixed
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(PIECE))
    offset = 0
    try:
        source = open_file(track, SEALED)
        while count := source.read_into(offset, buffer):
            digest.update(buffer[:count])
            offset += count
    except OUT_OF_REACH:
        raise
    except OSError as error:
        log.error("track %s: %s: %s", track.pk, type(error).__name__, error)
        raise RecordingDamaged from error
    return digest.hexdigest()


def _signed(track: Track, sha256: str) -> Signed:
    samples = (track.length or 0) // (track.channels * SAMPLE)
    return Signed(
        id=track.pk,
        kind=track.kind,
        speaker=track.participant.name if track.participant else "",
        started_at=track.begins_at or track.requested_at,
        length=samples * RATE // track.rate,
        sha256=sha256,
    )


def control_of(minutes: Minutes) -> list[Control]:
    """What was done to the conference until now, in its order; not who listened."""
    entries = AuditEntry.objects.filter(conference_id=minutes.conference_id).exclude(action="listen").order_by("pk")
    return [_control(each) for each in entries]


def _control(entry: AuditEntry) -> Control:
    digest = hashlib.sha256(canonical(_whole(entry.detail))).hexdigest()
    return Control(id=entry.pk, at=entry.at, who=entry.actor_name, action=entry.action, detail=digest)


def _whole(value: Any) -> Any:
    """Fractions as text: they have no canonical form."""
    match value:
        case float():
            return repr(value)
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case _:
            return value


def hashes(entries: Iterable[Control]) -> list[str]:
    """As they stand in a signed document."""
    return [sha256_of(plain(asdict(each))) for each in entries]
