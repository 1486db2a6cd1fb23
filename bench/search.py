"""Finding words in 10,000 hours of minutes, Chinese and English, as a person finds them by the API (README.md)."""

from __future__ import annotations

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from bench.harness import Report, installation, median

HOURS = 10_000
PASSAGES = 600
"""Of an hour."""
POOL = 20_000
"""Different passages of which the hours are made."""
WORDS = 30_000
ROUNDS = 7
INDEXES = "^(minutes_words|passage_|minutes_passage_(?!pkey))"
SAY = """
INSERT INTO minutes_passage (
    id, minutes_id, transcript_id, track_id, participant_id, speaker, start, "end", starts_at,
    sentences, folded, mark, task_person, hidden, edited, removed, seq, version)
SELECT lpad(to_hex(%s + place), 32, '0')::uuid, %s, %s, %s, %s, '', place * 6000, place * 6000 + 5000,
       %s + place * interval '6 seconds', sentences, folded, '', '', false, true, false, 1, 1
  FROM unnest(%s::int[]) WITH ORDINALITY AS said (number, place) JOIN pool USING (number)
"""
"""The passages of an hour, by their numbers in the pool. Ids follow each other, as those of UUIDv7 do."""


def vocabulary(chance: random.Random) -> list[str]:
    """Chinese and English words, the frequent ones first; nothing a language has, but as long."""
    han = [chr(code) for code in chance.sample(range(0x4E00, 0x9FA5), 3000)]
    letters = "etaoinshrdlu"
    found: dict[str, None] = {}
    while len(found) < WORDS:
        if chance.random() < 0.7:
            found["".join(chance.choices(han, k=chance.choice([1, 2, 2, 2, 3])))] = None
        else:
            found["".join(chance.choices(letters, k=chance.randint(2, 9)))] = None
    return list(found)


def passages(chance: random.Random, words: list[str]) -> list[str]:
    """By Zipf's law: a few words are in most of what is said, most words in hardly anything."""
    weights = [1 / place for place in range(1, len(words) + 1)]
    found = []
    for _ in range(POOL):
        parts = chance.choices(words, weights, k=chance.randint(8, 24))
        found.append(" ".join(parts) if chance.random() < 0.3 else "".join(parts))
    return found


def fill(said: list[str]) -> Any:
    """10,000 conferences of one owner, an hour each; the owner."""
    from django.db import connection

    from apps.conferences.models import Conference
    from apps.minutes.folding import folded, words
    from apps.minutes.models import Minutes, Transcript
    from apps.recordings.models import Track
    from bench.viewers import make_conference

    first, people = make_conference(2, "search")
    owner, person = first.owner, people[0]
    began = datetime(2020, 1, 1, tzinfo=UTC)
    track = Track.objects.create(
        id=first.pk, conference=first, participant=person, leg=first.pk, node=first.node, kind="person", part=1,
        requested_at=began, started_at=began, state="erased",
    )  # fmt: skip
    chance = random.Random(2)
    conferences = Conference.objects.bulk_create(
        [
            Conference(title=f"会议 {number}", owner=owner, node=first.node, ends_at=began, phase="ended")
            for number in range(HOURS)
        ],
        batch_size=500,
    )
    minutes = Minutes.objects.bulk_create(
        [Minutes(conference=each, opened_at=began, state="ready", seq=1, indexed=1) for each in conferences],
        batch_size=500,
    )
    Transcript.objects.bulk_create(
        [
            Transcript(id=each.pk, minutes=each, track=track, start=0, end=3_600_000, starts_at=began, state="done")
            for each in minutes
        ],
        batch_size=500,
    )
    found_by = [words(text) for text in said]
    of_hours = [chance.choices(range(POOL), k=PASSAGES) for _ in minutes]
    with connection.cursor() as cursor:
        # Rows first, and then what finds them: that is several times as fast.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE indexname ~ %s", [INDEXES])
        indexes = dict(cursor.fetchall())
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("CREATE TEMPORARY TABLE pool (number int PRIMARY KEY, sentences jsonb, folded text)")
        with cursor.copy("COPY pool FROM STDIN") as copy:
            for number, text in enumerate(said):
                shown = json.dumps([[0, 5000, text, "good"]], ensure_ascii=False)
                copy.write_row((number, shown, folded(text)))
        cursor.execute("ANALYZE pool")
        for hour, (of, chosen) in enumerate(zip(minutes, of_hours, strict=True)):
            lexemes = sorted(set().union(*(found_by[number] for number in chosen)))
            cursor.execute("INSERT INTO minutes_minuteswords SELECT %s, array_to_tsvector(%s)", [of.pk, lexemes])
            moment = began + timedelta(hours=hour)
            cursor.execute(SAY, [hour * PASSAGES, of.pk, of.pk, track.pk, person.pk, moment, chosen])
        for definition in indexes.values():
            cursor.execute(definition)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("UPDATE conferences_conference SET launched_at = %s + random() * interval '5 years'", [began])
        cursor.execute("VACUUM ANALYZE")
    return owner


def main() -> int:
    report = Report("search")
    chance = random.Random(1)
    vocabulary_ = vocabulary(chance)
    said = passages(chance, vocabulary_)
    with installation(SPARKLE_USER_REQUESTS_PER_MINUTE="1000000"):
        from rest_framework.test import APIRequestFactory, force_authenticate

        from apps.minutes.api.views import SearchView

        owner = fill(said)
        view, factory = SearchView.as_view(), APIRequestFactory()
        places = {word: place for place, word in enumerate(vocabulary_)}
        rare = max(said, key=lambda text: sum(places.get(word, 0) for word in text.split()))
        frequent = [word for word in vocabulary_[50:200] if len(word) > 1]
        apart = next(two for two in combinations(frequent, 2) if not any(all(w in text for w in two) for text in said))
        wanted = {
            "the most frequent word": vocabulary_[0],
            "a frequent one": vocabulary_[30],
            "one of every hour": vocabulary_[500],
            "a rare one": vocabulary_[20_000],
            "two words": f"{vocabulary_[5]} {vocabulary_[200]}",
            "two of every hour that nobody said together, as far as one page looks": " ".join(apart),
            "two rare words": f"{vocabulary_[9_000]} {vocabulary_[12_000]}",
            "one character": next(word for word in vocabulary_[300:] if len(word) == 1),
            "a whole passage": rare,
            "nothing that was said": "量子纠缠 zzyzx",
        }
        for name, text in wanted.items():
            times, hits = [], 0
            for turn in range(ROUNDS + 1):
                request = factory.get("/", {"q": text}, HTTP_HOST="127.0.0.1")
                force_authenticate(request, owner)
                began = time.perf_counter()
                response = view(request)
                response.render()
                if turn:
                    times.append(time.perf_counter() - began)
                hits = len(json.loads(response.content)["results"])
            report.figure(f"{name}: conferences on the first page", str(hits))
            report.at_most(f"{name}: ms", median(times) * 1000, 100)
    return report.status


if __name__ == "__main__":
    sys.exit(main())
