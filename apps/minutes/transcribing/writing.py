"""What was heard, into rows: the transcript, and the passage that people read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

from django.utils import timezone

from apps.minutes.models import Minutes, Passage, Transcript
from apps.minutes.pipeline.result import Result, Said
from apps.minutes.telling import tell

Heard = tuple[Transcript, int, Result]
"""Where the sound began that the engine had, in milliseconds of the track, and what came of it."""


def write(heard: Sequence[Heard], engine: str, *, live: bool) -> None:
    """In the transaction that has the transcripts in its hands. What somebody has corrected stays as it is."""
    in_order = sorted(heard, key=lambda each: each[0].minutes_id)
    for minutes_id, of_it in groupby(in_order, key=lambda each: each[0].minutes_id):
        minutes = Minutes.objects.select_for_update(of=("self",)).select_related("conference").get(pk=minutes_id)
        changed = []
        for transcript, began, result in of_it:
            _keep(transcript, began, result, engine, live=live)
            if (passage := _passage(transcript, minutes.seq + 1)) is not None:
                changed.append(passage)
        if changed:
            minutes.seq += 1
            minutes.save(update_fields=["seq"])
            tell(minutes, changed)


def _keep(transcript: Transcript, began: int, result: Result, engine: str, *, live: bool) -> None:
    transcript.attempts = 0
    transcript.not_before = transcript.away_since = None
    transcript.engine = engine
    transcript.written_at = timezone.now()
    if isinstance(result, Said):
        transcript.state = Transcript.State.HEARD if live else Transcript.State.DONE
        transcript.reason = ""
        transcript.language = result.language
        transcript.log_probability = result.log_probability
        sure = result.confidence.value
        transcript.sentences = [[began + each.start, began + each.end, each.text, sure] for each in result.sentences]
    else:
        # What was refused at first sight is listened to once more, with patience.
        transcript.state = Transcript.State.HEARD if live else Transcript.State.REFUSED
        transcript.reason = result.reason.value
        transcript.sentences = []
    transcript.save()


def _passage(transcript: Transcript, seq: int) -> Passage | None:
    """The passage as it is now, if that is news."""
    of_it = Passage.objects.filter(transcript=transcript).select_related("participant").order_by("start")
    passage = of_it.first()
    if passage is None:
        if not transcript.sentences:
            return None
        passage = Passage(
            minutes_id=transcript.minutes_id, track=transcript.track, participant=transcript.track.participant, seq=seq
        )
    elif passage.edited:
        return None
    else:
        before = (passage.sentences, passage.removed, passage.starts_at)
        if before == (transcript.sentences, not transcript.sentences, transcript.starts_at):
            if transcript.state != Transcript.State.DONE:
                return None
            # The same words, and nothing better comes.
            passage.transcript, passage.seq = transcript, seq
            passage.save(update_fields=["seq"])
            return passage
        # Whoever corrects what it was before is told.
        passage.version += 1
    passage.transcript = transcript
    passage.start, passage.end, passage.starts_at = transcript.start, transcript.end, transcript.starts_at
    if transcript.sentences:
        # Only what was said: the utterance may begin and end with breath.
        passage.start = min(passage.end - 1, max(passage.start, transcript.sentences[0][0]))
        passage.end = max(passage.start + 1, min(passage.end, transcript.sentences[-1][1]))
        passage.starts_at += timedelta(milliseconds=passage.start - transcript.start)
    passage.say(transcript.sentences)
    passage.removed = not transcript.sentences
    passage.seq = seq
    passage.save()
    return passage
