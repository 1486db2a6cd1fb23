"""What the chair signs is kept with its chain: it verifies, and whatever is changed afterwards is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.models import Conference, Participant, Whisper
from apps.core import audit
from apps.core.models import AuditEntry
from apps.minutes.chain import chain, erased
from apps.minutes.models import Minutes, Passage, Revision, SignedVersion, Transcript
from apps.minutes.search import index_changed
from apps.recordings.erasing import erase_voice
from apps.recordings.models import Track
from tests.factories import Scene, make_scene
from tests.unit.minutes.records import address, ask, heard, minutes_of, passage_of, text_of, track_of
from tests.unit.recordings.tracks import make_track, path_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SignIn = Callable[[User], APIClient]


@pytest.fixture
def scene() -> Scene:
    return make_scene(minutes_policy="automatic", phase="ended", title="Budget")


@pytest.fixture
def chair(scene: Scene, as_user: SignIn) -> APIClient:
    return as_user(scene.users["chair"])


def sign(client: APIClient, scene: Scene, whisper: Whisper | None = None) -> tuple[int, Any]:
    return ask(client, "post", address(scene, "sign/", whisper), {"seq": minutes_of(scene, whisper).seq})


def verify(*which: Any) -> str:
    """What the command says; raises CommandError."""
    out = StringIO()
    call_command("minutes", "verify", *map(str, which), stdout=out)
    return out.getvalue()


def complaints(*which: Any) -> str:
    errors = StringIO()
    with pytest.raises(CommandError):
        call_command("minutes", "verify", *map(str, which), stdout=StringIO(), stderr=errors)
    return errors.getvalue()


def exported(client: APIClient, scene: Scene, kind: str = "json", version: int | None = 1) -> bytes:
    query = f"?format={kind}" + (f"&version={version}" if version else "")
    answer: Any = client.get(address(scene, "export/") + query)
    assert answer.status_code == 200, answer.content
    content: bytes = answer.content
    return content


def test_what_was_seen_is_signed(scene: Scene, chair: APIClient, as_user: SignIn) -> None:
    passage = heard(scene, "We agree.")
    heard(scene, "So do I.", role="member", start=2000)
    seen = ask(chair, "get", address(scene))[1]
    assert "sign_minutes" in seen["abilities"]
    ask(as_user(scene.users["owner"]), "patch", passage_of(passage), {"version": 1, "text": "We do not."})
    status, body = ask(chair, "post", address(scene, "sign/"), {"seq": seen["seq"]})
    assert (status, body["code"], body["seq"]) == (409, "minutes_changed", seen["seq"] + 1)
    status, body = ask(chair, "post", address(scene, "sign/"), {"seq": seen["seq"] + 1})
    assert (status, body["state"], body["seq"]) == (200, "signed", seen["seq"] + 2)
    [version] = body["versions"]
    assert (version["number"], version["signed_name"]) == (1, "Carol")
    assert re.fullmatch("[0-9a-f]{64}", version["digest"])
    assert sign(chair, scene)[1]["code"] == "minutes_signed"
    entry = AuditEntry.objects.get(action="minutes_sign")
    assert entry.detail == {"version": 1, "digest": version["digest"]}
    kept = SignedVersion.objects.get().document
    assert [[said["text"] for said in each["sentences"]] for each in kept["passages"]] == [["We do not."], ["So do I."]]
    assert {each["speaker"] for each in kept["signed"]["tracks"]} == {"Carol", "Dave"}
    assert len(kept["signed"]["control"]) == AuditEntry.objects.filter(action="minutes_edit").count() == 1


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("chair", 200), ("member", 403)])
def test_who_signs(scene: Scene, as_user: SignIn, role: str, status: int) -> None:
    heard(scene, "We agree.")
    client = as_user(scene.users[role])
    assert sign(client, scene)[0] == status
    Minutes.objects.update(state="signed")
    assert ask(client, "post", address(scene, "reopen/"))[0] == status


def test_they_are_taken_up_again(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    assert ask(chair, "post", address(scene, "reopen/"))[1]["code"] == "minutes_not_signed"
    sign(chair, scene)
    assert ask(chair, "post", address(scene, "reopen/"))[1]["state"] == "ready"
    assert ask(chair, "patch", passage_of(passage), {"version": 1, "text": "We disagree."})[0] == 200
    assert [each["number"] for each in sign(chair, scene)[1]["versions"]] == [1, 2]
    texts = [each.document["passages"][0]["sentences"][0]["text"] for each in SignedVersion.objects.all()]
    assert texts == ["We agree.", "We disagree."]
    assert verify(scene.conference.pk).count(": fits.") == 2


def test_what_is_still_written_is_not_signed(scene: Scene, chair: APIClient) -> None:
    heard(scene, "We agree.")
    Minutes.objects.update(state="open")
    assert sign(chair, scene)[1]["code"] == "minutes_open"


def test_what_cannot_be_read_is_named(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    path_of(passage.track).unlink()
    status, body = sign(chair, scene)
    assert (status, body["code"]) == (409, "evidence_missing")
    assert "Carol" in body["detail"]
    assert [(each["name"], each["code"]) for each in body["tracks"]] == [("Carol", "recording_damaged")]
    for state, code in (("live", "still_recorded"), ("mixing", "still_mixed")):
        Track.objects.update(state=state)
        assert sign(chair, scene)[1]["tracks"][0]["code"] == code
    Track.objects.update(state="erased")
    assert sign(chair, scene)[0] == 200
    assert [each["sha256"] for each in SignedVersion.objects.get().document["signed"]["tracks"]] == ["erased"]
    assert "fits." in verify()


def test_listening_is_nobodys_business(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.")
    assert chair.get(passage_of(passage, "audio/")).status_code == 200
    assert AuditEntry.objects.filter(action="listen").exists()
    sign(chair, scene)
    assert SignedVersion.objects.get().document["signed"]["control"] == []


def tampered(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def test_whatever_is_changed_is_told(scene: Scene, chair: APIClient) -> None:
    passage = heard(scene, "We agree.", "On all.")
    ask(chair, "patch", passage_of(passage), {"version": 1, "text": "We agree. On that."})
    sign(chair, scene)
    assert "fits." in verify()
    assert "fits." in verify(scene.conference.pk)

    file = path_of(passage.track)
    sealed = file.read_bytes()
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert "is not the file that was signed" in complaints()
    file.unlink()
    assert "cannot be read" in complaints()
    file.write_bytes(sealed)
    assert "fits." in verify()

    kept = SignedVersion.objects.get()
    whole = json.dumps(kept.document)
    for old, new, told in (
        ("On that.", "On this.", "Passage 1 does not fit"),
        ("Budget", "Budged", "The header"),
        ('"kind": "person"', '"kind": "mix"', "Track 1 does not fit"),
    ):
        assert old in whole
        kept.document = json.loads(whole.replace(old, new))
        kept.save()
        assert told in complaints()
    kept.document = json.loads(whole)
    kept.save()
    assert "fits." in verify()

    tampered("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
    AuditEntry.objects.filter(action="minutes_edit").update(actor_name="Mallory")
    assert "control entry 1" in complaints()


def test_all_written_anew_does_not_fit_the_log(scene: Scene, chair: APIClient) -> None:
    """Whoever may write to the database makes a chain of their own; the log cannot be made to fit."""
    heard(scene, "We agree.")
    sign(chair, scene)
    kept = SignedVersion.objects.get()
    kept.document["passages"][0]["sentences"][0]["text"] = "We disagree."
    header = {key: value for key, value in kept.document.items() if key not in {"passages", "digest", "signed"}}
    facts = kept.document["signed"]
    items = [{"track": each} for each in facts["tracks"]] + [{"control": each} for each in facts["control"]]
    items += [{"passage": each} for each in kept.document["passages"]]
    facts["chain"] = chain(header, items)
    kept.digest = kept.document["digest"] = facts["chain"][-1]
    kept.save()
    assert "The log tells of another digest" in complaints()


def test_an_exported_file_is_verified(scene: Scene, chair: APIClient, as_user: SignIn, tmp_path: Path) -> None:
    heard(scene, "We agree.")
    hidden = heard(scene, "Between us.", role="member", start=2000, hidden=True)
    sign(chair, scene)
    owner = as_user(scene.users["owner"])
    data = exported(owner, scene)
    assert b"We agree." in data
    assert b"Between us." not in data
    file = tmp_path / "minutes.json"
    file.write_bytes(data)
    said = verify(file)
    assert "1 passages are not distributed" in said
    assert "signed by Carol" in said
    file.write_bytes(data.replace(b"We agree.", b"I  agree."))
    assert "Passage 1 does not fit" in complaints(file)
    document = json.loads(data)
    document["passages"][0] = {"erased": "0" * 64}
    file.write_bytes(json.dumps(document).encode())
    assert "does not fit" in complaints(file)
    # The right hash, but nobody's voice was erased.
    document["passages"][0] = erased(json.loads(data)["passages"][0])
    file.write_bytes(json.dumps(document).encode())
    assert "1 passages are said to be erased, 0 were" in complaints(file)
    assert hidden.hidden
    SignedVersion.objects.all().delete()
    file.write_bytes(data)
    assert "nothing with its digest was signed here" in verify(file)
    file.write_text("[]")
    assert "These are no signed minutes" in complaints(file)
    with pytest.raises(CommandError, match="Give a conference's ID, or a file"):
        verify(tmp_path / "none.json")


def erase(scene: Scene, person: Participant) -> None:
    Conference.objects.update(phase="ended")
    erase_voice(by=audit.SYSTEM, conference_id=scene.conference.pk, participant_id=person.pk)


def everything() -> str:
    """All that the database has of minutes, as text."""
    rows: list[Any] = []
    for model in (Minutes, Transcript, Passage, Revision, SignedVersion):
        rows += model.objects.values()
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer::text FROM core_idempotencyrecord")
        rows += cursor.fetchall()
    return repr(rows)


def test_with_the_voice_go_the_words(scene: Scene, chair: APIClient, as_user: SignIn, tmp_path: Path) -> None:
    stays = heard(scene, "We agree.")
    goes = heard(scene, "Banana forever.", "Twice.", role="member", start=2000)
    make_track(scene.conference, bytes(640_000))
    chair.post(
        passage_of(goes, "split/"),
        {"version": 1, "at": 6, "speaker": "Zoe"},
        format="json",
        headers={"Idempotency-Key": "x"},
    )
    sign(chair, scene)
    owner = as_user(scene.users["owner"])
    before = exported(owner, scene)
    index_changed()
    since = ask(chair, "get", address(scene, "passages/"))[1]["next"]
    assert "anana" in everything()
    erase(scene, scene.own["member"])
    assert "anana" not in everything()
    assert "orever" not in everything(), "whoever was named as its speaker: its sound is gone, too"
    assert str(goes.pk) not in everything(), "with its id, the hash of a short passage could be guessed"
    found = ask(chair, "get", address(scene, "passages/") + f"?since={since}")[1]
    assert (found["whole"], [each["id"] for each in found["passages"]]) == (True, [str(stays.pk)])
    again = ask(chair, "get", address(scene, "passages/") + f"?since={found['next']}")[1]
    assert (again["whole"], again["passages"]) == (False, [])
    assert ask(chair, "get", address(scene, "search/") + "?q=banana")[1] == []
    said = verify()
    assert "2 passages were erased since" in said
    assert "(Dave) was erased since" in said
    assert "(mix) was erased since" in said
    after = exported(owner, scene)
    assert b"anana" not in after
    file = tmp_path / "minutes.json"
    for data, count in ((before, 0), (after, 2)):
        file.write_bytes(data)
        assert f"2 passages were erased here since, {count} of them" in verify(file)
    assert "2 passages were erased after" in exported(owner, scene, "md").decode()
    erase(scene, scene.own["member"])
    assert "fits." in verify()


def test_words_on_anothers_line_go_too(scene: Scene, chair: APIClient) -> None:
    """Dave spoke on Carol's telephone: what is hers stays, in the version in which it was told apart."""
    passage = heard(scene, "We agree.", "Banana.", "Fine.", start=2000)
    sign(chair, scene)
    ask(chair, "post", address(scene, "reopen/"))
    body = ask(
        chair,
        "post",
        passage_of(passage, "split/"),
        {"version": 1, "at": 10, "participant": str(scene.own["member"].pk)},
    )[1]
    second = Passage.objects.get(pk=body["passages"][1]["id"])
    third = ask(
        chair, "post", passage_of(second, "split/"), {"version": 1, "at": 8, "participant": str(scene.own["chair"].pk)}
    )[1]["passages"][1]
    sign(chair, scene)
    erase(scene, scene.own["member"])
    assert "anana" not in everything()
    left = ask(chair, "get", address(scene, "passages/"))[1]["passages"]
    assert [text_of(each) for each in left] == [["We agree."], ["Fine."]]
    kept = [version.document["passages"] for version in SignedVersion.objects.all()]
    assert [[sorted(each) == ["erased"] for each in passages] for passages in kept] == [[True], [False, True, False]]
    assert verify().count(": fits.") == 2
    ask(chair, "post", address(scene, "reopen/"))
    third_row = Passage.objects.get(pk=third["id"])
    assert ask(chair, "post", passage_of(third_row, "restore/"), {"version": 1})[1]["code"] == "nothing_to_restore"
    assert not Revision.objects.exists()


