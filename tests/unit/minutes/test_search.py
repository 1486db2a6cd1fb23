"""Finding words in the minutes of many conferences, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference
from apps.minutes.erasing import erase_words
from apps.minutes.models import Minutes, MinutesWords, Passage, Transcript
from apps.minutes.search import index_changed
from tests.factories import Scene, make_scene
from tests.unit.recordings.tracks import BEGAN

from .records import heard

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]

MANY = 150
"""More than one page looks through."""


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended")


def said(scene: Scene, number: int, texts: Sequence[str]) -> Conference:
    """In a conference of the same owner, `number` hours before the first one."""
    first = heard(scene, "Nothing of interest.") if not Passage.objects.exists() else Passage.objects.earliest("pk")
    conference = Conference.objects.create(
        title=f"No. {number}", owner=scene.conference.owner, node=scene.conference.node, phase="ended", ends_at=BEGAN
    )
    Conference.objects.filter(pk=conference.pk).update(launched_at=BEGAN - timedelta(hours=number))
    minutes = Minutes.objects.create(conference=conference, opened_at=BEGAN, state="ready", seq=1)
    for place, text in enumerate(texts):
        times: dict[str, Any] = {"start": place * 1000, "end": place * 1000 + 900, "starts_at": BEGAN}
        original = Transcript.objects.create(id=uuid4(), minutes=minutes, track=first.track, state="done", **times)
        passage = Passage(minutes=minutes, transcript=original, track=first.track, seq=1, **times)
        passage.say([[times["start"], times["end"], text, "good"]])
        passage.save()
    return conference


def indexed() -> None:
    while index_changed():
        pass


def pages(client: APIClient, q: str) -> list[list[str]]:
    """The titles on each page."""
    found, after = [], None
    while after != "":
        body = client.get("/api/v1/minutes/search/", {"q": q, **({"after": after} if after else {})}).json()
        found.append([each["title"] for each in body["results"]])
        after = body["after"]
    return found


@pytest.mark.parametrize("count", [19, 20, 21, 45])
def test_the_newest_first_each_once(scene: Scene, as_user: SignIn, count: int) -> None:
    for number in range(1, count + 1):
        said(scene, number, ["The budget is agreed."])
    indexed()
    titles = [f"No. {number}" for number in range(1, count + 1)]
    expected = [titles[start : start + 20] for start in range(0, count, 20)]
    assert pages(as_user(scene.users["owner"]), "budget") == expected


def test_words_apart_in_many_conferences_do_not_hide_where_they_are_together(scene: Scene, as_user: SignIn) -> None:
    for number in range(1, MANY):
        said(scene, number, ["The budget is agreed.", "The harbour is closed."])
    said(scene, MANY, ["The budget of the harbour."])
    indexed()
    found = pages(as_user(scene.users["owner"]), "budget harbour")
    assert found[0] == []
    assert [title for page in found for title in page] == [f"No. {MANY}"]


def test_what_is_erased_while_it_is_indexed(scene: Scene) -> None:
    """Its words were read before, and come nowhere."""
    person = heard(scene, "The budget is agreed.").participant
    assert person is not None
    Minutes.objects.update(state="ready", seq=1)

    def erased_before(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "INTO minutes_minuteswords" in sql and Passage.objects.exists():
            erase_words(person)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(erased_before):
        assert index_changed()
    assert not MinutesWords.objects.exists()
    indexed()
    assert MinutesWords.objects.get().words == ""


def test_more_words_than_an_index_takes(scene: Scene, as_user: SignIn) -> None:
    """Those that do not fit are found in their own minutes; nobody else's wait for it."""
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 450)]
    said(scene, 1, ["".join(f"{one}{other}" for other in characters) for one in characters])
    said(scene, 2, ["The budget is agreed."])
    indexed()
    assert not Minutes.objects.exclude(seq=F("indexed")).exists()
    assert pages(as_user(scene.users["owner"]), "budget") == [["No. 2"]]
    assert pages(as_user(scene.users["owner"]), characters[0] + characters[1]) == [["No. 1"]]


def test_what_is_not_indexed_yet_is_found_among_the_others(scene: Scene, as_user: SignIn) -> None:
    said(scene, 1, ["The budget."])
    indexed()
    said(scene, 2, ["The budget."])
    assert MinutesWords.objects.filter(minutes__conference__title="No. 2").count() == 0
    assert pages(as_user(scene.users["owner"]), "budget") == [["No. 1", "No. 2"]]
