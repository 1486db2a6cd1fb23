"""A recording of a conference, sealed as the sealer does it: run inside an installation, for tests in browsers.

python -m tests.browser.recorded CONFERENCE SECONDS
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.system.stack import ROOT, Stack

RATE = 16_000
#: From this long a recording on it was paused in the middle, and before that the second one's line was down.
LONG = 120
DOWN = 12.0


def record(stack: Stack, conference: str, seconds: int) -> None:
    """Everybody on its roster speaks by turns; so they do in its first whisper, a short time. In a process of its own:
    this one has another database.
    """
    subprocess.run(
        [sys.executable, "-m", __name__, conference, str(seconds)],
        cwd=ROOT,
        env=os.environ | stack.told() | {"DJANGO_SETTINGS_MODULE": "sparkle.settings"},
        check=True,
        timeout=120,
    )


def turns(people: int, seconds: float, seed: int) -> list[tuple[int, float, float]]:
    """Who speaks, from when to when; on a grid of 20 ms."""
    dice = random.Random(seed)
    found, at, before = [], 0.6, -1
    while at < seconds - 1:
        speaker = dice.choice([each for each in range(people) if each != before or people == 1])
        end = min(seconds - 0.2, at + dice.uniform(1.2, 9))
        found.append((speaker, round(at * 50) / 50, round(end * 50) / 50))
        before, at = speaker, end + dice.choice([-0.4, 0.2, 0.8, 2.5])
    return found


def babble(seconds: float, seed: int) -> NDArray[np.float64]:
    """As loud and soft as speech is: syllables, words, breaths."""
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed)
    loud = np.abs(np.sin(2 * np.pi * 1.9 * time + seed)) * (0.35 + 0.65 * np.abs(np.sin(2 * np.pi * 0.31 * time)))
    grains = np.repeat(noise.uniform(0.1, 1, len(time) // 1600 + 1), 1600)[: len(time)]
    return 9000 * loud * grains * np.sin(2 * np.pi * (140 + 30 * (seed % 7)) * time)


def _samples(spoken: list[tuple[float, float]], seconds: float, seed: int) -> NDArray[np.float64]:
    samples = np.zeros(int(seconds * RATE))
    for start, end in spoken:
        place = int(start * RATE)
        piece = babble(end - start, seed)
        samples[place : place + len(piece)] = piece
    return samples


def _on_the_line(index: int, seconds: float) -> list[tuple[float, float]]:
    """From when to when: the second one is called again, some come late."""
    if index == 1:
        return [(0.0, 20.0), (20.0 + DOWN, seconds)]
    return [(8.0 * index if index > 2 else 0.0, seconds)]


def _record(conference_id: str, seconds: int) -> None:
    from django.utils import timezone

    from apps.conferences.models import Conference, Participant
    from apps.recordings.peaks import keep_peaks
    from tests.unit.recordings.tracks import make_track, path_of, say

    conference = Conference.objects.select_related("node").get(pk=conference_id)
    people = list(Participant.objects.filter(conference=conference).order_by("position"))
    began = timezone.now() - timedelta(seconds=seconds + 1)
    Path(path_of(_nowhere(conference)).parent).mkdir(parents=True, exist_ok=True)

    def keep(samples: NDArray[np.float64], at: float, spoken: list[tuple[float, float]], **fields: Any) -> None:
        begins = began + timedelta(seconds=at)
        ends = begins + timedelta(seconds=len(samples) / RATE)
        data = np.clip(samples, -32_767, 32_767).astype("<i2").tobytes()
        track = make_track(conference, data, started_at=begins, ended_at=ends, **fields)
        keep_peaks(track)
        for start, end in spoken:
            say(track, round(start * 1000), round(end * 1000))

    cuts = [0.0, seconds * 0.45, seconds * 0.55, float(seconds)] if seconds >= LONG else [0.0, float(seconds)]
    stretches = list(pairwise(cuts))[::2]
    for part, (start, end) in enumerate(stretches, 1):
        said = turns(len(people), end - start, part)
        mixed = np.zeros(int((end - start) * RATE))
        for index, person in enumerate(people):
            for since, until in (
                _on_the_line(index, end - start) if part == 1 and seconds >= LONG else [(0.0, end - start)]
            ):
                own = [(a - since, b - since) for who, a, b in said if who == index and since <= a and b <= until]
                samples = _samples(own, until - since, index + 1)
                place = int(since * RATE)
                mixed[place : place + len(samples)] += samples[: len(mixed) - place]
                keep(samples, start + since, own, participant=person, part=part)
        keep(mixed, start, [(a, b) for _, a, b in said], part=part)
    for whisper in conference.whispers.all()[:1]:
        for index, person in enumerate(people[:2]):
            spoken = [(a, b) for speaker, a, b in turns(2, 14, 9) if speaker == index]
            keep(_samples(spoken, 14, index + 1), seconds * 0.47, spoken, participant=person, whisper=whisper)


def _nowhere(conference: Any) -> Any:
    from uuid import UUID

    from apps.recordings.models import Track

    return Track(pk=UUID(int=0), conference=conference)


if __name__ == "__main__":
    import django

    django.setup()
    _record(sys.argv[1], int(sys.argv[2]))
