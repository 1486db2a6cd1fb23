"""One worker's share: listen to what was said a moment ago first, then refine what was heard, then put things in order.

Settings and words for the engine come from the conference: its languages, and the names and terms to spell right.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.core.errors import Problem
from apps.minutes.engine_state import SAYS_EACH, say
from apps.minutes.engines.configured import engine
from apps.minutes.engines.protocol import Engine, NoEngine
from apps.minutes.models import Minutes, Transcript
from apps.minutes.pipeline.result import Setting, Utterance
from apps.minutes.pipeline.transcribe import transcribe
from apps.minutes.search import index_changed
from apps.minutes.words import setting_of
from apps.recordings.errors import OUT_OF_REACH, NothingRecorded, StillMixed

from . import queue
from .sound import AROUND, RATE, others_of, samples_of
from .writing import Heard, write

log = logging.getLogger(__name__)

LIVE_AT_ONCE: Final = 3
"""Utterances: with more, the first would wait for the last."""
REFINED_AT_ONCE: Final = 8
REFINED_MEANWHILE: Final = 2
"""While somebody may be speaking: what is said now must not wait for long."""
BETWEEN_SEARCHES: Final = 0.5
"""Seconds between two looks for new utterances."""
BETWEEN_FULL_SEARCHES: Final = 30.0
NOT_THERE_YET: Final = 1.0
OUT_OF_REACH_FOR: Final = 30.0


class Scribe:
    """For as long as a worker lives."""

    def __init__(self) -> None:
        self._searched = self._searched_all = -BETWEEN_FULL_SEARCHES
        self._said = -SAYS_EACH
        self._complained = ""

    def round(self) -> bool:
        """Do the next piece of work; False: there was none. Raises Error of django.db; then nothing is lost."""
        self._search()
        if (listening := self._engine()) is not None:
            if keys := queue.next_live(LIVE_AT_ONCE):
                self._listen(listening, keys, live=True)
                return True
            at_once = REFINED_MEANWHILE if queue.somebody_speaks() else REFINED_AT_ONCE
            if keys := queue.next_to_refine(at_once):
                self._listen(listening, keys, live=False)
                return True
            if queue.close_finished():
                return True
        return bool(index_changed())

    def _search(self) -> None:
        now = time.monotonic()
        if now - self._searched < BETWEEN_SEARCHES:
            return
        everything = now - self._searched_all >= BETWEEN_FULL_SEARCHES
        queue.find_work(everything=everything)
        self._searched = now
        if everything:
            self._searched_all = now

    def _engine(self) -> Engine | None:
        """None: there is nothing for one, or there is none."""
        if not Minutes.objects.filter(state=Minutes.State.OPEN).exists():
            return None
        try:
            found = engine()
        except NoEngine as error:
            self._say(problem=error.why.value)
            if self._complained != str(error):
                self._complained = str(error)
                log.warning("no minutes are written: %s", error)
            return None
        self._say(engine=found.name, model=found.model)
        return found

    def _say(self, **what: str) -> None:
        if time.monotonic() - self._said >= SAYS_EACH:
            say(**what)
            self._said = time.monotonic()

    def _listen(self, listening: Engine, keys: Sequence[UUID], *, live: bool) -> None:
        queue.count_attempt(keys)
        state = Transcript.State.WAITING if live else Transcript.State.HEARD
        with transaction.atomic():
            heard: list[Heard] = []
            for setting, rows in _by_setting(queue.taken(keys, state)):
                there = [(row, utterance) for row in rows if (utterance := _utterance(row)) is not None]
                results = transcribe([each for _, each in there], listening, setting, live=live)
                heard += [(row, _begins(row), result) for (row, _), result in zip(there, results, strict=True)]
            write(heard, f"{listening.name} {listening.model}", live=live)


def _by_setting(rows: Sequence[Transcript]) -> list[tuple[Setting, list[Transcript]]]:
    of_minutes: dict[UUID, list[Transcript]] = {}
    for row in rows:
        of_minutes.setdefault(row.minutes_id, []).append(row)
    return [(setting_of(each[0].minutes), each) for each in of_minutes.values()]


def _utterance(row: Transcript) -> Utterance | None:
    """None where it cannot be heard now; its row then says why, and when to try again."""
    try:
        samples = samples_of(row.track, _begins(row), row.end + AROUND)
    except (NothingRecorded, StillMixed):
        queue.put_off([row.pk], NOT_THERE_YET)
        return None
    except OUT_OF_REACH:
        queue.put_off([row.pk], OUT_OF_REACH_FOR)
        return None
    except Problem as problem:
        Transcript.objects.filter(pk=row.pk).update(state=Transcript.State.FAILED, reason=problem.code)
        return None
    lasts = len(samples) * 1000 // RATE
    return Utterance(
        samples=samples,
        speaker=str(row.track_id),
        others=others_of(row, _begins(row), lasts),
        spoken_before=queue.languages_before(row),
    )


def _begins(row: Transcript) -> int:
    """Where the sound that the engine gets begins, in its track."""
    return max(0, row.start - AROUND)
