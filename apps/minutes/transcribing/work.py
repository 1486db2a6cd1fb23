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
from django.utils import timezone

from apps.core.errors import Problem
from apps.minutes.engine_state import SAYS_EACH, say
from apps.minutes.engines.configured import engine
from apps.minutes.engines.protocol import RATE, Engine, NoEngine
from apps.minutes.models import Minutes, Transcript
from apps.minutes.pipeline.result import Utterance
from apps.minutes.pipeline.transcribe import transcribe
from apps.minutes.search import index_changed
from apps.minutes.words import setting_of
from apps.recordings.errors import NothingRecorded
from apps.recordings.models import Track

from . import queue
from .reach import AWAY, GIVEN_UP, Reach
from .sound import AROUND, others_of, samples_of
from .writing import write

log = logging.getLogger(__name__)

LIVE_AT_ONCE: Final = 3
"""Utterances: with more, the first would wait for the last. Long ones are fewer (queue.LONGEST_AT_ONCE)."""
REFINED_AT_ONCE: Final = 8
REFINED_MEANWHILE: Final = 2
"""While somebody may be speaking: what is said now must not wait for long."""
BETWEEN_SEARCHES: Final = 0.5
"""Seconds between two looks for new utterances."""
BETWEEN_FULL_SEARCHES: Final = 30.0
BETWEEN_ENGINES: Final = 30.0
NOT_THERE_YET: Final = 1.0


class Scribe:
    """For as long as a worker lives."""

    def __init__(self) -> None:
        self._searched = self._searched_all = -BETWEEN_FULL_SEARCHES
        self._said = -SAYS_EACH
        self._none_until = 0.0
        self._complained = ""
        self._reach = Reach()

    def round(self) -> bool:
        """Do the next piece of work; False: there was none. Raises Error of django.db; then nothing is lost."""
        self._search()
        if (listening := self._engine()) is not None:
            within = self._reach.within()
            if keys := queue.next_live(LIVE_AT_ONCE, within):
                self._listen(listening, keys, live=True)
                return True
            at_once = REFINED_MEANWHILE if queue.somebody_speaks() else REFINED_AT_ONCE
            if keys := queue.next_to_refine(at_once, within):
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

    @property
    def may_listen(self) -> bool:
        """Whether there was an engine, when one was needed last."""
        return time.monotonic() >= self._none_until

    def _engine(self) -> Engine | None:
        """None: there is nothing for one, or there is none. Whether there is one by now is asked now and then: to load
        what cannot be loaded takes a while.
        """
        if not self.may_listen or not Minutes.objects.filter(state=Minutes.State.OPEN).exists():
            return None
        try:
            found = engine()
        except NoEngine as error:
            self._none_until = time.monotonic() + BETWEEN_ENGINES
            say(problem=error.why.value)
            if self._complained != str(error):
                self._complained = str(error)
                log.warning("no minutes are written: %s", error)
            return None
        if time.monotonic() - self._said >= SAYS_EACH:
            say(engine=found.name, model=found.model)
            self._said = time.monotonic()
        return found

    def _listen(self, listening: Engine, keys: Sequence[UUID], *, live: bool) -> None:
        state = Transcript.State.WAITING if live else Transcript.State.HEARD
        # Before anything is locked: a store may keep its reader waiting.
        sounds = self._sounds(keys, state)
        with transaction.atomic():
            rows = queue.taken(sounds, state)
            if not rows:
                return
            if not live:
                queue.set_moments(rows)
            results = transcribe([sounds[row.pk] for row in rows], listening, setting_of(rows[0].minutes), live=live)
            heard = [(row, _begins(row), result) for row, result in zip(rows, results, strict=True)]
            write(heard, f"{listening.name} {listening.model}", live=live)

    def _sounds(self, keys: Sequence[UUID], state: Transcript.State) -> dict[UUID, Utterance]:
        """Of those that can be heard now."""
        rows = list(queue.begun(keys, state))
        if state == Transcript.State.HEARD:
            queue.set_moments(rows)
        found: dict[UUID, Utterance] = {}
        for place, row in enumerate(rows):
            # Not what was put off.
            queue.hold([*found, *(each.pk for each in rows[place:])])
            if (utterance := self._utterance(row)) is not None:
                found[row.pk] = utterance
        return found

    def _utterance(self, row: Transcript) -> Utterance | None:
        """None where it cannot be heard now; its row then says why, and when to try again. What is out of reach, others
        may try at once: they may be where it is.
        """
        if not self._reach.has(row.track):
            queue.put_off([row.pk], 0)
            return None
        try:
            with self._reach.asked(row.track):
                samples = samples_of(row.track, _begins(row), row.end + AROUND)
        except AWAY:
            queue.put_off([row.pk], 0)
            return None
        except Problem as problem:
            if isinstance(problem, NothingRecorded) and _may_come(row):
                queue.put_off([row.pk], NOT_THERE_YET)
            else:
                # As it is now: another worker may have written it meanwhile.
                still = Transcript.objects.filter(pk=row.pk, state=row.state)
                still.update(state=Transcript.State.FAILED, reason=problem.code)
            return None
        self._reach.regain(row)
        lasts = len(samples) * 1000 // RATE
        return Utterance(
            samples=samples,
            speaker=str(row.track_id),
            others=others_of(row, _begins(row), lasts, self._reach),
            spoken_before=queue.languages_before(row),
        )


def _may_come(row: Transcript) -> bool:
    """Whether somebody may still seal it."""
    ended = row.minutes.conference.ended_at
    return row.track.state == Track.State.LIVE and (ended is None or timezone.now() - ended < GIVEN_UP)


def _begins(row: Transcript) -> int:
    """Where the sound that the engine gets begins, in its track."""
    return max(0, row.start - AROUND)
