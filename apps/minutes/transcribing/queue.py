"""Which utterances wait for their text: found, given out, and when nothing is left.

Several workers may ask at once, and each may be killed at any moment: what one has in hand is locked in its transaction
and free again when that ends, however it ends. Each try is counted and committed before, so that what kills its worker
is not tried for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from apps.conferences.models import Conference, Whisper
from apps.conferences.models.options import MinutesPolicy
from apps.minutes.models import Minutes, Passage, Transcript
from apps.minutes.selectors import said_in
from apps.minutes.telling import tell
from apps.recordings.models import Track, Utterance
from apps.recordings.selectors import with_moments

from .reach import GIVEN_UP

LOOKS_BACK: Final = timedelta(days=30)
"""Of conferences that were launched before, minutes are not begun by themselves."""
NEW: Final = timedelta(minutes=2)
"""Utterances that were found since are looked for each time, older ones now and then (`everything`)."""
LONGEST_AT_ONCE: Final = 24_000
"""Milliseconds of speech that are given out together; one utterance alone may be longer. A large model on a slow CPU
takes twice as long as it lasts, and nobody hears of its worker meanwhile (engine_state.SILENT).
"""
MOST_ATTEMPTS: Final = 4
TRIED_TOO_OFTEN: Final = "tried_too_often"
AGAIN: Final = 5.0
"""Seconds after which somebody else tries what was begun, if nothing came of it; then four times as many."""
FRESH: Final = timedelta(seconds=12)
"""What was said since comes before what waits longer: who follows the text wants to read what is being said."""
SETTLED: Final = timedelta(seconds=45)
"""While a conference runs, what was heard is refined when it is so old: the language of what surrounds it is known."""

ANYWHERE: Final = Q()
OVER: Final = (Transcript.State.DONE, Transcript.State.REFUSED, Transcript.State.FAILED)


def find_work(*, everything: bool) -> None:
    """Begin minutes of conferences and whispers in which somebody is recorded, and let each of their utterances wait
    for its text. Safe to run twice, also at once.
    """
    open_minutes()
    said = with_moments(Utterance.objects.filter(track__started_at__isnull=False).exclude(track__kind=Track.Kind.MIX))
    if not everything:
        said = said.filter(pk__gt=_first_id(timezone.now() - NEW))
    opened = {
        (conference, whisper): key
        for key, conference, whisper in Minutes.objects.filter(state=Minutes.State.OPEN).values_list(
            "pk", "conference", "whisper"
        )
    }
    there = Transcript.objects.filter(pk=OuterRef("pk"))
    of_them = said.filter(~Exists(there), track__conference__in={conference for conference, _ in opened})
    columns = ("pk", "track__conference", "track__whisper", "track", "start", "end", "starts_at")
    waiting = [
        Transcript(pk=pk, minutes_id=opened[of, whisper], track_id=track, start=start, end=end, starts_at=moment)
        for pk, of, whisper, track, start, end, moment in of_them.values_list(*columns)
        if (of, whisper) in opened
    ]
    if waiting:
        Transcript.objects.bulk_create(waiting, ignore_conflicts=True, batch_size=500)


def may_have_work() -> bool:
    """Whether minutes are open, or may be opened, or cannot be searched yet."""
    return (
        Minutes.objects.filter(Q(state=Minutes.State.OPEN) | ~Q(seq=F("indexed"))).exists()
        or Conference.objects.exclude(phase=Conference.Phase.ENDED)
        .filter(minutes_policy=MinutesPolicy.AUTOMATIC)
        .exists()
    )


def open_minutes() -> None:
    """Begin minutes of conferences, and of whispers in them, in which somebody is recorded."""
    if settings.SPARKLE_MINUTES_ENGINE == "none":
        return
    now = timezone.now()
    recorded = Track.objects.filter(conference=OuterRef("pk"), kind=Track.Kind.PERSON)
    wanted = Conference.objects.filter(
        ~Exists(Minutes.objects.filter(conference=OuterRef("pk"), whisper=None)),
        Exists(recorded),
        minutes_policy=MinutesPolicy.AUTOMATIC,
        launched_at__gt=now - LOOKS_BACK,
    )
    found: list[tuple[UUID, UUID | None]] = [(key, None) for key in wanted.values_list("pk", flat=True)]
    whispers = Whisper.objects.filter(
        Exists(Minutes.objects.filter(conference=OuterRef("conference"), whisper=None, state=Minutes.State.OPEN)),
        ~Exists(Minutes.objects.filter(whisper=OuterRef("pk"))),
        Exists(Track.objects.filter(whisper=OuterRef("pk"))),
    )
    found += whispers.values_list("conference", "pk")
    if found:
        begun = [Minutes(conference_id=key, whisper_id=whisper, opened_at=now) for key, whisper in found]
        Minutes.objects.bulk_create(begun, ignore_conflicts=True)


def _first_id(since: datetime) -> UUID:
    """No id of core/ids.py that was made since is less: RFC 9562 §5.7 begins with 48 bits of milliseconds."""
    return UUID(int=int(since.timestamp() * 1000) << 80)


@transaction.atomic
def next_live(most: int, within: Q = ANYWHERE) -> list[UUID]:
    """Utterances nobody has listened to; first those of the last moments, then the oldest. It counts as an attempt."""
    now = timezone.now()
    waiting = Transcript.objects.filter(_due(now), within, state=Transcript.State.WAITING)
    fresh = waiting.filter(starts_at__gt=now - FRESH - (F("end") - F("start")) * timedelta(milliseconds=1))
    return _begin(fresh, most) or _begin(waiting, most)


@transaction.atomic
def next_to_refine(most: int, within: Q = ANYWHERE) -> list[UUID]:
    """Utterances of one record, in the order in which they were said. Each counts as an attempt."""
    now = timezone.now()
    heard = Transcript.objects.filter(_due(now), within, state=Transcript.State.HEARD)
    heard = heard.filter(Q(minutes__conference__phase=Conference.Phase.ENDED) | Q(starts_at__lt=now - SETTLED))
    return _begin(heard, most)


def _due(now: datetime) -> Q:
    return Q(not_before=None) | Q(not_before__lt=now)


def _begin(those: QuerySet[Transcript], most: int) -> list[UUID]:
    """The first of them that nobody has in hand, with others of its minutes. One at which somebody failed is alone: if
    it is what kills its workers, it takes no other along. Those that were tried too often have failed.
    """
    free = those.select_for_update(of=("self",), skip_locked=True, no_key=True).order_by("starts_at", "pk")
    first = free.first()
    if first is None:
        return []
    if first.attempts >= MOST_ATTEMPTS:
        Transcript.objects.filter(pk=first.pk).update(state=Transcript.State.FAILED, reason=TRIED_TOO_OFTEN)
        return []
    keys = [first.pk]
    if first.attempts == 0:
        together = free.filter(minutes=first.minutes_id, attempts=0)
        keys = _not_too_long(together.values_list("pk", "start", "end")[:most])
    # Counted before anybody listens, and the longer until the next time, the oftener it went wrong.
    later = timezone.now() + timedelta(seconds=AGAIN * 4**first.attempts)
    Transcript.objects.filter(pk__in=keys).update(attempts=F("attempts") + 1, not_before=later)
    return keys


def _not_too_long(utterances: Iterable[tuple[UUID, int, int]]) -> list[UUID]:
    """The first of them, and those after it that do not make it too much."""
    keys: list[UUID] = []
    total = 0
    for key, start, end in utterances:
        total += end - start
        if keys and total > LONGEST_AT_ONCE:
            break
        keys.append(key)
    return keys


def begun(keys: Collection[UUID], state: Transcript.State) -> QuerySet[Transcript]:
    """Those that are still in this state, in the order in which they were said."""
    rows = Transcript.objects.filter(pk__in=keys, state=state)
    return rows.select_related("minutes__conference", "track__node", "track__participant").order_by("starts_at")


def hold(keys: Collection[UUID]) -> None:
    """Let nobody else begin with them yet; nothing is written while there is time."""
    now = timezone.now()
    soon = Transcript.objects.filter(pk__in=keys, not_before__lt=now + timedelta(seconds=AGAIN / 2))
    soon.update(not_before=now + timedelta(seconds=AGAIN))


def taken(keys: Collection[UUID], state: Transcript.State) -> list[Transcript]:
    """Of those that were begun, what nobody else has in hand, in the hands of the running transaction."""
    # Not their keys: whoever splits a passage of one refers to it, holding the minutes that this transaction asks for.
    return list(begun(keys, state).select_for_update(of=("self",), skip_locked=True, no_key=True))


def set_moments(rows: Sequence[Transcript]) -> None:
    """When they begin by the clock of the conference, as far as that is known now (recordings/alignment.py)."""
    known = with_moments(Utterance.objects.filter(pk__in=[row.pk for row in rows], track__started_at__isnull=False))
    moments = dict(known.values_list("pk", "starts_at"))
    for row in rows:
        row.starts_at = moments.get(row.pk, row.starts_at)


def put_off(keys: Sequence[UUID], seconds: float) -> None:
    """Try them again later; that is not their fault and does not count."""
    waiting = Transcript.objects.filter(pk__in=keys).exclude(state__in=OVER)
    waiting.update(not_before=timezone.now() + timedelta(seconds=seconds), attempts=0)


def close_finished() -> int:
    """Minutes of conferences that are over, and of which every utterance was written, are ready; how many. Of a node
    that is gone for good, nobody ever says that it has nothing more.
    """
    nothing_comes = ~Exists(
        Track.objects.filter(conference=OuterRef("conference")).filter(
            Q(state=Track.State.LIVE)
            | Q(kind=Track.Kind.MIX, state=Track.State.SEALED, aligned=False, started_at__isnull=False)
        )
    )
    over = Minutes.objects.filter(
        Q(nothing_comes, conference__settled_at__isnull=False) | Q(conference__ended_at__lt=timezone.now() - GIVEN_UP),
        ~Exists(Transcript.objects.filter(minutes=OuterRef("pk")).exclude(state__in=OVER)),
        state=Minutes.State.OPEN,
        conference__phase=Conference.Phase.ENDED,
    )
    return sum(_close(key) for key in over.values_list("pk", flat=True))


@transaction.atomic
def _close(key: UUID) -> bool:
    """With each passage where it is by the clock of the conference, as far as that is known now; False while an
    utterance of it is not waiting yet, or waits again, and where somebody else has closed them.
    """
    # First those of which others that lock minutes have some in hand already.
    rows = Transcript.objects.filter(minutes=key).select_for_update(no_key=True).order_by("pk")
    states = list(rows.values_list("state", flat=True))
    minutes = Minutes.objects.select_for_update(of=("self",)).select_related("conference").get(pk=key)
    if minutes.state != Minutes.State.OPEN or not set(states) <= set(OVER):
        return False
    moments = dict(with_moments(said_in(minutes.conference_id, minutes.whisper_id)).values_list("pk", "starts_at"))
    written = dict(minutes.transcripts.values_list("pk", "starts_at"))
    if moments.keys() - written.keys():
        return False
    moved = [Transcript(pk=pk, starts_at=moment) for pk, moment in moments.items() if written[pk] != moment]
    Transcript.objects.bulk_update(moved, ["starts_at"], batch_size=500)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE minutes_passage p SET starts_at = t.starts_at + (p.start - t.start) * interval '1 millisecond'"
            " FROM minutes_transcript t WHERE t.id = p.transcript_id AND p.minutes_id = %s",
            [key],
        )
    minutes.state = Minutes.State.READY
    minutes.seq += 1
    minutes.save(update_fields=["state", "seq"])
    Passage.objects.filter(minutes=minutes).update(seq=minutes.seq)
    tell(minutes)
    return True


def somebody_speaks() -> bool:
    """Whether a conference runs of which minutes are written."""
    return Minutes.objects.filter(state=Minutes.State.OPEN).exclude(conference__phase=Conference.Phase.ENDED).exists()


def languages_before(transcript: Transcript, most: int = 5) -> list[str]:
    """Of what the same person said before, the last one last."""
    before = Transcript.objects.filter(track=transcript.track_id, start__lt=transcript.start).exclude(language="")
    return list(before.order_by("-start").values_list("language", flat=True)[:most])[::-1]


def behind(minutes: Minutes) -> float:
    """For how many seconds what waits longest has been waiting; 0 where nothing waits."""
    first = Transcript.objects.filter(minutes=minutes.pk, state=Transcript.State.WAITING).order_by("starts_at").first()
    if first is None:
        return 0.0
    ended = first.starts_at + timedelta(milliseconds=first.end - first.start)
    return max(0.0, (timezone.now() - ended).total_seconds())
