"""What each key does for whom, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import APIView

from apps.conferences.access import Role, Switch
from apps.conferences.actors import Phone
from apps.conferences.keypad.acts import LOUDEST, MOST_NAMES, SOFTEST, Answer, Name, Number, Prompt, press
from apps.conferences.keypad.table import ALL, COMMANDS
from apps.conferences.models import Conference, Delta, Participant, Whisper
from apps.conferences.rooms import main_room, whisper_room
from apps.conferences.services.actions import perform
from apps.conferences.services.lifecycle import end_conference
from apps.core.errors import NotFound
from apps.core.models import AuditEntry
from tests.factories import Scene, add_participant, make_conference, make_scene

pytestmark = pytest.mark.django_db

ROLES = ("owner", "manager", "chair", "member", "participant")
OWN = {"*0", "*4", "*6", "*7", "*8", "*9"}
LEADERS = OWN | {"*5", "#4", "#5", "#6", "#8", "#9"}


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def presses(scene: Scene, who: Participant, keys: str, *, room: str | None = None, hearing: int = 0) -> Answer:
    phone = Phone(who.pk, scene.conference.pk, who.name, keys)
    return press(phone, room or main_room(scene.conference.pk)[0], hearing)


def hears(scene: Scene, who: Participant, keys: str, **where: Any) -> list[str | int]:
    """Prompts by their names, without `key-`; numbers and people's names as they are."""
    found: list[str | int] = []
    for phrase in presses(scene, who, keys, **where).phrases:
        match phrase:
            case Prompt(name):
                found.append(name.removeprefix("key-"))
            case Number(value):
                found.append(value)
            case Name(text):
                found.append(text)
    return found


def now(person: Participant) -> Participant:
    return Participant.objects.get(pk=person.pk)


def conference_now(scene: Scene) -> Conference:
    return Conference.objects.get(pk=scene.conference.pk)


def change(scene: Scene, **fields: Any) -> None:
    Conference.objects.filter(pk=scene.conference.pk).update(**fields)


@pytest.mark.parametrize(
    "switches",
    [frozenset(), frozenset({Switch.MEMBER_MAY_INVITE}), frozenset({Switch.MEMBER_MAY_REPLAY}), frozenset(Switch)],
    ids=["none", "invite", "replay", "all"],
)
@pytest.mark.parametrize("role", ROLES)
def test_the_keys_of_each_role(role: str, switches: frozenset[Switch]) -> None:
    offered = {each.keys for each in COMMANDS.values() if each.is_for(Role.of(role), switches)}
    invites = {"#4"} if Switch.MEMBER_MAY_INVITE in switches else set()
    replays = {
        name: {"*5"} if switch in switches else set()
        for name, switch in (
            ("member", Switch.MEMBER_MAY_REPLAY),
            ("participant", Switch.PARTICIPANT_MAY_REPLAY),
        )
    }
    below = {"participant": OWN, "member": OWN | invites}
    assert offered == (below[role] | replays[role] if role in below else LEADERS)


def test_every_key_has_two_signs_and_one_meaning() -> None:
    assert len({each.keys for each in ALL}) == len({each.name for each in ALL}) == len(ALL)
    assert all(len(each.keys) == 2 and each.keys[0] in "*#" and each.keys[1].isdigit() for each in ALL)


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_has_what_one_may(scene: Scene, role: str) -> None:
    change(scene, recording_policy="off")
    said = hears(scene, scene.own[role], "*0")
    offered = [each.name for each in COMMANDS.values() if each.is_for(Role.of(role), frozenset())]
    assert said == [f"menu-{name}" for name in offered if name not in ("help", "next", "again")]
    change(scene, floor_mode="roll_call", member_may_invite=True, recording_policy="on_demand")
    said = hears(scene, scene.own[role], "*0")
    assert ("menu-again" in said) == (role != "participant")
    assert ("menu-next" in said) == (role in ("owner", "manager", "chair"))
    assert ("menu-redial" in said) == (role != "participant")


@pytest.mark.parametrize("role", ["member", "participant"])
def test_what_one_may_not_is_refused_in_words_and_changes_nothing(scene: Scene, role: str) -> None:
    refusals = {keys: hears(scene, scene.own[role], keys) for keys in ("#4", "#5", "#6", "#9")}
    assert refusals.pop("#4") == (["switched-off"] if role == "member" else ["not-allowed"])
    assert refusals == {key: ["not-allowed"] for key in refusals}
    assert not Delta.objects.exists()
    assert not AuditEntry.objects.exists()


def test_mute_and_unmute_oneself(scene: Scene) -> None:
    erin = scene.own["participant"]
    assert hears(scene, erin, "*6") == ["muted"]
    assert now(erin).muted
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.actor_id) == ("mute", "Erin", erin.pk)
    assert entry.detail == {"keys": "*6", "participants": ["Erin"]}
    assert hears(scene, erin, "*6") == ["unmuted"]
    assert not now(erin).muted


