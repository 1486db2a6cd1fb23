"""The whole system with a real FreeSWITCH: what is done in the API is heard in five registered phones."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import pytest
from baresip import BaresipError

from apps.switch.prompts import sound
from tests.authority import sign_for_carrier
from tests.contract.esl import Client
from tests.live.administration import Gateways
from tests.live.carrier import Carrier
from tests.live.dialling import ACCESS, Prompts, dial_in, is_free
from tests.live.phones import G722, OPUS, PCMA, Phone, Phones
from tests.live.sip import Line, sdp
from tests.live.tones import HEARD, SENT, TONES
from tests.servers import wait_until
from tests.system.plans import launch, person, states
from tests.system.stack import ROOT, Api, Stack

NAMES = ["张伟", "王芳", "李娜", "刘洋", "陈静"]
NUMBERS = ["8811", "8812", "8813", "8814", "8815"]
CODECS = [OPUS, OPUS, G722, PCMA, PCMA]
PASSWORD = "only-in-this-test"
SAID = 0.5  # likeness of what is heard to a sound file: from 0.7 on where it is played, up to 0.2 where not
MISLED, OLD = "+8613888889000", "+8613877779000"

# The demonstration's data leads to the gateway of registered extensions with any number but its scripted people's.
ACCOUNTS = f"""
from django.conf import settings
from apps.switch.digest import a1_hash
from apps.switch.models import Extension
for number, name in zip({NUMBERS}, {NAMES}):
    known = a1_hash(number, settings.SPARKLE_SIP_REALM, "{PASSWORD}")
    Extension.objects.create(number=number, display_name=name, a1_hash=known)
from apps.conferences.models import AccessNumber
AccessNumber.objects.create(number="{ACCESS}", label="test", language="zh-hans")
from apps.switch.models import Gateway
for name, prefix, encryption in (("misled", "+861388", "mandatory"), ("old", "+861387", "exempt")):
    Gateway.objects.create(
        name=name, prefix=prefix, encryption=encryption, handles=["mobile"], dial_string="loopback/{{number}}/rehearsal"
    )
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # Not pytest's own place, which every other run of pytest closes to other accounts: PostgreSQL of a root's run is
    # run by one.
    with TemporaryDirectory(prefix="sparkle-live-") as name:
        var = Path(name)
        var.chmod(0o755)
        stack = Stack(var, switch="freeswitch")
        try:
            yield stack.start()
        finally:
            stack.stop()


@pytest.fixture(scope="module")
def phones(stack: Stack) -> Iterator[Phones]:
    """The stack of the phones, whose accounts hold from the moment on in which they are made."""
    manage(stack, "shell", "-c", ACCOUNTS)
    home = stack.var / "freeswitch"
    server = f"127.0.0.1:{(home / 'sip-port').read_text().strip()}"
    with Phones(server, home / "certs" / "cafile.pem") as phones:
        yield phones


def manage(stack: Stack, *arguments: str) -> None:
    command = [sys.executable, str(Path(ROOT) / "manage.py"), *arguments]
    subprocess.run(command, env=stack.told(), check=True, capture_output=True, timeout=60)


@pytest.fixture
def five(phones: Phones) -> Iterator[list[Phone]]:
    yield [phones.register(number, PASSWORD, frequency=TONES[i], codec=CODECS[i]) for i, number in enumerate(NUMBERS)]
    phones.forget()


