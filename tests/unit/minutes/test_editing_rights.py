"""Who corrects, signs, exports what: by role, by switch, by whose words they are; whispers only who was in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.guests import COOKIE, cookie_of
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.models import AuditEntry
from apps.minutes.models import Minutes, Passage
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import address, ask, heard, minutes_of, passage_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]
LEADING = ("owner", "manager", "chair")


@pytest.fixture
def scene() -> Scene:
    scene = make_scene(minutes_policy="automatic", phase="ended", participant_may_replay=True)
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, may_export=True)
    return scene


def edits(client: APIClient, passage: Passage, whisper: Whisper | None = None) -> dict[str, Any]:
    """What becomes of each way to change this passage: "" or the code of the problem."""

    def code(status: int, body: Any) -> str:
        return "" if status == 200 else str(body["code"])

    def patch(**values: Any) -> str:
        version = Passage.objects.get(pk=passage.pk).version
        return code(*ask(client, "patch", passage_of(passage, whisper=whisper), {"version": version, **values}))

    def post(action: str, **values: Any) -> str:
        version = Passage.objects.get(pk=passage.pk).version
        where = passage_of(passage, f"{action}/", whisper=whisper)
        return code(*ask(client, "post", where, {"version": version, **values}))

    return {
        "text": patch(text="Two words."),
        "mark": patch(text="Two words more.", mark="decision"),
        "speaker": patch(speaker="Zoe"),
        "hidden": patch(hidden=False),
        "restore": post("restore"),
        "split": post("split", at=3),
        "revisions": code(*ask(client, "get", passage_of(passage, "revisions/", whisper=whisper))),
    }


ALL = dict.fromkeys(("text", "mark", "speaker", "hidden", "restore", "split", "revisions"), "")
NONE = dict.fromkeys(ALL, "not_allowed")
TEXT = {**NONE, "text": "", "restore": "", "revisions": ""}
OFF = {**NONE, **dict.fromkeys(("text", "restore", "revisions"), "switched_off")}


@pytest.mark.parametrize("role", LEADING)
@pytest.mark.parametrize("of", ["owner", "manager", "chair", "member", "participant"])
def test_who_leads_corrects_everybody(scene: Scene, as_user: SignIn, role: str, of: str) -> None:
    """Also those of an equal or higher role: it takes nothing from them."""
    assert edits(as_user(scene.users[role]), heard(scene, "We agree.", role=of)) == ALL


@pytest.mark.parametrize(
    ("role", "of", "able"),
    [
        ("member", "member", TEXT),
        ("member", "participant", NONE),
        ("member", "chair", NONE),
        ("participant", "participant", NONE),
        ("participant", "member", NONE),
        ("outsider", "member", dict.fromkeys(ALL, "not_found")),
    ],
)
def test_others_correct_their_own_words_at_most(
    scene: Scene, as_user: SignIn, role: str, of: str, able: dict[str, str]
) -> None:
    passage = heard(scene, "We agree.", role=of)
    assert edits(as_user(scene.users[role]), passage) == able


def test_own_words_are_a_switch(scene: Scene, as_user: SignIn) -> None:
    passage = heard(scene, "We agree.", role="member")
    member = as_user(scene.users["member"])
    assert "correct_own_words" in ask(member, "get", address(scene))[1]["abilities"]
    assert "correct_minutes" not in ask(member, "get", address(scene))[1]["abilities"]
    OrganisationPolicy.objects.update(member_may_correct_own_words=False)
    assert "correct_own_words" not in ask(member, "get", address(scene))[1]["abilities"]
    assert edits(member, passage) == OFF
    OrganisationPolicy.objects.update(member_may_correct_own_words=True, member_may_replay=False)
    assert set(edits(member, passage).values()) == {"switched_off"}, "who may not read does not write"


def test_mine_is_what_i_am_named_for(scene: Scene, as_user: SignIn) -> None:
    mine, other = heard(scene, "Mine.", role="member"), heard(scene, "Not mine.")
    member, chair = as_user(scene.users["member"]), as_user(scene.users["chair"])

    def own() -> list[str]:
        passages = ask(member, "get", address(scene, "passages/"))[1]["passages"]
        return [text_of(each)[0] for each in passages if each["mine"]]

    assert own() == ["Mine."]
    ask(chair, "patch", passage_of(mine), {"version": 1, "speaker": "Zoe"})
    ask(chair, "patch", passage_of(other), {"version": 1, "participant": str(scene.own["member"].pk)})
    assert own() == ["Not mine."]
    assert ask(member, "patch", passage_of(mine), {"version": 2, "text": "x"})[0] == 403
    assert ask(member, "patch", passage_of(other), {"version": 2, "text": "x"})[0] == 200


def guest(scene: Scene, **fields: Any) -> APIClient:
    Participant.objects.filter(pk=scene.others["participant"].pk).update(guest=True, **fields)
    client = APIClient(headers={"accept-language": "en"})
    client.cookies[COOKIE] = cookie_of(scene.others["participant"])
    return client


def test_a_guest_is_one_of_the_participants(scene: Scene) -> None:
    passage = heard(scene, "We agree.")
    Passage.objects.update(participant=scene.others["participant"])
    client = guest(scene)
    assert ask(client, "get", address(scene, "passages/"))[1]["passages"][0]["mine"] is True
    assert edits(client, passage) == NONE
    Participant.objects.filter(pk=scene.others["participant"].pk).update(role="member")
    assert edits(client, passage) == TEXT
    assert ask(client, "get", passage_of(passage, "revisions/"))[1]["revisions"][0]["by_name"] == "Other participant"


def test_nobody_who_is_not_signed_in(scene: Scene) -> None:
    passage = heard(scene, "We agree.")
    assert set(edits(APIClient(), passage).values()) == {"not_signed_in"}


def test_while_it_runs_who_reads_along_corrects_their_own(scene: Scene, as_user: SignIn) -> None:
    Conference.objects.update(phase="running")
    Minutes.objects.update(state="open")
    assert edits(as_user(scene.users["member"]), heard(scene, "We agree.", role="member")) == TEXT
    Conference.objects.update(lobby="everybody")
    Participant.objects.filter(pk=scene.own["member"].pk).update(admitted=False)
    passage = heard(scene, "We agree.", role="member", start=2000)
    assert set(edits(as_user(scene.users["member"]), passage).values()) == {"not_admitted"}


def export(client: APIClient, scene: Scene, whisper: Whisper | None = None, **query: Any) -> Any:
    return (
        client.get(address(scene, "export/", whisper), query)
        if not whisper
        else client.get(address(scene, "export/"), {"whisper": str(whisper.pk), **query})
    )


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("manager", 200), ("chair", 403), ("member", 403), ("outsider", 404)]
)
def test_who_takes_them_along(scene: Scene, as_user: SignIn, role: str, status: int) -> None:
    heard(scene, "We agree.")
    client = as_user(scene.users[role])
    answer = export(client, scene, format="md")
    assert answer.status_code == status
    entries = AuditEntry.objects.filter(action="export")
    assert [each.detail for each in entries] == ([{"format": "md", "version": None}] if status == 200 else [])
    if role == "manager":
        OrganisationPolicy.objects.update(may_export=False)
        assert export(client, scene).json()["code"] == "switched_off"


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("md", "text/markdown; charset=utf-8"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("srt", "application/x-subrip; charset=utf-8"),
        ("json", "application/json"),
    ],
)
def test_every_form_comes_as_a_file(scene: Scene, as_user: SignIn, kind: str, media: str) -> None:
    Conference.objects.update(title="预算/2026: “Q3”")
    heard(scene, "We agree.")
    heard(scene, "Between us.", start=2000, hidden=True)
    answer = export(as_user(scene.users["owner"]), scene, format=kind)
    assert (answer.status_code, answer["Content-Type"]) == (200, media)
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%E9%A2%84%E7%AE%97_2026_")
    assert answer["Content-Disposition"].endswith(f".{kind}")
    if kind != "docx":
        assert b"We agree." in answer.content
        assert b"Between us." not in answer.content


def test_what_is_asked_for_has_to_be_there(scene: Scene, as_user: SignIn) -> None:
    heard(scene, "We agree.")
    owner = as_user(scene.users["owner"])
    assert export(owner, scene, format="pdf").json()["errors"][0]["field"] == "format"
    assert export(owner, scene, version="2").json()["code"] == "no_such_version"


def test_a_template_that_is_none_is_told(scene: Scene, as_user: SignIn, settings: Any, tmp_path: Any) -> None:
    heard(scene, "We agree.")
    settings.SPARKLE_MINUTES_TEMPLATE = str(tmp_path / "none.docx")
    answer = export(as_user(scene.users["owner"]), scene)
    assert (answer.status_code, answer.json()["code"]) == (503, "template_unusable")


def test_whispers_are_for_who_was_in_them(scene: Scene, as_user: SignIn) -> None:
    """Whatever the role: and with their own role those do what it lets them."""
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"])
    first = heard(scene, "Psst.", role="member", whisper=whisper)
    for role in ("owner", "manager"):
        client = as_user(scene.users[role])
        assert set(edits(client, first, whisper).values()) == {"not_found"}
        assert set(edits(client, first).values()) <= {"not_found", "no_minutes"}, "nor by the main room's address"
        assert export(client, scene, whisper).status_code == 404
        seq = {"seq": minutes_of(scene, whisper).seq}
        assert ask(client, "post", address(scene, "sign/", whisper), seq)[0] == 404
        assert ask(client, "patch", address(scene, "", whisper), {"summary": "x"})[0] == 404
    assert edits(as_user(scene.users["member"]), first, whisper) == TEXT
    second = heard(scene, "Psst?", role="owner", whisper=whisper, start=2000)
    owner = as_user(scene.users["owner"])
    assert edits(owner, first, whisper) == ALL
    assert edits(as_user(scene.users["member"]), second, whisper) == NONE
    answer = export(owner, scene, whisper, format="md")
    assert answer.status_code == 200
    assert "Psst" in answer.content.decode()
    assert not AuditEntry.objects.filter(conference_id=scene.conference.pk).exists(), "others read its log"
