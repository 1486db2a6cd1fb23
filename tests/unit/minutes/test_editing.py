"""Passages are corrected: text, speaker, marks; split, put together, restored; nothing of what was there is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.core.models import AuditEntry
from apps.minutes.models import Minutes, Passage, Revision, Transcript
from apps.minutes.pipeline.result import Confidence, Said, Sentence
from apps.minutes.transcribing.writing import write
from tests.factories import Scene, add_participant, make_conference, make_scene
from tests.unit.minutes.records import address, ask, heard, minutes_of, passage_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended")


@pytest.fixture
def chair(scene: Scene, as_user: SignIn) -> APIClient:
    return as_user(scene.users["chair"])


def edit(client: APIClient, passage: Passage, version: int = 1, **values: Any) -> tuple[int, Any]:
    return ask(client, "patch", passage_of(passage), {"version": version, **values})


def act(client: APIClient, passage: Passage, action: str, version: int = 1, **values: Any) -> tuple[int, Any]:
    return ask(client, "post", passage_of(passage, f"{action}/"), {"version": version, **values})


def fields(body: Any) -> list[str]:
    assert body["code"] == "invalid"
    return [each["field"] for each in body["errors"]]


def test_text_is_corrected_and_each_version_kept(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.", "On the budged.", role="member")
    status, body = edit(chair, passage, text="We agree.\n On  the budget.")
    assert status == 200
    assert body["sentences"][0] == {"start_ms": 0, "end_ms": 1000, "text": "We agree.", "confidence": "check"}
    assert body["sentences"][1] == {"start_ms": 1000, "end_ms": 2000, "text": "On the budget.", "confidence": "good"}
    assert (body["version"], body["seq"], body["edited"], body["mine"]) == (2, minutes_of(scene).seq, True, False)
    assert edit(chair, passage, 2, text="We do not agree.")[0] == 200
    passage.refresh_from_db()
    assert (passage.folded, passage.version) == ("we do not agree.", 3)

    status, body = ask(chair, "get", passage_of(passage, "revisions/"))
    assert [(each["version"], each["by_name"], each["act"]) for each in body["revisions"]] == [
        (2, "Carol", "edit"),
        (3, "Carol", "edit"),
    ]
    assert [each[2] for each in body["revisions"][0]["before"]["sentences"]] == ["We agree.", "On the budged."]
    assert body["revisions"][1]["before"] == body["revisions"][0]["after"]
    assert text_of(body["original"]) == ["We agree.", "On the budged."]
    assert body["original"]["engine"] == "faster-whisper base"
    [entry, _] = AuditEntry.objects.filter(action="minutes_edit")
    assert (entry.conference_id, entry.detail, entry.actor_name) == (
        scene.conference.pk,
        {"fields": ["text"]},
        "Carol",
    )


def test_two_at_once_lose_nothing(scene: Scene, chair: APIClient, as_user: SignIn) -> None:
    passage = heard(scene, "We agree.")
    assert edit(chair, passage, text="We all agree.")[0] == 200
    status, body = edit(as_user(scene.users["owner"]), passage, text="They agree.", hidden=True)
    assert (status, body["code"]) == (409, "passage_outdated")
    assert (text_of(body["passage"]), body["passage"]["version"], body["passage"]["mine"]) == (
        ["We all agree."],
        2,
        False,
    )
    for action, more in (("split", {"at": 3}), ("merge", {}), ("restore", {})):
        assert act(chair, passage, action, **more)[1]["code"] == "passage_outdated"
    assert Revision.objects.count() == 1


def test_what_changes_nothing_is_no_version(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    assert edit(chair, passage, text=" We  agree.", hidden=False, mark="")[1]["version"] == 1
    assert edit(chair, passage)[1]["version"] == 1
    assert not Revision.objects.exists()
    assert not AuditEntry.objects.filter(action="minutes_edit").exists()


def test_somebody_else_said_it(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    other = scene.others["participant"]
    assert edit(chair, passage, participant=str(other.pk))[1]["speaker"] == "Other participant"
    body = edit(chair, passage, 2, speaker="Dr Who")[1]
    assert (body["speaker"], body["participant"]) == ("Dr Who", None)
    body = edit(chair, passage, 3, participant=str(scene.own["chair"].pk))[1]
    assert (body["speaker"], body["mine"]) == ("Carol", True)
    assert fields(edit(chair, passage, 4, participant=str(uuid4()))[1]) == ["participant"]
    assert fields(edit(chair, passage, 4, participant=str(other.pk), speaker="X")[1]) == ["speaker"]
    assert fields(edit(chair, passage, 4, speaker=" ")[1]) == ["speaker"]
    stranger = add_participant(make_conference(scene.users["owner"]))
    assert fields(edit(chair, passage, 4, participant=str(stranger.pk))[1]) == ["participant"]


def test_marks_with_who_and_until_when(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "I write the report.")
    body = edit(chair, passage, mark="task", task_person="Carol", task_due="2026-12-24")[1]
    assert (body["mark"], body["task_person"], body["task_due"]) == ("task", "Carol", "2026-12-24")
    assert edit(chair, passage, 2, task_due=None)[1]["task_due"] is None
    body = edit(chair, passage, 3, mark="decision")[1]
    assert (body["mark"], body["task_person"], body["task_due"]) == ("decision", "", None)
    assert fields(edit(chair, passage, 4, task_person="Dave")[1]) == ["task_person"]
    assert fields(edit(chair, passage, 4, mark="wish")[1]) == ["mark"]
    assert fields(edit(chair, passage, 4, text=" \n")[1]) == ["text"]
    assert fields(ask(chair, "patch", passage_of(passage), {"text": "x"})[1]) == ["version"]


def test_hidden_is_gone_for_who_may_not_correct(scene: Scene, chair: APIClient, as_user: SignIn) -> None:
    passage = heard(scene, "Between us.", role="member")
    assert edit(chair, passage, hidden=True)[1]["hidden"] is True
    member = as_user(scene.users["member"])
    _status, body = ask(member, "get", address(scene, "passages/") + "?since=1")
    assert [(each["removed"], each["sentences"]) for each in body["passages"]] == [(True, [])]
    assert edit(member, passage, 2, text="x")[0] == 404
    assert ask(member, "get", passage_of(passage, "revisions/"))[0] == 404
    assert edit(chair, passage, 2, hidden=False)[0] == 200
    assert edit(member, passage, 3, text="Between us all.")[0] == 200


def test_one_telephone_two_people(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.", "I do not.", start=2000)
    status, body = act(chair, passage, "split", at=10, speaker="Zoe")
    assert status == 200
    first, second = body["passages"]
    assert (text_of(first), first["start_ms"], first["end_ms"], first["version"]) == (["We agree."], 2000, 3000, 2)
    assert (text_of(second), second["start_ms"], second["end_ms"], second["version"]) == (["I do not."], 3000, 4000, 1)
    assert (first["speaker"], second["speaker"], second["seq"]) == ("Carol", "Zoe", first["seq"])
    assert second["starts_at"] == first["ends_at"]
    [made] = Passage.objects.filter(pk=second["id"])
    assert [(each.version, each.act, each.after["from"]) for each in made.revisions.all()] == [
        (1, "split", str(passage.pk))
    ]
    within = act(chair, made, "split", at=1, participant=str(scene.own["member"].pk))[1]["passages"]
    assert [text_of(each) for each in within] == [["I"], ["do not."]]
    assert within[1]["speaker"] == "Dave"
    assert 3000 < within[0]["end_ms"] == within[1]["start_ms"] < 4000
    for at in (0, 2, 60):
        assert fields(act(chair, Passage.objects.get(pk=within[0]["id"]), "split", 2, at=at)[1]) == ["at"]


def test_two_are_put_together(scene: Scene, chair: APIClient) -> None:
    first = heard(scene, "We agree")
    heard(scene, "Hm.", role="member", start=1000)
    second = heard(scene, "on that.", start=3000, mark="decision", hidden=True)
    status, body = act(chair, first, "merge")
    assert status == 200
    merged, removed = body["passages"]
    assert (text_of(merged), merged["end_ms"], merged["mark"]) == (["We agree", "on that."], 4000, "decision")
    assert merged["hidden"], "nothing that was hidden is distributed by this"
    assert (removed["id"], removed["removed"], removed["sentences"]) == (str(second.pk), True, [])
    status, body = edit(chair, second, 1, text="x")
    assert (status, body["code"], body["passage"]["removed"]) == (409, "passage_outdated", True)
    assert edit(chair, second, 2, text="x")[0] == 404
    assert act(chair, first, "merge", 2)[1]["code"] == "nothing_to_merge"
    assert [each.act for each in second.revisions.all()] == ["merged"]


def test_only_one_speaker_is_put_together(scene: Scene, chair: APIClient) -> None:
    first = heard(scene, "We agree")
    second = heard(scene, "on that.", start=3000)
    edit(chair, second, speaker="Zoe")
    assert act(chair, first, "merge")[1]["code"] == "nothing_to_merge"
    edit(chair, first, speaker="Zoe")
    assert act(chair, first, "merge", 2)[0] == 200


def test_the_original_comes_back(scene: Scene, chair: APIClient) -> None:
    first = heard(scene, "We agree today", "on that.")
    second = heard(scene, "Yes.", start=3000)
    edit(chair, first, text="All is new.", speaker="Zoe")
    body = act(chair, first, "restore", 2)[1]
    assert (text_of(body), body["version"], body["speaker"]) == (["We agree today", "on that."], 3, "Zoe")
    parts = act(chair, first, "split", 3, at=9)[1]["passages"]
    assert [text_of(each) for each in parts] == [["We agree"], ["today", "on that."]]
    edit(chair, first, 4, text="They agree")
    other = Passage.objects.get(pk=parts[1]["id"])
    edit(chair, other, text="Tomorrow.")
    assert text_of(act(chair, first, "restore", 5)[1]) == ["We agree"]
    assert text_of(act(chair, other, "restore", 2)[1]) == ["today", "on that."]
    edit(chair, second, speaker="Zoe")
    assert text_of(act(chair, other, "merge", 3)[1]["passages"][0]) == ["today", "on that.", "Yes."]
    edit(chair, other, 4, text="Nothing.")
    assert text_of(act(chair, other, "restore", 5)[1]) == ["today", "on that.", "Yes."]
    Transcript.objects.update(sentences=[])
    assert act(chair, other, "restore", 6)[1]["code"] == "nothing_to_restore"


def test_what_is_signed_stays(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    Minutes.objects.update(state="signed")
    answers = [
        edit(chair, passage, text="x"),
        act(chair, passage, "split", at=3),
        act(chair, passage, "merge"),
        act(chair, passage, "restore"),
        ask(chair, "patch", address(scene), {"summary": "x"}),
    ]
    assert {(status, body["code"]) for status, body in answers} == {(409, "minutes_signed")}


def hears(passage: Passage, text: str) -> None:
    """The engine refines it."""
    said = Said((Sentence(0, 1000, text),), "en", -0.1, Confidence.GOOD)
    write([(Transcript.objects.get(pk=passage.transcript_id), passage.start, said)], "better", live=False)


def test_the_engine_does_not_touch_what_was_corrected(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    assert edit(chair, passage, text="We disagree.")[0] == 200
    hears(passage, "We are green.")
    assert text_of(ask(chair, "get", address(scene, "passages/"))[1]["passages"][0]) == ["We disagree."]
    assert text_of(ask(chair, "get", passage_of(passage, "revisions/"))[1]["original"]) == ["We are green."]
    assert text_of(act(chair, passage, "restore", 2)[1]) == ["We are green."]


def test_what_the_engine_refined_meanwhile_is_not_overwritten(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We are green.")
    hears(passage, "We agree.")
    status, body = edit(chair, passage, text="We are very green.")
    assert (status, text_of(body["passage"])) == (409, ["We agree."])
    assert edit(chair, passage, body["passage"]["version"], text="We all agree.")[0] == 200


def test_the_summary_is_written(scene: Scene, chair: APIClient, as_user: SignIn) -> None:
    heard(scene, "We agree.")
    before = minutes_of(scene).seq
    status, body = ask(chair, "patch", address(scene), {"summary": "All agreed.\nTwo lines."})
    assert (status, body["summary"], body["seq"]) == (200, "All agreed.\nTwo lines.", before + 1)
    assert ask(chair, "patch", address(scene), {"summary": "All agreed.\nTwo lines."})[1]["seq"] == before + 1
    assert ask(as_user(scene.users["member"]), "patch", address(scene), {"summary": ""})[0] == 403


def test_a_repeat_is_done_once(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.", "All.")
    headers = {"Idempotency-Key": "once"}
    body = {"version": 1, "at": 10}
    answers = [chair.post(passage_of(passage, "split/"), body, format="json", headers=headers).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert Passage.objects.count() == 2


def test_there_has_to_be_something(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    missing = Passage(pk=uuid4(), minutes=passage.minutes)
    assert edit(chair, missing, text="x")[0] == 404
    Passage.objects.all().delete()
    Transcript.objects.all().delete()
    Minutes.objects.all().delete()
    assert edit(chair, passage, text="x")[1]["code"] == "no_minutes"