class Meeting:
    """A conference launched from a plan by one POST, and its five phones."""

    def __init__(self, api: Api, five: list[Phone], sounds: Path) -> None:
        self.api, self.phones, self.sounds = api, five, sounds
        people = [
            person(name, number, "chair" if i == 0 else "participant")
            for i, (name, number) in enumerate(zip(NAMES, NUMBERS, strict=True))
        ]
        plan = api.post("plans/", {"title": "周会", "people": people})
        assert plan.status_code == 201, plan.text
        launched = api.post("conferences/", {"plan": plan.json()["id"], "busy_wait_seconds": 1})
        assert launched.status_code == 201, launched.text
        self.id: str = launched.json()["id"]
        self.wait_for_states(*["connected"] * 5)
        by_name = {each["name"]: each["id"] for each in api.participants(self.id)}
        self.ids = [by_name[name] for name in NAMES]

    def wait_for_states(self, *wanted: str, seconds: float = 30) -> None:
        expected = dict(zip(NAMES, wanted, strict=True))
        wait_until(lambda: states(self.api, self.id) == expected, f"the states are {expected}", seconds)

    def act(self, action: str, *positions: int, **body: Any) -> dict[str, Any]:
        answer = self.api.act(self.id, action, participants=[self.ids[i] for i in positions], **body)
        assert all(result["ok"] for result in answer.get("results", []))
        return answer

    def press(self, position: int, keys: str, *prompts: str) -> None:
        """Press keys; the person hears these prompts, and nobody else does."""
        files = [self.sounds / sound("zh-hans", prompt) for prompt in prompts]
        for phone in self.phones:
            phone.forget_heard()
        self.phones[position].press(keys)
        for file in files:
            wait_until(partial(self.heard_say, position, file), f"{file.stem} is heard")
        for other in (phone for i, phone in enumerate(self.phones) if i != position):
            assert all(other.heard_say(file) < SAID / 2 for file in files)

    def heard_say(self, position: int, file: Path) -> bool:
        return self.phones[position].heard_say(file) > SAID

    def participant(self, position: int) -> dict[str, Any]:
        [found] = [each for each in self.api.participants(self.id) if each["id"] == self.ids[position]]
        return found

    def hears(self, listener: int, *speakers: int) -> None:
        self.phones[listener].wait_to_hear({TONES[speaker] for speaker in speakers})

    def everybody_hears_the_others(self) -> None:
        for i in range(5):
            self.hears(i, *set(range(5)) - {i})


@pytest.fixture
def meeting(stack: Stack, five: list[Phone]) -> Iterator[Meeting]:
    meeting = Meeting(stack.sign_in(), five, stack.var / "freeswitch" / "sounds")
    yield meeting
    meeting.api.act(meeting.id, "end")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")


def test_all_hear_the_others_and_mute_and_forbid_silence_one(meeting: Meeting) -> None:
    meeting.everybody_hears_the_others()
    meeting.act("mute", 1)
    meeting.hears(0, 2, 3, 4)
    meeting.hears(1, 0, 2, 3, 4)
    meeting.act("unmute", 1)
    meeting.hears(0, 1, 2, 3, 4)
    meeting.act("forbid", 2)
    meeting.hears(0, 1, 3, 4)
    meeting.hears(4, 0, 1, 3)
    meeting.act("allow", 2)
    meeting.act("unmute", 2)
    meeting.hears(0, 1, 2, 3, 4)


def test_each_line_is_told_as_it_is(meeting: Meeting) -> None:
    def facts(name: str) -> list[Any]:
        by_id = {each["id"]: each[name] for each in meeting.api.participants(meeting.id)}
        return [by_id[each] for each in meeting.ids]

    wait_until(lambda: None not in facts("loss") + facts("jitter"), "there is a report of each")
    assert facts("codec") == ["opus/16000", "opus/16000", "G722/16000", "PCMA/8000", "PCMA/8000"]
    assert facts("encryption") == ["sdes:AEAD_AES_256_GCM"] * 5
    assert max(facts("loss")) <= 3


def test_who_does_not_encrypt_and_who_was_not_let_in_are_hung_up(stack: Stack, phones: Phones) -> None:
    """The gateway of the one is said to encrypt, and does not: both lead to the scripted people."""
    api = stack.sign_in()
    conference = launch(api, [person("张伟", MISLED, "chair"), person("王芳", OLD)])

    def told(name: str) -> tuple[Any, ...]:
        found = next(each for each in api.participants(conference) if each["name"] == name)
        return found["state"], found["cause"], found["encryption"]

    wait_until(lambda: told("王芳") == ("connected", "", "exempt"), "who is exempt is in", 30)
    wait_until(lambda: told("张伟") == ("connected", "", "internal"), "who does not is called another way", 30)
    attempts = [each for each in api.all(f"conferences/{conference}/attempts/") if each["number"] == MISLED]
    assert [(each["gateway_name"], each["cause"], each["encryption"]) for each in attempts] == [
        ("rehearsal-trunk", "", "internal"),
        ("misled", "NOT_ENCRYPTED", "mandatory"),
    ]
    assert attempts[1]["joined_at"]

    home, stranger, room = stack.var / "freeswitch", uuid4(), f"c-{UUID(conference).hex}"
    esl = Client("127.0.0.1", int((home / "esl-port").read_text()), (home / "esl-password").read_text().strip())
    esl.api(f"originate {{origination_uuid={stranger}}}null/somebody &conference({room}@sparkle)")
    wait_until(lambda: esl.api(f"uuid_exists {stranger}") == "false", "the stranger is gone")
    assert told("王芳") == ("connected", "", "exempt")
    esl.close()
    api.act(conference, "end")