def test_whoever_was_muted_by_the_chair_unmutes_unless_forbidden(scene: Scene) -> None:
    erin = scene.own["participant"]
    Participant.objects.filter(pk=erin.pk).update(muted=True)
    assert hears(scene, erin, "*6") == ["unmuted"]
    Participant.objects.filter(pk=erin.pk).update(forbidden=True)
    assert hears(scene, erin, "*6") == ["forbidden"]
    assert hears(scene, erin, "*6") == ["forbidden"], "and it is not muted in silence instead"
    assert not now(erin).muted


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"floor_mode": "moderated"}, "floor-moderated"),
        ({"floor_mode": "roll_call"}, "floor-roll-call"),
    ],
)
def test_whoever_has_not_the_floor_is_told_so(scene: Scene, fields: dict[str, Any], reason: str) -> None:
    change(scene, **fields)
    assert hears(scene, scene.own["participant"], "*6") == [reason]
    assert hears(scene, scene.own["chair"], "*6") == ["muted"]


def test_the_switch_of_the_plan_holds_for_phones(scene: Scene) -> None:
    erin = scene.own["participant"]
    change(scene, participant_may_unmute_self=False)
    assert hears(scene, erin, "*6") == ["muted"]
    assert hears(scene, erin, "*6") == ["switched-off"]
    assert now(erin).muted


def test_before_the_conference_begins_nobody_is_told_that_they_are_heard(scene: Scene) -> None:
    erin = scene.own["participant"]
    change(scene, phase="gathering")
    assert hears(scene, erin, "*6") == ["not-begun"]
    Participant.objects.filter(pk=erin.pk).update(muted=True)
    assert hears(scene, erin, "*6") == ["not-begun"]
    assert not now(erin).muted, "it holds from the beginning on"
    assert hears(scene, scene.own["chair"], "*6") == ["muted"]


def test_in_a_whisper_nobody_is_muted(scene: Scene) -> None:
    erin = scene.own["participant"]
    whisper = Whisper.objects.create(conference=scene.conference)
    Participant.objects.filter(pk=erin.pk).update(whisper=whisper)
    room = whisper_room(whisper.pk)[0]
    assert hears(scene, erin, "*6", room=room) == ["whispering"]
    assert hears(scene, erin, "*9", room=room) == ["hand-raised"]
    Participant.objects.filter(pk=erin.pk).update(forbidden=True)
    assert hears(scene, erin, "*6", room=room) == ["forbidden"]
    assert not now(erin).muted


def test_in_the_lobby_keys_do_nothing_but_say_so(scene: Scene) -> None:
    room = f"l-{scene.conference.pk.hex}"
    for keys in COMMANDS:
        assert hears(scene, scene.own["participant"], keys, room=room) == ["waiting"]
    assert not Delta.objects.exists()


def test_the_hand(scene: Scene) -> None:
    erin = scene.own["participant"]
    assert hears(scene, erin, "*9") == ["hand-raised"]
    assert now(erin).hand_raised_at is not None
    assert hears(scene, erin, "*9") == ["hand-lowered"]
    assert now(erin).hand_raised_at is None


def test_how_many_and_who(scene: Scene) -> None:
    Participant.objects.filter(pk__in=[each.pk for each in scene.others.values()]).update(state="left")
    erin = scene.own["participant"]
    assert hears(scene, erin, "*4") == ["people", 5, "people-counted", "Alice", "Bob", "Carol", "Dave", "Erin"]
    for _ in range(MOST_NAMES):
        add_participant(scene.conference, name="More")
    said = hears(scene, erin, "*4")
    assert said[:3] == ["people", 5 + MOST_NAMES, "people-counted"]
    assert (len(said), said[-1]) == (3 + MOST_NAMES + 1, "others")
    scene.conference.participants.exclude(pk=erin.pk).update(state="failed")
    assert hears(scene, erin, "*4") == ["alone"]


def test_how_loud_one_hears(scene: Scene) -> None:
    erin = scene.own["participant"]
    assert presses(scene, erin, "*8", hearing=1) == Answer("zh-hans", (Prompt("key-louder"),), 2)
    assert presses(scene, erin, "*7", hearing=1) == Answer("zh-hans", (Prompt("key-softer"),), 0)
    assert presses(scene, erin, "*8", hearing=LOUDEST) == Answer("zh-hans", (Prompt("key-loudest"),))
    assert presses(scene, erin, "*7", hearing=SOFTEST) == Answer("zh-hans", (Prompt("key-softest"),))