def test_a_hidden_passage_is_erased_in_the_chain_as_it_was_signed(scene: Scene, chair: APIClient) -> None:
    heard(scene, "We agree.")
    heard(scene, "Banana.", role="member", start=2000, hidden=True)
    sign(chair, scene)
    erase(scene, scene.own["member"])
    assert "anana" not in everything()
    assert "fits." in verify()


def test_whispers_of_theirs_go_too(scene: Scene, as_user: SignIn) -> None:
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["chair"])
    heard(scene, "Banana.", role="member", whisper=whisper)
    heard(scene, "Quite.", role="chair", whisper=whisper, start=1000)
    chair = as_user(scene.users["chair"])
    assert sign(chair, scene, whisper)[0] == 200
    assert AuditEntry.objects.get(action="minutes_sign").conference_id is None, "others read the conference's log"
    erase(scene, scene.own["member"])
    assert "anana" not in everything()
    assert ", whisper " in verify()


def test_nothing_of_others_is_touched(scene: Scene, chair: APIClient) -> None:
    heard(scene, "We agree.")
    track_of(scene, scene.own["member"])
    before = everything()
    erase(scene, scene.own["member"])
    assert everything() == before


@pytest.fixture(autouse=True)
def _may_export(scene: Scene) -> None:
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, may_export=True)