def test_a_whisper_is_closed_in_both_directions(meeting: Meeting) -> None:
    meeting.hears(2, 0, 1, 3, 4)
    meeting.act("forbid", 4)
    whisper = meeting.act("whisper_open", 0, 1, title="私语", soft_main=True)["whisper"]
    meeting.hears(2, 3)
    meeting.hears(3, 2)
    meeting.hears(4, 2, 3)
    meeting.hears(0, 1, 2, 3)
    heard = meeting.phones[1].listen()
    assert heard[TONES[0]] == pytest.approx(SENT, abs=3)
    for main in (2, 3):
        assert HEARD < heard[TONES[main]] < SENT - 3  # softly
    meeting.api.act(meeting.id, "whisper_soft", whisper=whisper, soft_main=False)
    meeting.hears(0, 1)
    meeting.hears(1, 0)
    meeting.hears(2, 3)
    meeting.wait_for_states(*["connected"] * 5)  # nobody left the roster
    meeting.api.act(meeting.id, "whisper_close", whisper=whisper)
    meeting.hears(0, 1, 2, 3)
    meeting.hears(2, 0, 1, 3)


def test_what_people_do_by_keys_is_so_and_is_said_to_them_alone(meeting: Meeting) -> None:
    meeting.press(1, "*6", "key-muted")
    meeting.hears(0, 2, 3, 4)
    meeting.press(1, "*6", "key-unmuted")
    meeting.hears(0, 1, 2, 3, 4)
    meeting.press(4, "*9", "key-hand-raised")
    assert meeting.participant(4)["hand_raised_at"] is not None
    meeting.press(3, "*4", "key-people", "key-people-counted")
    counts = {n: meeting.phones[3].heard_say(meeting.sounds / "zh-hans" / f"number-{n}.wav") for n in range(3, 10)}
    assert max(counts, key=counts.__getitem__) == 5
    meeting.act("forbid", 2)
    meeting.press(2, "*6", "key-forbidden")
    meeting.hears(0, 1, 3, 4)


def test_the_chair_mutes_all_and_locks_by_keys(meeting: Meeting) -> None:
    meeting.press(0, "#6", "key-all-muted")
    meeting.hears(1, 0)
    meeting.hears(0)
    meeting.press(0, "#5", "key-locked")
    meeting.press(1, "#5", "key-not-allowed")
    assert meeting.api.get(f"conferences/{meeting.id}/")["locked"]


def test_who_is_removed_hears_nothing_and_comes_back_with_forced_mute(meeting: Meeting) -> None:
    meeting.hears(0, 1, 2, 3, 4)
    meeting.act("forbid", 3)
    meeting.act("remove", 3)
    wait_until(lambda: not meeting.phones[3].in_call, "the removed phone is free")
    meeting.hears(0, 1, 2, 4)
    meeting.act("redial", 3)
    meeting.wait_for_states(*["connected"] * 5)
    meeting.hears(3, 0, 1, 2, 4)
    meeting.hears(0, 1, 2, 4)


class DialledIn:
    """A conference of the first phone, which is called, and 王芳, whose phone only rings; the others dial in."""

    def __init__(self, api: Api, five: list[Phone]) -> None:
        self.api = api
        five[1].answers = False
        people = [person(NAMES[0], NUMBERS[0], "chair"), person(NAMES[1], NUMBERS[1])]
        launched = api.post("conferences/", {"title": "拨入", "people": people})
        assert launched.status_code == 201, launched.text
        self.id: str = launched.json()["id"]
        self.wait_for(NAMES[0], "connected")
        self.sheet = api.get(f"conferences/{self.id}/dial-in/")
        self.number: str = self.sheet["number"]

    def pin_of(self, name: str) -> str:
        return next(str(each["pin"]) for each in self.sheet["people"] if each["name"] == name)

    def role_pin(self, role: str) -> str:
        return next(str(each["pin"]) for each in self.sheet["roles"] if each["role"] == role)

    def wait_for(self, name: str, state: str) -> None:
        wait_until(lambda: states(self.api, self.id).get(name) == state, f"{name} is {state}")


