"""The rules of live control that are not rights: what holds, what lifts what, what the state of things forbids."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.conferences.models import Announcement, Conference, Delta, Participant, Whisper
from apps.conferences.services.actions import perform
from apps.conferences.services.lifecycle import end_conference, start_gathered
from apps.core.errors import Problem
from apps.core.models import AuditEntry
from tests.factories import Scene, add_person, make_extension, make_plan, make_scene, on_extension

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return make_scene(member_may_invite=True, member_may_whisper=True)


def act(scene: Scene, who: str, action: str, **body: Any) -> dict[str, Any]:
    return perform(user=scene.users[who], conference_id=scene.conference.pk, action=action, body=body)


def refused(scene: Scene, who: str, action: str, **body: Any) -> str:
    with pytest.raises(Problem) as problem:
        act(scene, who, action, **body)
    return problem.value.code


def to(*people: Participant) -> list[str]:
    return [str(each.pk) for each in people]


def now(person: Participant) -> Participant:
    return Participant.objects.get(pk=person.pk)


def test_one_click_is_one_number_one_delta_and_one_audit_entry(scene: Scene) -> None:
    people = [scene.others["member"], scene.others["participant"]]
    assert act(scene, "chair", "mute", participants=to(*people))["seq"] == 1
    delta = Delta.objects.get()
    assert (delta.seq, delta.changes) == (1, {"participants": {str(each.pk): {"muted": True} for each in people}})
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.conference_id) == ("mute", "Carol", scene.conference.pk)
    assert entry.detail == {"participants": ["Other member", "Other participant"]}


def test_some_of_several(scene: Scene) -> None:
    boss, low = scene.others["manager"], scene.others["participant"]
    results = act(scene, "chair", "mute", participants=to(boss, low))["results"]
    assert [each["ok"] for each in results] == [False, True]
    assert results[0]["problem"]["code"] == "equal_or_higher_role"
    assert (now(boss).muted, now(low).muted) == (False, True)


def test_groups(scene: Scene) -> None:
    act(scene, "owner", "mute", participants="all_but_chair")
    assert {each.role for each in Participant.objects.filter(muted=True)} == {"member", "participant"}
    act(scene, "chair", "deafen", participants="all")
    assert {each.name for each in Participant.objects.filter(deaf=True)} == {
        "Carol", "Dave", "Erin", "Other member", "Other participant",
    }  # fmt: skip
    assert refused(scene, "participant", "mute", participants="all") == "not_allowed"


def test_forbidden_to_speak(scene: Scene) -> None:
    dave = scene.own["member"]
    act(scene, "chair", "forbid", participants=to(dave))
    assert refused(scene, "member", "unmute", participants=to(dave)) == "speech_forbidden"
    assert refused(scene, "chair", "unmute", participants=to(dave)) == "speech_forbidden"
    act(scene, "chair", "floor", mode="moderated")
    assert refused(scene, "chair", "grant", participants=to(dave)) == "speech_forbidden"
    act(scene, "chair", "allow", participants=to(dave))
    act(scene, "chair", "grant", participants=to(dave))
    assert act(scene, "member", "unmute", participants=to(dave))["results"][0]["ok"]
    act(scene, "chair", "forbid", participants=to(dave))
    assert not now(dave).granted


def test_moderated_floor_and_roll_call(scene: Scene) -> None:
    dave, erin = scene.own["member"], scene.own["participant"]
    assert refused(scene, "chair", "grant", participants=to(dave)) == "not_moderated"
    assert refused(scene, "chair", "call", participant=str(dave.pk)) == "not_roll_call"
    act(scene, "chair", "floor", mode="moderated")
    assert refused(scene, "member", "unmute", participants=to(dave)) == "floor_moderated"
    act(scene, "member", "raise_hand", participants=to(dave))
    act(scene, "chair", "grant", participants=to(dave))
    assert (now(dave).granted, now(dave).hand_raised_at) == (True, None)
    act(scene, "chair", "floor", mode="roll_call")
    assert not now(dave).granted
    assert refused(scene, "member", "unmute", participants=to(dave)) == "floor_roll_call"
    act(scene, "member", "mute", participants=to(dave))
    act(scene, "chair", "call", participant=str(dave.pk))
    assert not now(dave).muted
    assert Conference.objects.get().called_id == dave.pk
    act(scene, "chair", "call", participant=str(erin.pk))
    act(scene, "chair", "forbid", participants=to(erin))
    assert Conference.objects.get().called_id is None
    act(scene, "chair", "call", participant=str(dave.pk))
    act(scene, "chair", "floor", mode="free")
    assert Conference.objects.get().called_id is None


def test_a_chair_hands_the_chair_over(scene: Scene) -> None:
    dave, carol = scene.own["member"], scene.own["chair"]
    assert refused(scene, "chair", "role", participants=to(dave, scene.others["member"]), role="chair") == "invalid"
    act(scene, "chair", "role", participants=to(dave), role="chair")
    assert (now(dave).role, now(carol).role) == ("chair", "member")
    assert refused(scene, "chair", "lock") == "not_allowed"
    act(scene, "member", "lock")


def test_a_member_asks_for_the_chair(scene: Scene) -> None:
    dave, other = scene.own["member"], scene.others["member"]
    for _ in range(2):
        act(scene, "member", "ask_chair", participants=to(dave))
    asked = now(dave).chair_asked_at
    assert asked is not None
    assert Delta.objects.count() == 1
    assert refused(scene, "member", "decline_chair", participants=to(other)) == "not_allowed"
    act(scene, "chair", "decline_chair", participants=to(dave))
    assert now(dave).chair_asked_at is None
    act(scene, "member", "ask_chair", participants=to(dave))
    act(scene, "member", "decline_chair", participants=to(dave))
    assert now(dave).chair_asked_at is None
    act(scene, "member", "ask_chair", participants=to(dave))
    act(scene, "chair", "role", participants=to(dave), role="chair")
    assert (now(dave).role, now(dave).chair_asked_at) == ("chair", None)


def test_a_manager_gives_only_lower_roles_and_loses_rights_with_the_role(scene: Scene) -> None:
    assert (
        refused(scene, "manager", "role", participants=to(scene.own["member"]), role="manager")
        == "equal_or_higher_role"
    )
    act(scene, "owner", "role", participants=to(scene.own["manager"]), role="participant")
    assert refused(scene, "manager", "lock") == "not_allowed"


def test_removed_and_refused(scene: Scene) -> None:
    erin = scene.own["participant"]
    scene.conference.floor_mode, scene.conference.called = "roll_call", erin
    scene.conference.save()
    act(scene, "chair", "remove", participants=to(erin), refuse=True)
    gone = now(erin)
    assert (gone.present, gone.refused, Conference.objects.get().called_id) == (False, True, None)
    assert refused(scene, "member", "redial", participants=to(erin)) == "refused_reentry"
    assert refused(scene, "participant", "redial", participants=to(erin)) == "refused_reentry"
    act(scene, "chair", "redial", participants=to(erin))
    back = now(erin)
    assert (back.present, back.refused, back.round) == (True, False, 2)


def test_redial_and_cancel(scene: Scene) -> None:
    dave, erin = scene.others["member"], scene.others["participant"]
    Participant.objects.filter(pk=dave.pk).update(state="failed", cause="USER_BUSY")
    Participant.objects.filter(pk=erin.pk).update(state="ringing")
    results = act(scene, "chair", "redial", participants="absent")["results"]
    assert [each["participant"] for each in results] == to(dave, erin)
    assert (now(dave).round, now(erin).round) == (2, 1)
    assert refused(scene, "chair", "redial", participants=to(scene.own["member"])) == "already_present"
    assert refused(scene, "chair", "cancel", participants=to(scene.own["member"])) == "already_present"
    act(scene, "chair", "cancel", participants=to(erin))
    assert not now(erin).present


def test_invite(scene: Scene) -> None:
    make_extension("8001"), make_extension("8002")
    Participant.objects.filter(pk=scene.others["member"].pk).update(state="left", numbers=on_extension("8002"))
    numbers = {"new": "8001", "there": "8002", "wrong": "9999"}
    people = [{"name": name, "numbers": [{"number": number}]} for name, number in numbers.items()]
    results = act(scene, "member", "invite", people=[*people, people[0]])["results"]
    assert [each["ok"] for each in results] == [True, True, False, True]
    assert [each.get("redialled") for each in results] == [False, True, None, True]
    assert results[1]["participant"] == str(scene.others["member"].pk)
    assert results[2]["problem"]["errors"][0]["field"] == "people.2.numbers.0"
    assert now(scene.others["member"]).round == 2
    new = Participant.objects.get(name="new")
    assert (new.role, new.present, new.state, new.position) == ("participant", True, "queued", 10)
    assert Participant.objects.count() == 11


def test_invite_from_a_plan(scene: Scene) -> None:
    person = add_person(make_plan(scene.users["owner"]), name="王芳", role="member")
    key = act(scene, "owner", "invite", people=[{"plan_person": str(person.pk)}])["results"][0]["participant"]
    new = Participant.objects.get(pk=key)
    assert (new.name, new.role, new.numbers) == ("王芳", "member", person.numbers)


def test_a_locked_or_full_conference(scene: Scene) -> None:
    make_extension("8001"), make_extension("8002")
    people = [{"name": "New", "numbers": [{"number": "8001"}]}]
    act(scene, "chair", "lock")
    assert refused(scene, "member", "invite", people=people) == "conference_locked"
    act(scene, "chair", "invite", people=people)
    Conference.objects.update(max_participants=11)
    more = [{"name": "New", "numbers": [{"number": "8002"}]}]
    assert refused(scene, "chair", "invite", people=more) == "too_many_participants"
    assert Participant.objects.count() == 11


def test_extend_is_bounded(scene: Scene) -> None:
    before = Conference.objects.get().ends_at
    act(scene, "chair", "extend", minutes=30)
    assert Conference.objects.get().ends_at == before + timedelta(minutes=30)
    assert refused(scene, "chair", "extend", minutes=1440) == "too_long"


def test_whispers(scene: Scene) -> None:
    dave, erin, other = scene.own["member"], scene.own["participant"], scene.others["participant"]
    answer = act(scene, "chair", "whisper_open", participants=to(dave, erin), title="侧谈", soft_main=False)
    whisper = Whisper.objects.get(pk=answer["whisper"])
    assert (whisper.title, whisper.soft_main, whisper.participants.count()) == ("侧谈", False, 2)
    key = str(whisper.pk)
    # Not in it and not its opener: nobody brings themself or an ally in, whatever the role.
    for who in ("owner", "manager"):
        assert refused(scene, who, "whisper_add", whisper=key, participants=to(scene.own[who])) == "not_allowed"
        assert refused(scene, who, "whisper_add", whisper=key, participants=to(other)) == "not_allowed"
    act(scene, "member", "whisper_add", whisper=key, participants=to(other))
    assert refused(scene, "owner", "whisper_open", participants=to(other)) == "in_another_whisper"
    assert Whisper.objects.count() == 1
    act(scene, "participant", "whisper_remove", whisper=key, participants=to(erin))
    act(scene, "owner", "whisper_remove", whisper=key, participants=to(dave, other))
    assert Whisper.objects.get().closed_at is not None
    assert refused(scene, "chair", "whisper_add", whisper=key, participants=to(erin)) == "whisper_closed"


def test_closing_a_whisper_brings_everybody_back(scene: Scene) -> None:
    key = act(scene, "member", "whisper_open", participants=to(scene.own["participant"]))["whisper"]
    Whisper.objects.create(conference=scene.conference, opened_by=scene.users["chair"])
    other = str(Whisper.objects.exclude(pk=key).get().pk)
    assert refused(scene, "member", "whisper_close", whisper=other) == "not_allowed"
    act(scene, "chair", "whisper_close", whisper=key)
    assert now(scene.own["participant"]).whisper_id is None


def test_a_whisper_suspends_floor_rules_but_not_the_ban(scene: Scene) -> None:
    dave = scene.own["member"]
    act(scene, "chair", "floor", mode="moderated")
    act(scene, "member", "whisper_open", participants=to(dave))
    act(scene, "member", "unmute", participants=to(dave))
    act(scene, "chair", "forbid", participants=to(dave))
    assert refused(scene, "member", "unmute", participants=to(dave)) == "speech_forbidden"


def test_announcements_are_spoken_into_a_file_once(scene: Scene, settings: LazySettings, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    act(scene, "chair", "announce", text="会议还有五分钟。")
    act(scene, "chair", "announce", text="会议还有五分钟。", participant=str(scene.own["member"].pk))
    paths = set(Announcement.objects.values_list("path", flat=True))
    assert [str(path) for path in tmp_path.iterdir()] == list(paths)
    assert refused(scene, "member", "announce", text="anything") == "not_allowed"


def test_ending_and_starting(scene: Scene) -> None:
    conference = scene.conference
    conference.phase, conference.started_at, conference.lock_after_start = "gathering", None, True
    conference.save()
    act(scene, "chair", "start")
    conference.refresh_from_db()
    assert (conference.phase, conference.locked) == ("running", True)
    start_gathered(conference.pk)
    end_conference(conference.pk, Conference.EndReason.TIME)
    end_conference(conference.pk, Conference.EndReason.EMPTY)
    conference.refresh_from_db()
    assert (conference.phase, conference.end_reason, conference.seq) == ("ended", "time", 2)
    assert conference.ended_at is not None
    assert conference.ended_at <= timezone.now()
    assert AuditEntry.objects.order_by("id").last().actor_name == ""  # type: ignore[union-attr]
