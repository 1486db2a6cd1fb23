"""Who reads what: minutes, passages as they change, their sound, and what is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Whisper
from apps.core.models import AuditEntry
from apps.minutes.models import Passage
from apps.minutes.search import index_changed
from tests.factories import Scene, make_scene

from .rows import SAID, write

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", title="Quarterly", phase="ended", participant_may_replay=False)


def get(client: APIClient, scene: Scene, path: str = "", **query: Any) -> Any:
    answer = client.get(f"/api/v1/conferences/{scene.conference.pk}/minutes/{path}", query)
    return answer.status_code, answer.json()


def texts(body: Any) -> list[str]:
    return [sentence["text"] for passage in body["passages"] for sentence in passage["sentences"]]


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 200), ("manager", 200), ("chair", 200), ("member", 200), ("participant", 403), ("outsider", 404)],
)
def test_who_reads(scene: Scene, as_user: SignIn, role: str, status: int) -> None:
    write(scene, "We agree on the budget.")
    client = as_user(scene.users[role])
    assert get(client, scene)[0] == status
    got, body = get(client, scene, "passages/")
    assert got == status
    if status == 200:
        assert texts(body) == ["We agree on the budget."]
        assert body["passages"][0]["speaker"] == "Carol"


def test_while_it_runs_all_who_are_in_read_along(scene: Scene, as_user: SignIn) -> None:
    Conference.objects.update(phase="running")
    write(scene, "We agree.")
    participant = as_user(scene.users["participant"])
    assert texts(get(participant, scene, "passages/")[1]) == ["We agree."]
    assert get(as_user(scene.users["outsider"]), scene, "passages/")[0] == 404
    Conference.objects.update(captions=False)
    assert get(participant, scene, "passages/")[0] == 403
    assert get(as_user(scene.users["member"]), scene, "passages/")[0] == 200


def test_who_waits_in_the_lobby_reads_nothing(scene: Scene, as_user: SignIn) -> None:
    Conference.objects.update(phase="running", lobby="everybody")
    write(scene, "We agree.")
    scene.own["participant"].admitted = False
    scene.own["participant"].save()
    assert get(as_user(scene.users["participant"]), scene, "passages/")[0] == 403


def test_a_whisper_is_for_those_who_were_in_it(scene: Scene, as_user: SignIn) -> None:
    whisper = Whisper.objects.create(conference=scene.conference, title="aside", opened_by=scene.users["owner"])
    write(scene, "In the open.")
    passage = write(scene, "Between us.", role="member", whisper=whisper)
    index_changed()
    member, owner = as_user(scene.users["member"]), as_user(scene.users["owner"])
    assert texts(get(member, scene, "passages/", whisper=whisper.pk)[1]) == ["Between us."]
    assert texts(get(member, scene, "passages/")[1]) == ["In the open."]
    assert get(member, scene)[1]["whispers"] == [{"id": str(whisper.pk), "title": "aside"}]
    # The owner opened it and was not in it.
    assert get(owner, scene, "passages/", whisper=whisper.pk)[0] == 404
    assert get(owner, scene)[1]["whispers"] == []
    assert get(owner, scene, "search/", q="between")[1] == []
    assert owner.get("/api/v1/minutes/search/?q=between").json()["results"] == []
    assert (
        owner.get(f"/api/v1/conferences/{scene.conference.pk}/minutes/passages/{passage.pk}/audio/").status_code == 404
    )
    assert len(get(member, scene, "search/", q="between")[1]) == 1
    assert member.get("/api/v1/minutes/search/?q=between").json()["results"][0]["count"] == 1


def test_what_is_hidden_is_told_to_those_who_may_correct_it(scene: Scene, as_user: SignIn) -> None:
    write(scene, "Nobody needs to know.", hidden=True)
    shown = write(scene, "All may know.")
    index_changed()
    chair, member = as_user(scene.users["chair"]), as_user(scene.users["member"])
    assert len(texts(get(chair, scene, "passages/")[1])) == 2
    assert texts(get(member, scene, "passages/")[1]) == ["All may know."]
    assert get(member, scene, "search/", q="nobody")[1] == []
    assert member.get("/api/v1/minutes/search/?q=nobody").json()["results"] == []
    # Who had it before is told that it is gone, and not what it says.
    first = get(member, scene, "passages/")[1]["next"]
    shown.hidden = True
    shown.seq = 9
    shown.save()
    told = get(member, scene, "passages/", since=first)[1]["passages"]
    assert [(each["id"], each["removed"], each["sentences"]) for each in told] == [(str(shown.pk), True, [])]


def test_changes_are_told_page_by_page_and_once(scene: Scene, as_user: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.minutes.api.views.MOST_PASSAGES", 2)
    for number in range(5):
        write(scene, f"Point {number}.", start=number * 500)
    Passage.objects.update(seq=7)  # all with one change
    client = as_user(scene.users["chair"])
    found: list[str] = []
    since, more = "0", True
    while more:
        body = get(client, scene, "passages/", since=since)[1]
        found += texts(body)
        since, more = body["next"], body["more"]
    assert sorted(found) == [f"Point {number}." for number in range(5)]
    assert get(client, scene, "passages/", since=since)[1]["passages"] == []


@pytest.mark.parametrize("since", ["x", "1.x", "-", "1.2.3"])
def test_a_bad_place_is_named(scene: Scene, as_user: SignIn, since: str) -> None:
    status, body = get(as_user(scene.users["chair"]), scene, "passages/", since=since)
    assert (status, [each["field"] for each in body["errors"]]) == (400, ["since"])


def test_the_very_words_are_heard_and_noted(scene: Scene, as_user: SignIn) -> None:
    passage = write(scene, "We agree.", start=1000)
    client = as_user(scene.users["chair"])
    address = f"/api/v1/conferences/{scene.conference.pk}/minutes/passages/{passage.pk}/audio/"
    answer: Any = client.get(address)
    assert b"".join(answer.streaming_content)[44:] == SAID[32_000:64_000]
    answer = client.get(address, {"start": 1500, "end": 1600})
    assert b"".join(answer.streaming_content)[44:] == SAID[48_000:51_200]
    assert AuditEntry.objects.filter(action="listen").count() == 2
    # Nothing beyond the passage is heard by its address.
    answer = client.get(address, {"start": 0, "end": 4000})
    assert b"".join(answer.streaming_content)[44:] == SAID[32_000:64_000]
    Conference.objects.update(member_may_replay=False)
    assert as_user(scene.users["member"]).get(address).status_code == 403


def test_attendance_progress_and_engine(scene: Scene, as_user: SignIn) -> None:
    write(scene, "We agree.")
    status, body = get(as_user(scene.users["chair"]), scene)
    assert status == 200
    assert {each["name"] for each in body["attendees"]} >= {"Carol", "Dave"}
    assert body["progress"]["done"] == 1
    assert body["engine"] == "no_worker"
    assert "correct_minutes" in body["abilities"]


def test_before_anything_was_recorded_it_says_so(scene: Scene, as_user: SignIn) -> None:
    status, body = get(as_user(scene.users["chair"]), scene)
    assert (status, body["state"], body["id"]) == (200, "none", None)
    assert get(as_user(scene.users["chair"]), scene, "passages/")[1]["passages"] == []


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("预算", True),
        ("预", True),
        ("算", True),
        ("一千二百万", True),
        ("budg", True),
        ("BUDGET", True),
        ("ＢＵＤＧＥＴ", True),
        ("budget 预算", True),
        ("budget 利润", False),
        ("算预", False),
        ("100%", False),
        ("%", False),
        ("'; DROP", False),
    ],
)
def test_words_are_found_in_both_languages(scene: Scene, as_user: SignIn, q: str, found: bool) -> None:
    write(scene, "今年的预算是一千二百万，budget 已经批准。")
    index_changed()
    client = as_user(scene.users["member"])
    everywhere = client.get("/api/v1/minutes/search/", {"q": q}).json()
    assert [each["title"] for each in everywhere["results"]] == (["Quarterly"] if found else [])
    assert bool(get(client, scene, "search/", q=q)[1]) is found
    assert as_user(scene.users["participant"]).get("/api/v1/minutes/search/", {"q": q}).json()["results"] == []
    assert as_user(scene.users["outsider"]).get("/api/v1/minutes/search/", {"q": q}).json()["results"] == []


def test_what_was_said_a_moment_ago_is_found_before_it_is_indexed(scene: Scene, as_user: SignIn) -> None:
    write(scene, "We agree.")
    client = as_user(scene.users["member"])
    assert client.get("/api/v1/minutes/search/", {"q": "agree"}).json()["results"][0]["count"] == 1