@pytest.fixture
def dialled_in(stack: Stack, five: list[Phone]) -> Iterator[DialledIn]:
    meeting = DialledIn(stack.sign_in(), five)
    yield meeting
    meeting.api.act(meeting.id, "end")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")


def test_people_dial_in_with_their_own_pin_and_with_that_of_a_role(
    stack: Stack, dialled_in: DialledIn, five: list[Phone]
) -> None:
    meeting = dialled_in
    with Prompts(stack) as prompts:
        dial_in(five[2], prompts, meeting.number, meeting.pin_of(NAMES[1]))
        prompts.expect(five[2], "welcome")
        meeting.wait_for(NAMES[1], "connected")
        five[0].wait_to_hear({TONES[2]})
        five[2].wait_to_hear({TONES[0]})

        # The same person once more: in the place of the first call, once the second is in.
        dial_in(five[3], prompts, meeting.number, meeting.pin_of(NAMES[1]))
        prompts.expect(five[3], "welcome")
        assert five[2].in_call
        is_free(five[2])
        five[0].wait_to_hear({TONES[3]})

        # Somebody who is not on the list, named by whose telephone it is.
        dial_in(five[4], prompts, meeting.number, meeting.role_pin("member"))
        prompts.expect(five[4], "welcome")
        meeting.wait_for(NAMES[4], "connected")
        [guest] = [each for each in meeting.api.participants(meeting.id) if each["name"] == NAMES[4]]
        assert (guest["role"], guest["guest"], guest["caller_number"]) == ("member", True, NUMBERS[4])
        five[0].wait_to_hear({TONES[3], TONES[4]})

        meeting.api.act(meeting.id, "lock")
        dial_in(five[2], prompts, meeting.number, meeting.role_pin("participant"))
        prompts.expect(five[2], "locked")
        is_free(five[2])


def test_who_guesses_is_sent_away_and_then_not_heard_any_more(
    stack: Stack, dialled_in: DialledIn, five: list[Phone]
) -> None:
    guesser = five[4]
    with Prompts(stack) as prompts:
        for what in ("pin", "number", "number"):
            guesser.dial(ACCESS)
            prompts.expect(guesser, "enter-number")
            if what == "pin":
                guesser.press(f"{dialled_in.number}#")
                prompts.expect(guesser, "enter-pin")
            for _ in range(2):
                guesser.press("1#")
                prompts.expect(guesser, f"wrong-{what}", f"enter-{what}")
            guesser.press("1#")
            prompts.expect(guesser, "too-many-tries")
            guesser.hang_up()
        guesser.dial(ACCESS)
        prompts.expect(guesser, "enter-number")
        guesser.press("1#")
        prompts.expect(guesser, "blocked")
        guesser.hang_up()
        guesser.dial(ACCESS)
        prompts.expect(guesser, "blocked")
        is_free(guesser)
        # Somebody else is asked; nothing keyed is asked once more.
        five[3].dial(ACCESS)
        prompts.expect(five[3], "enter-number")
        five[3].press("#")
        prompts.expect(five[3], "nothing-entered")
        prompts.expect(five[3], "enter-number")
        five[3].hang_up()


def test_a_restart_of_the_switch_calls_everybody_back(stack: Stack, meeting: Meeting) -> None:
    meeting.act("mute", 1)
    meeting.hears(0, 2, 3, 4)
    calls = [phone.called for phone in meeting.phones]
    stack.kill("freeswitch")
    # The calls are gone without a word; phones notice by their connection, and register anew.
    for phone in meeting.phones:
        phone.drop()
    for phone in meeting.phones:
        wait_until(partial(registers, phone), f"{phone.number} registers again", 30)
    wait_until(lambda: all(phone.in_call for phone in meeting.phones), "everybody is called back", 60)
    meeting.wait_for_states(*["connected"] * 5)
    meeting.hears(0, 2, 3, 4)
    meeting.hears(1, 0, 2, 3, 4)
    assert [phone.called for phone in meeting.phones] == [before + 1 for before in calls]


