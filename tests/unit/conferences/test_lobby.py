"""The lobby: who waits, who lets in and what follows, who sees what meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings

from apps.accounts.models import Lobby, OrganisationPolicy
from apps.conferences.actors import Guest, actors_in_conference
from apps.conferences.errors import InLobby, NotAdmitted, NotWaiting
from apps.conferences.models import Announcement, Attempt, Conference, GuestLink, Participant, Whisper
from apps.conferences.selectors import actor_for, participants_of, with_abilities_to
from apps.conferences.services.actions import perform
from apps.conferences.services.arrivals import arrive
from apps.conferences.services.guests import enter
from apps.conferences.services.joining import join
from apps.conferences.services.launch import launch
from apps.core import audit
from apps.core.errors import Invalid, NotAllowed, Problem
from apps.switch.models import BrowserAccount
from tests.factories import Scene, add_participant, add_person, make_extension, make_guest_link, make_plan, make_scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sounds(settings: LazySettings, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path


@pytest.fixture
def scene() -> Scene:
    make_extension("8001")
    return make_scene(lobby="everybody")


def act(scene: Scene, action: str, who: str = "owner", **body: Any) -> Any:
    return perform(user=scene.users[who], conference_id=scene.conference.pk, action=action, body=body)


def come(scene: Scene, participant: Participant) -> str:
    """Somebody calls with a browser; the kind of room that they are put into, and how."""
    account = BrowserAccount.objects.filter(join__participant=participant, revoked_at=None).first()
    if account is None:
        user: Any = participant.user or Guest(participant.pk, scene.conference.pk, participant.name)
        account = join(by=audit.By(participant.user), user=user, conference_id=scene.conference.pk).account
    place = arrive(account=account.name, leg=uuid4(), node=scene.conference.node_id)
    flags = "+".join(sorted(place.flags))
    return {"c": "main", "l": "lobby"}[place.room.name[0]] + (f"+{flags}" if flags else "")


def guest(scene: Scene, name: str = "王 工") -> Participant:
    GuestLink.objects.all().delete()
    token = make_guest_link(scene.conference)
    _, participant = enter(token=token, name=name, pin="123456", caller=None, address="10.0.0.1")
    assert participant is not None
    return participant


def fresh(participant: Participant) -> Participant:
    return Participant.objects.get(pk=participant.pk)


def was_in(participant: Participant) -> None:
    """A call to them was answered and put into the conference."""
    Attempt.objects.create(
        leg=uuid4(),
        conference=participant.conference,
        participant=participant,
        round=participant.round,
        ordinal=9,
        number_index=0,
        kind="mobile",
        stored_at="2026-01-01T00:00Z",
        joined_at="2026-01-01T00:00Z",
    )


def mode(scene: Scene, lobby: str) -> None:
    Conference.objects.filter(pk=scene.conference.pk).update(lobby=lobby)
    scene.conference.refresh_from_db()


@pytest.mark.parametrize(
    ("lobby", "role", "place"),
    [
        ("off", "guest", "main"),
        ("off", "member", "main"),
        ("guests", "guest", "lobby+mute"),
        ("guests", "member", "main"),
        ("everybody", "guest", "lobby+mute"),
        ("everybody", "participant", "lobby+mute"),
        ("everybody", "member", "lobby+mute"),
        ("everybody", "chair", "main+moderator"),
        ("everybody", "owner", "main+moderator"),
    ],
)
def test_who_comes_by_themself_waits_where_the_lobby_is_for_them(
    scene: Scene, lobby: str, role: str, place: str
) -> None:
    mode(scene, lobby)
    person = guest(scene) if role == "guest" else scene.own[role]
    assert come(scene, person) == place
    assert fresh(person).admitted is (not place.startswith("lobby"))


def test_a_gathering_conference_makes_nobody_in_the_lobby_deaf(scene: Scene) -> None:
    Conference.objects.update(phase="gathering")
    assert come(scene, scene.own["member"]) == "lobby+mute"


def test_who_was_in_comes_back_without_waiting_until_somebody_removes_them(scene: Scene) -> None:
    member = scene.own["member"]
    was_in(member)
    assert come(scene, member) == "main"
    act(scene, "remove", participants=[str(member.pk)])
    assert come(scene, member) == "lobby+mute"
    act(scene, "admit", participants=[str(member.pk)])
    assert come(scene, member) == "main"


def test_who_leaves_by_themself_may_come_back(scene: Scene) -> None:
    visitor = guest(scene)
    assert come(scene, visitor) == "lobby+mute"
    act(scene, "admit", "chair", participants=[str(visitor.pk)])
    perform(
        user=Guest(visitor.pk, scene.conference.pk, visitor.name),
        conference_id=scene.conference.pk,
        action="remove",
        body={"participants": [str(visitor.pk)]},
    )
    assert come(scene, visitor) == "main"


def test_one_several_and_all_are_admitted_again_and_again(scene: Scene) -> None:
    three = [guest(scene, name) for name in ("A", "B", "C")]
    for each in three:
        come(scene, each)
    first = act(scene, "admit", "chair", participants=[str(three[0].pk)])
    assert act(scene, "admit", "chair", participants=[str(three[0].pk)])["seq"] == first["seq"], "nothing changed"
    results = act(scene, "admit", participants="waiting")["results"]
    assert {each["participant"] for each in results} == {str(each.pk) for each in three[1:]}
    assert all(fresh(each).admitted for each in three)
    assert act(scene, "admit", participants="waiting")["results"] == []


def test_all_who_wait_are_not_those_who_are_away(scene: Scene) -> None:
    away = scene.others["member"]
    act(scene, "remove", participants=[str(away.pk)])
    come(scene, scene.own["member"])
    act(scene, "admit", participants="waiting")
    assert fresh(scene.own["member"]).admitted
    assert not fresh(away).admitted


def test_who_is_refused_is_gone_until_they_are_let_back(scene: Scene) -> None:
    visitor = guest(scene)
    come(scene, visitor)
    seq = act(scene, "refuse", "chair", participants=[str(visitor.pk)])["seq"]
    assert act(scene, "refuse", "chair", participants=[str(visitor.pk)])["seq"] == seq
    visitor = fresh(visitor)
    assert (visitor.present, visitor.refused, visitor.admitted) == (False, True, False)
    assert not Announcement.objects.exists(), "their page says it"
    with pytest.raises(Problem):
        come(scene, visitor)
    act(scene, "admit", "chair", participants=[str(visitor.pk)])
    assert come(scene, visitor) == "main"


def test_who_is_refused_at_a_telephone_is_told_in_the_language_of_the_conference(scene: Scene) -> None:
    Conference.objects.update(prompt_language="en")
    phone = scene.others["participant"]
    Participant.objects.filter(pk=phone.pk).update(admitted=False, observed_room=f"l-{scene.conference.pk.hex}")
    act(scene, "refuse", participants=[str(phone.pk)])
    said = Announcement.objects.get()
    assert (said.participant_id, said.text) == (phone.pk, "Sorry, the host did not let you in.")
    assert Path(said.path).exists()


def test_nobody_inside_is_refused(scene: Scene) -> None:
    with pytest.raises(NotWaiting):
        act(scene, "refuse", participants=[str(scene.others["member"].pk)])
    mode(scene, "guests")
    Participant.objects.filter(pk=scene.others["member"].pk).update(admitted=False)
    with pytest.raises(NotWaiting):
        act(scene, "refuse", participants=[str(scene.others["member"].pk)])


def test_who_becomes_chair_is_in(scene: Scene) -> None:
    member = scene.own["member"]
    come(scene, member)
    act(scene, "role", participants=[str(member.pk)], role="chair")
    act(scene, "role", participants=[str(member.pk)], role="member")
    assert fresh(member).admitted


def test_the_lobby_is_changed_while_it_runs(scene: Scene) -> None:
    visitor, member = guest(scene), scene.own["member"]
    come(scene, visitor)
    come(scene, member)
    act(scene, "lobby", "chair", mode="guests")
    assert (fresh(visitor).admitted, fresh(member).admitted) == (False, True), "it is for guests only"
    act(scene, "lobby", "chair", mode="off")
    assert fresh(visitor).admitted
    act(scene, "lobby", "chair", mode="everybody")
    assert {fresh(visitor).admitted, fresh(member).admitted} == {True}, "nobody is sent out"
    assert come(scene, scene.own["participant"]) == "lobby+mute"


def test_the_organisation_asks_for_a_lobby(scene: Scene) -> None:
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, lobby="guests")
    act(scene, "lobby", mode="guests")
    with pytest.raises(Invalid) as refused:
        act(scene, "lobby", mode="off")
    assert [(each.field, each.code) for each in refused.value.errors] == [("mode", "lobby_too_lax")]
    plan = make_plan(scene.users["owner"], people=1)
    for lobby, runs in (("off", "guests"), ("everybody", "everybody")):
        user = scene.users["owner"]
        conference = launch(by=audit.By(user), user=user, values={"plan": plan.pk, "lobby": lobby})
        assert conference.lobby == runs
        perform(user=user, conference_id=conference.pk, action="end", body={})
    assert Lobby.stricter("everybody", "off") == Lobby.stricter("off", "everybody") == "everybody"


def test_whom_the_launch_calls_are_let_in_by_that_call(scene: Scene) -> None:
    user = scene.users["owner"]
    plan = make_plan(user, people=2, lobby="everybody")
    add_person(plan, user=scene.users["member"], name="Dave")
    conference = launch(by=audit.By(user), user=user, values={"plan": plan.pk})
    assert set(conference.participants.values_list("admitted", flat=True)) == {True}


@pytest.mark.parametrize(("who", "admitted"), [("owner", True), ("chair", True), ("member", False)])
def test_whom_those_in_charge_invite_or_call_is_let_in(scene: Scene, who: str, admitted: bool) -> None:
    Conference.objects.update(member_may_invite=True)
    new = act(scene, "invite", who, people=[{"name": "New", "numbers": [{"number": "8001"}]}])["results"][0]
    assert Participant.objects.get(pk=UUID(new["participant"])).admitted is admitted
    gone = scene.others["participant"]
    act(scene, "remove", participants=[str(gone.pk)])
    act(scene, "redial", who, participants=[str(gone.pk)])
    assert fresh(gone).admitted is admitted


def test_who_has_themself_called_waits_as_if_they_had_come(scene: Scene) -> None:
    member = scene.own["member"]
    act(scene, "remove", participants=[str(member.pk)])
    Participant.objects.filter(pk=member.pk).update(state="left")
    act(scene, "redial", "member", participants=[str(member.pk)])
    assert (fresh(member).present, fresh(member).admitted) == (True, False)
    mode(scene, "guests")
    act(scene, "redial", "member", participants=[str(member.pk)])
    act(scene, "remove", participants=[str(member.pk)])
    act(scene, "redial", "member", participants=[str(member.pk)])
    assert fresh(member).admitted, "the lobby is not for them"


def test_nobody_is_taken_from_the_lobby_into_a_whisper(scene: Scene) -> None:
    come(scene, scene.own["member"])
    with pytest.raises(InLobby):
        act(scene, "whisper_open", participants=[str(scene.own["member"].pk)])
    assert not Whisper.objects.exists()


# What those who wait may and see -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("raise_hand", {}),
        ("whisper_open", {"title": "x"}),
        ("invite", {"people": [{"name": "New", "numbers": [{"number": "8001"}]}]}),
        ("ask_chair", {}),
        ("admit", {}),
        ("volume", {"level": 1}),
    ],
)
def test_who_waits_does_nothing_in_the_conference(scene: Scene, action: str, body: dict[str, Any]) -> None:
    Conference.objects.update(member_may_invite=True, member_may_whisper=True)
    member = scene.own["member"]
    come(scene, member)
    if "people" not in body:
        body = {**body, "participants": [str(member.pk)]}
    with pytest.raises(NotAdmitted):
        act(scene, action, "member", **body)
    if action != "invite":
        body["participants"] = [str(scene.others["participant"].pk)]
    with pytest.raises(NotAllowed):
        act(scene, action, "member", **body)


def test_who_waits_may_mute_themself_and_leave(scene: Scene) -> None:
    member = scene.own["member"]
    come(scene, member)
    for action in ("mute", "unmute", "remove"):
        act(scene, action, "member", participants=[str(member.pk)])
    assert not fresh(member).present


def test_both_ways_of_asking_know_who_waits(scene: Scene) -> None:
    """The one for a request, and the one for the sockets of a conference."""
    come(scene, scene.own["member"])
    user = scene.users["member"]

    def waits() -> set[bool]:
        [one] = actors_in_conference(Conference.objects.get(pk=scene.conference.pk), [user])
        return {one.waits, actor_for(user, Conference, scene.conference.pk).waits}

    assert waits() == {True}
    mode(scene, "guests")
    assert waits() == {False}
    mode(scene, "everybody")
    act(scene, "admit", participants=[str(scene.own["member"].pk)])
    assert waits() == {False}
    Participant.objects.update(admitted=False)
    chair = scene.users["chair"]
    assert not actor_for(chair, Conference, scene.conference.pk).waits


def test_who_waits_sees_nobody_but_themself(scene: Scene) -> None:
    visitor = guest(scene)
    actor = actor_for(Guest(visitor.pk, scene.conference.pk, visitor.name), Conference, scene.conference.pk)
    assert actor.waits, "also before they call"
    rows = participants_of(scene.conference.pk, actor).order_by("position")[0:50]
    [own] = with_abilities_to(rows, actor)
    assert str(visitor.pk).encode() in own
    assert b'"abilities": ["cancel", "mute", "redial", "remove"' in own
    add_participant(scene.conference, name="Another")
    assert len(participants_of(scene.conference.pk, actor).order_by("position")[0:50]) == 1
