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
from apps.minutes.engines.configured import engine
from apps.minutes.engines.protocol import Engine, NoEngine
from apps.minutes.models import Minutes, Transcript
from apps.minutes.pipeline.transcribe import Refused, Said, Setting, Utterance, transcribe
from apps.minutes.search import index_changed
from apps.minutes.words import setting_of
from apps.recordings.errors import OUT_OF_REACH, NothingRecorded, StillMixed

from . import queue
from .sound import AROUND, others_of, samples_of
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
        self._said = ""

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
        return bool(queue.close_finished() or index_changed())

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
        if not Minutes.objects.filter(state=Minutes.State.OPEN).exists():
            return None
        try:
            return engine()
        except NoEngine as error:
            if self._said != str(error):
                self._said = str(error)
                log.warning("no minutes are written: %s", error)
            return None

    def _listen(self, listening: Engine, keys: Sequence[UUID], *, live: bool) -> None:
        queue.count_attempt(keys)
        state = Transcript.State.WAITING if live else Transcript.State.HEARD
        with transaction.atomic():
            heard: list[Heard] = []
            for setting, rows in _by_setting(queue.taken(keys, state)):
                there = [(row, utterance) for row in rows if (utterance := _utterance(row)) is not None]
                results = transcribe([each for _, each in there], listening, setting, live=live)
                heard += [(row, result) for (row, _), result in zip(there, results, strict=True)]
            write(heard, f"{listening.name} {listening.model}", live=live)


def _by_setting(rows: Sequence[Transcript]) -> list[tuple[Setting, list[Transcript]]]:
    of_minutes: dict[UUID, list[Transcript]] = {}
    for row in rows:
        of_minutes.setdefault(row.minutes_id, []).append(row)
    return [(setting_of(each[0].minutes), each) for each in of_minutes.values()]


def _utterance(row: Transcript) -> Utterance | None:
    """None where it cannot be heard now; its row then says why, and when to try again."""
    try:
        start = max(0, row.start - AROUND)
        samples = samples_of(row.track, start, row.end + AROUND)
    except (NothingRecorded, StillMixed):
        queue.put_off([row.pk], NOT_THERE_YET)
        return None
    except OUT_OF_REACH:
        queue.put_off([row.pk], OUT_OF_REACH_FOR)
        return None
    except Problem as problem:
        Transcript.objects.filter(pk=row.pk).update(state=Transcript.State.FAILED, reason=problem.code)
        return None
    return Utterance(samples=samples, starts=start, others=others_of(row), before=queue.languages_before(row))


__all__ = ["Refused", "Said", "Scribe"]