def test_the_node_is_as_it_should_be(stack: Stack) -> None:
    manage(stack, "freeswitch", "check", "local")


# Carriers


@pytest.fixture(scope="module")
def carriers(stack: Stack) -> Iterator[tuple[Carrier, Carrier]]:
    """Two that are there; the first does not take calls."""
    certificate = sign_for_carrier(stack.var / "freeswitch" / "certs", "127.0.0.1", stack.var / "carrier.pem")
    with Carrier(certificate, answer=503) as first, Carrier(certificate) as second:
        yield first, second


def test_gateways_are_added_changed_and_removed_without_a_restart(
    stack: Stack, carriers: tuple[Carrier, Carrier]
) -> None:
    first, second = carriers
    api = stack.sign_in()
    gateways, home = Gateways(api), stack.var / "freeswitch"
    esl = Client("127.0.0.1", int((home / "esl-port").read_text()), (home / "esl-password").read_text().strip())

    def known() -> set[str]:
        return set(re.findall(r"<name>(gw-.*?)</name>", esl.api("sofia xmlstatus gateway")))

    def called() -> tuple[list[str], list[str]]:
        return [call.number for call in first.calls], [call.number for call in second.calls]

    def shows(name: str, word: str) -> None:
        wait_until(lambda: word in gateways.listed(name), f"{name} is shown as {word}", 20)

    common = {
        "handles": ["mobile"],
        "prefix": "+86",
        "host": "127.0.0.1",
        "username": "acme",
        "caller_number": "+862155550000",
        "rules-0-prefix": "+86",
    }
    trunk_port = int((home / "trunk-port").read_text())

    def calling() -> int:
        """What somebody is told who calls from here as a carrier would."""
        with Line(("127.0.0.1", trunk_port), home / "certs" / "cafile.pem") as line:
            return line.request("INVITE", "02155550000", body=sdp("AEAD_AES_256_GCM")).status

    assert calling() == 403
    page = gateways.add(name="first", priority="1", port=str(first.port), networks="127.0.0.1", **common)
    gateways.add(
        name="second",
        priority="2",
        port=str(second.port),
        register="on",
        password=second.password,
        identity="asserted",
        **{**common, "rules-0-replacement": "0"},
    )
    shows("first", "ready")
    shows("second", "registered")
    assert len(second.registered) == 1
    assert calling() not in (403, 480)  # it is known whose call it is; what becomes of it says the dialplan
    manage(stack, "freeswitch", "check", "local")

    # The first one says 503: the second gets the call at once, as it wants numbers to be.
    conference = launch(api, [person("赵六", "+8613800138000")])
    wait_until(lambda: states(api, conference) == {"赵六": "connected"}, "the second carrier took the call", 15)
    assert called() == (["13800138000"], ["013800138000"])
    told = second.calls[0].headers
    assert "<sip:acme@127.0.0.1" in told["from"]
    assert "<sip:+862155550000@127.0.0.1>" in told["p-asserted-identity"]
    assert "<sip:+862155550000@127.0.0.1>" in first.calls[0].headers["from"]
    attempts = stack.rows(
        "SELECT gateway_name, cause, sip_code FROM conferences_attempt WHERE conference_id = %s ORDER BY ordinal",
        conference,
    )
    assert [(each["gateway_name"], each["cause"], each["sip_code"]) for each in attempts] == [
        ("first", "NORMAL_TEMPORARY_FAILURE", 503),
        ("second", "", 0),
    ]

    # Another revision is another gateway; that of a call stays as long as the call. One that is down is passed over.
    before = known()
    gateways.change(page, register="on", password="wrong")
    shows("first", "sign-in failed")
    second_page = stack.rows("SELECT id FROM switch_gateway WHERE name = 'second'")[0]["id"]
    gateways.change(page.replace(page.split("/")[-3], str(second_page)), expire_seconds="700")
    wait_until(lambda: len(second.registered) == 2, "the second gateway signs in anew")
    shows("second", "registered")
    wait_until(lambda: len(known()) == 3, "the first gateway's old revision is gone")
    assert len(known() & before) == 1
    another = launch(api, [person("孙七", "+8613800138001")])
    wait_until(lambda: states(api, another) == {"孙七": "connected"}, "it is called", 15)
    assert called() == (["13800138000"], ["013800138000", "013800138001"])
    assert stack.rows("SELECT gateway_name FROM conferences_attempt WHERE conference_id = %s", another) == [
        {"gateway_name": "second"}
    ]

    api.act(conference, "end")
    api.act(another, "end")
    wait_until(lambda: second.ended == 2, "the calls are over")
    for each in stack.rows("SELECT id FROM switch_gateway WHERE host <> ''"):
        gateways.delete(page.replace(page.split("/")[-3], str(each["id"])))
    wait_until(lambda: known() == set(), "no gateway is left, nor an old revision", 20)
    assert calling() == 403
    esl.close()