def test_the_chair_mutes_everybody_below(scene: Scene) -> None:
    assert hears(scene, scene.own["chair"], "#6") == ["all-muted"]
    assert {each.role for each in Participant.objects.filter(muted=True)} == {"member", "participant"}


def test_the_chair_locks_and_unlocks(scene: Scene) -> None:
    assert hears(scene, scene.own["chair"], "#5") == ["locked"]
    assert conference_now(scene).locked
    assert hears(scene, scene.own["chair"], "#5") == ["unlocked"]
    assert not conference_now(scene).locked


def test_the_chair_calls_everybody_absent(scene: Scene) -> None:
    assert hears(scene, scene.own["chair"], "#4") == ["nobody-missing"]
    absent = scene.others["participant"]
    Participant.objects.filter(pk=absent.pk).update(state="failed")
    assert hears(scene, scene.own["chair"], "#4") == ["redialing"]
    assert now(absent).round == absent.round + 1


def test_a_member_brings_nobody_into_a_locked_conference(scene: Scene) -> None:
    change(scene, member_may_invite=True, locked=True)
    Participant.objects.filter(pk=scene.others["participant"].pk).update(state="failed")
    assert hears(scene, scene.own["member"], "#4") == ["locked"]


def test_the_chair_admits_who_waits(scene: Scene) -> None:
    chair, member = scene.own["chair"], scene.own["member"]
    change(scene, lobby="everybody")
    assert hears(scene, chair, "#8") == ["nobody-waits"]
    Participant.objects.filter(pk=member.pk).update(admitted=False)
    assert hears(scene, scene.own["participant"], "#8") == ["not-allowed"]
    assert hears(scene, chair, "#8") == ["admitted"]
    assert now(member).admitted


def test_the_chair_goes_through_the_roll(scene: Scene) -> None:
    chair = scene.own["chair"]
    assert hears(scene, chair, "#9") == ["no-roll-call"]
    change(scene, floor_mode="roll_call")
    Participant.objects.filter(pk=scene.others["member"].pk).update(forbidden=True)
    Participant.objects.filter(pk=scene.own["participant"].pk).update(state="left")
    for person in (scene.own["member"], scene.others["participant"]):
        assert hears(scene, chair, "#9") == ["called", person.name]
        assert conference_now(scene).called_id == person.pk
    assert hears(scene, chair, "#9") == ["all-called"]
    assert conference_now(scene).called_id is None
    assert hears(scene, chair, "#9") == ["called", "Dave"], "and from the beginning"


def test_whoever_lost_the_chair_a_moment_ago_may_no_longer(scene: Scene) -> None:
    carol = scene.own["chair"]
    Participant.objects.filter(pk=carol.pk).update(role="participant")
    assert hears(scene, carol, "#5") == ["not-allowed"]


def _ended(scene: Scene) -> None:
    end_conference(scene.conference.pk, Conference.EndReason.TIME)


def _removed(scene: Scene) -> None:
    Participant.objects.filter(pk=scene.own["participant"].pk).update(present=False)


def _refused(scene: Scene) -> None:
    Participant.objects.filter(pk=scene.own["participant"].pk).update(refused=True)


@pytest.mark.parametrize("happens", [_ended, _removed, _refused])
def test_whoever_is_out_of_it_does_and_hears_nothing(scene: Scene, happens: Callable[[Scene], None]) -> None:
    happens(scene)
    entries = AuditEntry.objects.count()
    for keys in COMMANDS:
        assert presses(scene, scene.own["participant"], keys) == Answer()
    assert AuditEntry.objects.count() == entries


def test_keys_that_stand_for_nothing(scene: Scene) -> None:
    assert presses(scene, scene.own["chair"], "*1") == Answer()


@pytest.fixture
def five_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """REST's limit, lower. (Tests have none.)"""
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "5/min"})
    monkeypatch.setattr(APIView, "throttle_classes", [UserRateThrottle])
    cache.clear()
    yield
    cache.clear()


def test_the_limit_of_the_api_is_that_of_the_keys(scene: Scene, five_a_minute: None) -> None:
    erin = scene.own["participant"]
    assert [hears(scene, erin, "*9") != [] for _ in range(7)] == [True] * 5 + [False] * 2
    assert hears(scene, scene.own["member"], "*9") == ["hand-raised"], "each has their own"


def test_a_phone_is_not_the_account_of_its_owner(scene: Scene) -> None:
    """Whoever holds the phone is nobody in another conference, where the account is chair."""
    other = make_conference(scene.users["owner"])
    add_participant(other, user=scene.users["chair"], role="chair")
    phone = Phone(scene.own["chair"].pk, scene.conference.pk, "Carol", "#5")
    with pytest.raises(NotFound):
        perform(user=phone, conference_id=other.pk, action="lock", body={})
