"""Audio that cannot be heard at present: it is in the folder of a machine that is away, or a store or keys are.

Another worker may be beside that folder, so each remembers for itself what it leaves alone for a while, and the others
go on. What waits there is not tried one by one: a store that does not answer takes its time to say so. Since when an
utterance is out of reach is in its row; whoever hears one again says so of all that was where it was.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.conferences.models import Conference
from apps.minutes.models import Transcript
from apps.recordings.errors import OUT_OF_REACH, RecordingKeyMissing, RecordingOnItsNode, StorageAway
from apps.recordings.models import Track

log = logging.getLogger(__name__)

LEFT_ALONE: Final = 30.0
"""Seconds until a worker tries again, at least."""
LONGER: Final = 10
"""Times as long as it took to learn that nobody answers: who speaks now does not wait for that all the time."""
GIVEN_UP: Final = timedelta(hours=24)
"""Once a conference is over, nothing of it is waited for any longer than this: a machine that broke down is back by
then, or does not come back by itself.
"""

AT_ONCE: Final = 10_000
"""Rows: a statement has 65,535 parameters at the most."""

AWAY: Final = (*OUT_OF_REACH, RecordingKeyMissing)
"""These may pass."""

Place = tuple[tuple[str, Any], ...]
"""Columns of tracks, which all those have that are out of reach together."""
Clock = Callable[[], float]


class Reach:
    """What one worker can hear, as far as it knows."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lost: dict[Place, float] = {}

    def has(self, track: Track) -> bool:
        return not any(all(getattr(track, name) == value for name, value in place) for place in self._places())

    def within(self) -> Q:
        """Of transcripts: those that it has."""
        found = Q()
        for place in self._places():
            found &= ~_of(place)
        return found

    @contextmanager
    def asked(self, track: Track) -> Iterator[None]:
        """To hear this track. What is AWAY is remembered; what nobody heard for too long has failed then."""
        began = self._clock()
        try:
            yield
        except AWAY as problem:
            now = self._clock()
            place = _place(track, problem.code)
            self._lost[place] = now + max(LEFT_ALONE, LONGER * (now - began))
            _away(place, problem.code)
            raise

    def regain(self, row: Transcript) -> None:
        """It was heard."""
        if row.away_since is not None:
            _back(_place(row.track, row.reason))

    def _places(self) -> Iterator[Place]:
        now = self._clock()
        return (place for place, until in self._lost.items() if now < until)


def _place(track: Track, code: str) -> Place:
    if code == RecordingOnItsNode.code:
        return ("node_id", track.node_id), ("storage", Track.Storage.FOLDER.value)
    if code == StorageAway.code and track.storage != Track.Storage.FOLDER:
        return (("storage", track.storage),)
    # Keys: a worker may remember those of others (recordings/kms.py). Or it was moved since its row was read.
    return (("id", track.pk),)


def _of(place: Place) -> Q:
    return Q(**{f"track__{name}": value for name, value in place})


def _there(place: Place) -> QuerySet[Transcript]:
    """To be heard, and in nobody else's hands."""
    waiting = Transcript.objects.filter(_of(place), state__in=(Transcript.State.WAITING, Transcript.State.HEARD))
    return waiting.select_for_update(of=("self",), skip_locked=True, no_key=True)


def _change(rows: QuerySet[Transcript], **values: Any) -> int:
    """Not by a subquery: PostgreSQL may ask it anew for each row."""
    keys = list(rows.values_list("pk", flat=True))
    some = (keys[at : at + AT_ONCE] for at in range(0, len(keys), AT_ONCE))
    return sum(Transcript.objects.filter(pk__in=each).update(**values) for each in some)


@transaction.atomic
def _away(place: Place, code: str) -> None:
    now = timezone.now()
    _change(_there(place).filter(away_since=None), away_since=now, reason=code)
    late = _there(place).filter(away_since__lt=now - GIVEN_UP, minutes__conference__phase=Conference.Phase.ENDED)
    if count := _change(late, state=Transcript.State.FAILED, reason=code, attempts=0, not_before=None):
        log.error("%d utterances are given up, whose audio is out of reach: %s", count, code)


@transaction.atomic
def _back(place: Place) -> None:
    _change(_there(place).exclude(away_since=None), away_since=None, reason="")