def test_a_restart_that_is_wanted_waits_for_the_conference(stack: Stack, five: list[Phone]) -> None:
    def restart_wanted() -> bool:
        return bool(stack.rows("SELECT restart_wanted FROM switch_node WHERE name = 'local'")[0]["restart_wanted"])

    meeting = Meeting(stack.sign_in(), five, stack.var / "freeswitch" / "sounds")
    core = stack.rows("SELECT core_uuid FROM switch_node WHERE name = 'local'")
    home = str(stack.var / "freeswitch" / "certs")
    manage(stack, "freeswitch", "certificates", home, "--host", "127.0.0.1", "--renew", "--node", "local")
    stack.hand_over()  # to one that reads the node at once
    meeting.everybody_hears_the_others()
    assert restart_wanted()
    meeting.api.act(meeting.id, "end")
    wait_until(lambda: not restart_wanted(), "the switch has started anew", 90)
    assert stack.rows("SELECT core_uuid FROM switch_node WHERE name = 'local'") != core


def registers(phone: Phone) -> bool:
    try:
        phone.register_again()
    except BaresipError:
        return False
    return True


def test_phones_wait_in_the_lobby_until_they_are_admitted_or_refused(stack: Stack, five: list[Phone]) -> None:
    """Whom a member has called waits, where everybody does who comes without those in charge."""
    chair, waits, goes = five[:3]
    api, member = stack.sign_in(), stack.sign_in("chenjing")
    users = {each["display_name"]: each["id"] for each in api.all("users/")}
    people = [person(NAMES[0], NUMBERS[0], "chair"), person("赵六", NUMBERS[3], "member", user=users["陈静"])]
    options = {"lobby": "everybody", "member_may_invite": True}
    launched = api.post("conferences/", {"title": "评审", "people": people, **options})
    assert launched.status_code == 201, launched.text
    conference = launched.json()["id"]
    invited = [person(name, number) for name, number in zip(NAMES[1:3], NUMBERS[1:3], strict=True)]
    member.act(conference, "invite", people=invited)

    def one(name: str) -> dict[str, Any]:
        return next(each for each in api.participants(conference) if each["name"] == name)

    for name in NAMES[1:3]:
        wait_until(lambda name=name: one(name)["room"] == "lobby", f"{name} is in the lobby", 30)  # type: ignore[misc]
    chair.wait_to_hear({TONES[3]}, 20)
    assert waits.hears() == goes.hears() == set()

    api.act(conference, "lock")
    api.act(conference, "refuse", participants=[one(NAMES[2])["id"]])
    api.act(conference, "admit", participants="waiting")
    waits.wait_to_hear({TONES[0], TONES[3]}, 20)
    wait_until(lambda: not goes.in_call, "who is refused is hung up", 20)
    announced = stack.rows("SELECT played_at, error FROM conferences_announcement WHERE conference_id = %s", conference)
    assert [(bool(each["played_at"]), each["error"]) for each in announced] == [(True, "")], "and was told before"
    assert (one(NAMES[2])["state"], one(NAMES[2])["refused"]) == ("left", True)
    api.act(conference, "end")
    wait_until(lambda: not any(phone.in_call for phone in five), "the end for all ends all calls")
