"""What was said is where it is in the mix, also after half an hour in which frames got lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
import pytest
from rest_framework.test import APIClient

from apps.conferences.models import Conference
from apps.recordings.drift import Found, follow
from apps.recordings.models import Track
from tests.unit.recordings.half_an_hour import PARTS, SECOND, HalfAnHour
from tests.unit.recordings.recording import Recording, at_once, recording

__all__ = ["at_once", "recording"]

MILLISECOND: Final = timedelta(milliseconds=1)
TOGETHER: Final = 41
"""Milliseconds: two frames, and one for what is rounded."""


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def listed(client: APIClient, conference: Conference, address: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/conferences/{conference.pk}/recording/{address}").json()[key]
    return found


def test_tracks_and_mix_line_up_through_to_the_end(recording: Recording) -> None:
    conference = HalfAnHour(recording)
    conference.run()
    tracks = {track.pk: track for track in Track.objects.all()}
    mixes = [track for track in tracks.values() if track.kind == Track.Kind.MIX]
    assert [mix.aligned for mix in mixes] == [True] * len(PARTS)
    assert max(map(conference.lost, tracks.values())) > 10 * TOGETHER
    client = APIClient()
    client.force_login(recording.conference.owner)
    told = {each["id"]: each for each in listed(client, recording.conference, "", "tracks")}
    heard, apart = [], []
    for said in listed(client, recording.conference, "utterances/?page_size=1000", "results"):
        track, starts, ends = tracks[UUID(said["track"])], instant(said["starts_at"]), instant(said["ends_at"])
        first = conference.moment(track, said["start_ms"])
        last = conference.moment(track, said["start_ms"] + (ends - starts) // MILLISECOND)
        spoken = conference.spoken(track, first, last)
        assert abs(first - spoken.start) < SECOND / 5
        assert abs(last - spoken.end) < SECOND / 3
        heard.append(spoken)
        [mix] = [
            each for each in mixes if each.started_at and each.ended_at and each.started_at < starts < each.ended_at
        ]
        for moment, frame in ((starts, first), (ends, last)):
            place = (moment - instant(told[str(mix.pk)]["started_at"])) / MILLISECOND
            apart.append(place - conference.in_mix(mix, frame))
    assert sorted(each.start for each in heard) == [each.start for each in conference.said if each.is_heard]
    assert len(heard) > 400
    assert np.abs(apart).max() <= TOGETHER
    assert np.mean(np.abs(apart) < 2) > 0.9, "but for those within which frames were lost"
    moved = [abs(conference.lags[said] - lag) for said, lag in conference.live.items()]
    assert len(moved) > 0.95 * len(heard), "most was known while it ran"
    assert np.mean(np.array(moved) < 2) > 0.9
    assert max(moved) <= TOGETHER


def found(*lags: float | None, likeness: float = 0.9) -> list[Found | None]:
    return [None if lag is None else Found(lag, likeness) for lag in lags]


@pytest.mark.parametrize(
    ("lags", "course"),
    [
        (found(60, 60, 60), [60, 60, 60]),
        (found(None, 60.4, None), [60, 60, 60]),
        (found(60, 60, 80, 80, 60, 60), [60, 60, 80, 80, 60, 60]),
        (found(60, 61, 59, 60), [60, 60, 60, 60]),
        (found(60, 60, -120, 60, 60, likeness=0.6), [60, 60, 60, 60, 60]),
        (found(60, 60, 60, 120, likeness=0.6), [60, 60, 60, 60]),
        (found(60, 60, 60, 120, 120, 120, likeness=0.6), [60, 60, 60, 120, 120, 120]),
    ],
)
def test_a_change_is_believed_that_lasts(lags: list[Found | None], course: list[int]) -> None:
    assert follow([5.0 * each for each in range(len(lags))], lags) == course


def test_after_a_long_time_a_change_is_no_surprise() -> None:
    assert follow([0, 5, 10, 1500], found(60, 60, 60, 120, likeness=0.7)) == [60, 60, 60, 120]


def test_nothing_tells_nothing() -> None:
    assert follow([0, 5], [None, None]) is None
    assert follow([], []) is None
