"""How much is given out at once: never so much that nobody hears of the worker for long."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from apps.conferences.models import Conference
from apps.minutes.models import Transcript
from apps.minutes.transcribing import queue

from .meeting import end, recorded, sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("writing")]


def given(conference: Conference, seconds: list[int], give: Callable[[int], list[UUID]]) -> list[list[int]]:
    """Of utterances of so many seconds, those of each group."""
    track = recorded(conference, "Anna", sound([], 1), ago=600)
    at = 0
    for each in seconds:
        track.utterances.create(start=at, end=at + each * 1000)
        at += each * 1000 + 500
    queue.find_work(everything=True)
    if give is queue.next_to_refine:
        end(conference)
        Transcript.objects.update(state="heard")
    groups = []
    while keys := give(8):
        rows = Transcript.objects.filter(pk__in=keys).order_by("start")
        groups.append([(row.end - row.start) // 1000 for row in rows])
        assert {row.attempts for row in rows} == {1}
    assert set(Transcript.objects.values_list("attempts", flat=True)) == {1}
    return groups


@pytest.mark.parametrize("give", [queue.next_live, queue.next_to_refine])
@pytest.mark.parametrize(
    ("seconds", "groups"),
    [
        ([3] * 9, [[3] * 8, [3]]),
        ([10] * 5, [[10, 10], [10, 10], [10]]),
        ([1, 30, 1, 2], [[1], [30], [1, 2]]),
        ([40, 12, 12, 12], [[40], [12, 12], [12]]),
    ],
)
def test_long_ones_are_fewer(
    conference: Conference, seconds: list[int], groups: list[list[int]], give: Callable[[int], list[UUID]]
) -> None:
    assert given(conference, seconds, give) == groups
