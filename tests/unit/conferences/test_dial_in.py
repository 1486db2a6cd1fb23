"""Telephones that dial in: what the caller is asked and told, who gets in as whom, and what a wrong entry costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree as ET

import pytest
from django.core.cache import cache
from django.utils import timezone

from apps.conferences.access import Role
from apps.conferences.dialin.phone import TRIES
from apps.conferences.models import (
    AccessNumber,
    Attempt,
    Conference,
    DialIn,
    Participant,
    PersonalPin,
    Plan,
    PlanPerson,
)
from apps.conferences.rooms import main_room
from apps.conferences.services import dial_in as dialling
from apps.conferences.services import pins
from apps.core.models import AuditEntry
from apps.switch.models import Gateway, Node
from tests.factories import Scene, add_participant, make_conference, make_extension, make_node, make_scene
from tests.unit.switch.asking import ask

pytestmark = pytest.mark.django_db

ACCESS = "+861062345678"
MOBILE = "13800138000"


@pytest.fixture(autouse=True)
def _no_failures() -> None:
    cache.clear()


@pytest.fixture
def scene() -> Scene:
    AccessNumber.objects.create(number=ACCESS, label="北京", language="en")
    return make_scene(prompt_language="zh-hans")


@pytest.fixture
def dial_in(scene: Scene) -> DialIn:
    return pins.of_conference(scene.conference)


@dataclass
class Phone:
    """A telephone, and the switch between it and us: it does what it is told, and keeps the variables of the leg."""

    node: Node
    number: str = MOBILE
    profile: str = "trunk"
    account: str = "gw"
    address: str = "192.0.2.7"
    dialled: str = "01062345678"
    leg: UUID = field(default_factory=uuid4)
    variables: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, str]] = field(default_factory=list)

    def call(self) -> Phone:
        return self._ask("public", self.dialled)

    def key(self, digits: str) -> Phone:
        """Answer the question that was asked last."""
        target = self._after("transfer")
        assert target == "next XML dial-in", self.told
        if digits:
            self.variables["dialin_digits"] = digits
        return self._ask("dial-in", "next")

    def _ask(self, context: str, dialled: str) -> Phone:
        question = {
            "Hunt-Context": context,
            "Hunt-Destination-Number": dialled,
            "Hunt-Caller-ID-Number": self.number,
            "Hunt-Network-Addr": self.address,
            "Unique-ID": str(self.leg),
            "variable_sofia_profile_name": self.profile,
            "variable_user_name": self.account,
            **{f"variable_{name}": value for name, value in self.variables.items()},
        }
        found = ET.fromstring(ask(self.node, "dialplan", **question).content).iter("action")
        self.told = [(each.attrib["application"], each.attrib["data"]) for each in found]
        for application, data in self.told:
            if application == "set":
                name, _, value = data.partition("=")
                self.variables[name] = value
            elif application == "unset":
                self.variables.pop(data, None)
        return self

    def _after(self, application: str) -> str:
        return next((data for name, data in self.told if name == application), "")

    @property
    def hears(self) -> list[str]:
        """The prompts, in order."""
        heard = [data.split() for name, data in self.told if name in ("playback", "play_and_get_digits")]
        return [
            file.removesuffix(".wav")
            for words in heard
            for file in words[5 if len(words) > 1 else 0].removeprefix("file_string://").split("!")
        ]

    @property
    def room(self) -> str:
        return self._after("conference")

    @property
    def ended(self) -> bool:
        return self.told[-1][0] == "hangup"


def phone(scene: Scene, **more: Any) -> Phone:
    return Phone(scene.conference.node, **more).call()


def pin_of(person: Participant | PlanPerson) -> str:
    person.refresh_from_db()
    return PersonalPin.objects.get(key=person.pin_key).pin


def test_who_knows_number_and_pin_is_put_into_their_place(scene: Scene, dial_in: DialIn) -> None:
    chair = scene.own["chair"]
    Participant.objects.filter(pk=chair.pk).update(present=False, state="planned")
    caller = phone(scene)
    assert caller.hears == ["en/enter-number"]  # in the language of the access number
    assert caller.told[:2] == [("unset", "execute_on_answer"), ("answer", "")]
    caller.key(dial_in.number)
    assert caller.hears == ["zh-hans/enter-pin"]  # from here on in the plan's
    caller.key(pin_of(chair))
    room, profile = main_room(scene.conference.pk)
    assert caller.hears == ["zh-hans/welcome"]
    assert caller.room == f"{room}@{profile}+flags{{moderator}}"
    assert caller.variables.keys().isdisjoint({"dialin_state", "dialin_digits"})
    chair.refresh_from_db()
    assert chair.present
    attempt = Attempt.objects.get(leg=caller.leg)
    assert (attempt.participant, attempt.inbound, attempt.kind) == (chair, True, "phone")
    assert attempt.number == "+8613800138000"
    entry = AuditEntry.objects.get(action="dial_in")
    assert (entry.address, entry.detail) == ("192.0.2.7", {"participants": [chair.name]})


@pytest.mark.parametrize("dialled", ["01062345678", "+861062345678", "00861062345678", "861062345678"])
def test_the_network_may_give_the_called_number_in_any_form(scene: Scene, dialled: str) -> None:
    assert phone(scene, dialled=dialled).hears == ["en/enter-number"]


def test_an_internal_access_number_is_called_by_the_phones_of_the_house(scene: Scene, dial_in: DialIn) -> None:
    AccessNumber.objects.create(number="6000", label="内部", language="zh-hans")
    make_extension("8123", display_name="前台")
    caller = phone(scene, dialled="6000", profile="internal", account="8123", number="0000")
    caller.key(dial_in.number).key(dial_in.participant_pin)
    guest = Participant.objects.get(attempts=caller.leg)
    assert (guest.name, guest.caller_number) == ("前台", "8123")  # whose password it was, not who they say they are


@pytest.mark.parametrize(
    "facts",
    [
        {"dialled": "01087654321"},
        {"dialled": "nothing"},
        {"dialled": ""},
        {"profile": "internal", "account": "b-0123456789abcdef0123"},
    ],
)
def test_other_numbers_and_accounts_of_browsers_are_refused(scene: Scene, facts: dict[str, str]) -> None:
    assert phone(scene, **facts).told == [("hangup", "CALL_REJECTED")]


def test_a_disabled_access_number_is_none(scene: Scene) -> None:
    AccessNumber.objects.update(enabled=False)
    assert phone(scene).told == [("hangup", "CALL_REJECTED")]


@pytest.mark.parametrize(("encryption", "asked"), [("exempt", "exempt"), ("mandatory", "mandatory")])
def test_what_is_asked_of_a_call_is_what_is_asked_of_its_gateway(
    scene: Scene, dial_in: DialIn, encryption: str, asked: str
) -> None:
    gateway = Gateway.objects.create(name="carrier", host="192.0.2.7", encryption=encryption, exemption_reason="old")
    caller = phone(scene, account=f"{gateway.pk.hex}-0")
    caller.key(dial_in.number).key(pin_of(scene.own["chair"]))
    assert Attempt.objects.get(leg=caller.leg).encryption == asked


def test_there_are_three_tries_for_each_question(scene: Scene, dial_in: DialIn) -> None:
    caller = phone(scene)
    for _ in range(TRIES - 1):
        caller.key("10000000")
        assert caller.hears == ["en/wrong-number", "en/enter-number"]
    caller.key(dial_in.number)
    for wrong in ("123", ""):
        caller.key(wrong)
        assert caller.hears[-1:] == ["zh-hans/enter-pin"]
        assert ("zh-hans/wrong-pin" in caller.hears) == bool(wrong)
    caller.key("00000")
    assert caller.hears == ["zh-hans/too-many-tries"]
    assert caller.ended
    assert not Attempt.objects.exists()


def test_wrong_pins_are_audited_without_pin_and_number(scene: Scene, dial_in: DialIn) -> None:
    phone(scene).key(dial_in.number).key("4711471")
    entry = AuditEntry.objects.get(action="dial_in_pin_failed")
    assert (entry.conference_id, entry.address) == (scene.conference.pk, "192.0.2.7")
    assert entry.detail == {"from": "138****8000"}


def test_who_is_wrong_too_often_is_not_heard_for_a_while_whatever_call_it_is(scene: Scene, dial_in: DialIn) -> None:
    for _ in range(dialling.CALLER_FAILURES - 1):
        phone(scene).key(f"{9 * 10**7}")
    last = phone(scene).key(dial_in.number).key("1")
    assert (last.hears, last.ended) == (["zh-hans/blocked"], True)
    assert AuditEntry.objects.filter(action="dial_in_blocked").count() == 1
    again = phone(scene)
    assert (again.hears, again.ended) == (["en/blocked"], True)
    assert phone(scene, number="13900139000").hears == ["en/enter-number"]


def test_a_phone_of_the_house_cannot_shake_the_brake_off_by_another_caller_id(scene: Scene) -> None:
    for count in range(dialling.CALLER_FAILURES):
        last = phone(scene, profile="internal", account="8123", number=str(count)).key("1")
    assert last.hears == ["en/blocked"]
    assert phone(scene, profile="internal", account="8123", number="99").hears == ["en/blocked"]
    assert phone(scene, profile="internal", account="8124").hears == ["en/enter-number"]


def test_a_conference_is_guarded_against_many_who_guess(scene: Scene, dial_in: DialIn) -> None:
    for count in range(dialling.CONFERENCE_FAILURES):
        phone(scene, number=f"139000{count:05}").key(dial_in.number).key("1")
    caller = phone(scene).key(dial_in.number).key(dial_in.chair_pin)
    assert (caller.hears, caller.ended) == (["zh-hans/conference-blocked"], True)
    DialIn.objects.update(failing_since=timezone.now() - dialling.CONFERENCE_WINDOW)
    assert phone(scene).key(dial_in.number).key(dial_in.chair_pin).room


@pytest.mark.parametrize(
    ("facts", "conference", "words"),
    [
        ({"refused": True, "present": False}, {}, "refused"),
        ({"present": False}, {"locked": True}, "locked"),
        ({"present": False}, {"max_participants": 2}, "full"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    scene: Scene, dial_in: DialIn, facts: dict[str, Any], conference: dict[str, Any], words: str
) -> None:
    Participant.objects.filter(pk=scene.own["member"].pk).update(**facts)
    Conference.objects.update(**conference)
    caller = phone(scene).key(dial_in.number).key(pin_of(scene.own["member"]))
    assert (caller.hears, caller.ended) == ([f"zh-hans/{words}"], True)
    assert not Attempt.objects.exists()


def test_a_conference_that_is_over_or_has_not_begun_says_so(scene: Scene, dial_in: DialIn) -> None:
    Conference.objects.update(phase="ended", ended_at=timezone.now())
    assert phone(scene).key(dial_in.number).hears == ["zh-hans/ended"]
    plan = Plan.objects.create(owner=scene.users["owner"], title="Weekly", prompt_language="en")
    number = pins.of_plan(plan.pk).number
    assert phone(scene).key(number).hears == ["en/not-begun"]
    run = make_conference(scene.users["owner"], plan=plan, phase="ended", ended_at=timezone.now())
    assert phone(scene).key(number).hears == ["en/ended"]
    Conference.objects.filter(pk=run.pk).update(ended_at=timezone.now() - dialling.ENDED_FOR - timedelta(seconds=1))
    assert phone(scene).key(number).hears == ["en/not-begun"]
    make_conference(scene.users["owner"], plan=plan)
    assert phone(scene).key(number).hears == ["zh-hans/enter-pin" if plan.prompt_language == "zh" else "en/enter-pin"]


def test_a_conference_that_gathers_holds_those_below_the_chair(scene: Scene, dial_in: DialIn) -> None:
    Conference.objects.update(phase="gathering")
    caller = phone(scene).key(dial_in.number).key(pin_of(scene.own["member"]))
    assert caller.hears == ["zh-hans/wait-to-begin"]
    assert caller.room.endswith("+flags{deaf|mute}")
    assert phone(scene).key(dial_in.number).key(pin_of(scene.own["chair"])).hears == ["zh-hans/welcome"]


@pytest.mark.parametrize("role", [Role.CHAIR, Role.MEMBER, Role.PARTICIPANT])
def test_the_pin_of_a_role_lets_somebody_in_who_is_not_on_the_list(scene: Scene, dial_in: DialIn, role: Role) -> None:
    caller = phone(scene).key(dial_in.number).key(pins.role_pins(dial_in)[role])
    assert caller.room.startswith(main_room(scene.conference.pk)[0])
    guest = Participant.objects.get(attempts=caller.leg)
    assert (guest.role, guest.guest, guest.present) == (role.label, True, True)
    assert (guest.name, guest.caller_number, guest.numbers) == ("138****8000", "+8613800138000", [])
    assert guest.pin_key == ""


def test_who_withholds_their_number_is_unknown(scene: Scene, dial_in: DialIn) -> None:
    first, second = (
        phone(scene, number="anonymous").key(dial_in.number).key(dial_in.participant_pin) for _ in range(2)
    )
    guests = [Participant.objects.get(attempts=each.leg) for each in (first, second)]
    assert guests[0] != guests[1]
    assert {(each.name, each.caller_number) for each in guests} == {("未知来电", "")}


def test_asked_again_for_the_same_call_it_is_the_same_participant(scene: Scene, dial_in: DialIn) -> None:
    caller = phone(scene, number="anonymous").key(dial_in.number)
    variables = dict(caller.variables)
    caller.key(dial_in.participant_pin)
    again = Phone(scene.conference.node, "anonymous", leg=caller.leg, variables=variables)
    again.told = [("transfer", "next XML dial-in")]
    assert again.key(dial_in.participant_pin).room == caller.room
    assert (Attempt.objects.count(), Participant.objects.filter(guest=True).count()) == (1, 1)


def test_who_was_cut_off_comes_back_as_who_they_were(scene: Scene, dial_in: DialIn) -> None:
    first = phone(scene).key(dial_in.number).key(dial_in.member_pin)
    guest = Participant.objects.get(attempts=first.leg)
    Participant.objects.filter(pk=guest.pk).update(state="connected")
    other = phone(scene).key(dial_in.number).key(dial_in.member_pin)  # the same number at the same time: another
    assert Participant.objects.get(attempts=other.leg) != guest
    Participant.objects.filter(pk=guest.pk).update(state="left")
    back = phone(scene).key(dial_in.number).key(dial_in.member_pin)
    assert Participant.objects.get(attempts=back.leg) == guest


def test_a_caller_id_on_the_list_proves_nothing(scene: Scene, dial_in: DialIn) -> None:
    add_participant(scene.conference, name="Listed", numbers=[{"kind": "mobile", "number": "+8613800138000"}])
    caller = phone(scene)
    assert caller.hears == ["en/enter-number"]
    assert caller.key(dial_in.number).hears == ["zh-hans/enter-pin"]


def test_what_is_known_of_a_call_cannot_be_made_up_or_taken_from_another(scene: Scene, dial_in: DialIn) -> None:
    asked = phone(scene).key(dial_in.number)
    state = asked.variables["dialin_state"]
    for leg, told in ((asked.leg, f"{state}x"), (asked.leg, ""), (uuid4(), state)):
        other = Phone(scene.conference.node, leg=leg, variables={"dialin_state": told})
        other.told = [("transfer", "next XML dial-in")]
        assert other.key(dial_in.chair_pin).told == [("hangup", "CALL_REJECTED")]
    assert not Attempt.objects.exists()


def test_a_conference_on_another_node_is_not_reached(scene: Scene, dial_in: DialIn) -> None:
    caller = Phone(make_node(xml_password="another")).call().key(dial_in.number).key(dial_in.chair_pin)
    assert (caller.hears, caller.ended) == (["zh-hans/try-later"], True)
    assert not Participant.objects.filter(guest=True).exists()


# Numbers and PINs


def test_a_pin_names_one_person_and_stays_with_them_over_launches(scene: Scene) -> None:
    from apps.conferences.services.launch import launch
    from apps.conferences.services.plans import edit_plan
    from apps.core import audit
    from tests.factories import make_plan

    owner = scene.users["owner"]
    plan = make_plan(owner, people=5)
    dial_in = pins.of_plan(plan.pk)
    before = {each.position: pin_of(each) for each in plan.people.all()}
    known = [*before.values(), *pins.role_pins(dial_in).values()]
    assert len(set(known)) == 8
    assert all(pin.isdigit() for pin in known)
    values = {"people": [{"id": each.pk, "name": each.name, "numbers": each.numbers} for each in plan.people.all()]}
    edit_plan(by=audit.SYSTEM, user=owner, plan_id=plan.pk, revision=1, values=values)
    for _ in range(2):
        run = launch(by=audit.SYSTEM, user=owner, values={"plan": plan.pk})
        assert {each.position: pin_of(each) for each in run.participants.all()} == before
        assert pins.of_conference(run) == dial_in == pins.of_plan(plan.pk)
        Conference.objects.filter(pk=run.pk).update(phase="ended")


def test_a_renewed_pin_leads_nowhere_any_more_in_plan_and_conference(scene: Scene) -> None:
    from apps.conferences.services.launch import launch
    from apps.core import audit
    from tests.factories import make_plan

    plan = make_plan(scene.users["owner"], people=2)
    run = launch(by=audit.SYSTEM, user=scene.users["owner"], values={"plan": plan.pk})
    dial_in = pins.of_conference(run)
    first, second = run.participants.all()
    before = [pin_of(first), pin_of(second)]
    pins.renew_people(dial_in, [first])
    pins.renew_roles(dial_in, [Role.CHAIR])
    chair = DialIn.objects.get(pk=dial_in.pk).chair_pin
    now = [pin_of(each) for each in run.participants.all()]
    assert now[0] != before[0]
    assert now[1] == before[1]
    assert [pin_of(each) for each in plan.people.all()] == now
    for wrong in (before[0], dial_in.chair_pin):
        assert phone(scene).key(dial_in.number).key(wrong).hears[0].endswith("wrong-pin")
    for right in (now[0], chair):
        assert phone(scene).key(dial_in.number).key(right).room


def test_numbers_and_pins_are_sealed(scene: Scene, dial_in: DialIn) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT chair_pin FROM conferences_dialin")
        [(stored,)] = cursor.fetchall()
        assert dial_in.chair_pin not in stored
        cursor.execute("SELECT pin FROM conferences_personalpin")
        sealed = [pin for (pin,) in cursor.fetchall()]
    assert len(sealed) == 10
    assert not any(pin_of(each) in pin for each in scene.own.values() for pin in sealed)


def test_pins_hold_while_the_secret_key_changes(scene: Scene, dial_in: DialIn, settings: Any) -> None:
    pin = pin_of(scene.own["member"])
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert phone(scene).key(dial_in.number).key(pin).room
