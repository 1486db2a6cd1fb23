"""The whole system with a real FreeSWITCH: what is done in the API is heard in five registered phones."""

from __future__ import annotations

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

from tests.contract.esl import Client
from tests.live.phones import G722, OPUS, PCMA, Phone, Phones
from tests.live.tones import HEARD, SENT, TONES
from tests.servers import wait_until
from tests.system.plans import launch, person, states
from tests.system.stack import ROOT, Api, Stack

NAMES = ["张伟", "王芳", "李娜", "刘洋", "陈静"]
NUMBERS = ["8811", "8812", "8813", "8814", "8815"]
CODECS = [OPUS, OPUS, G722, PCMA, PCMA]
PASSWORD = "only-in-this-test"
MISLED, OLD = "+8613888889000", "+8613877779000"

# The demonstration's data leads to the gateway of registered extensions with any number but its scripted people's.
ACCOUNTS = f"""
from django.conf import settings
from apps.switch.digest import a1_hash
from apps.switch.models import Extension
for number, name in zip({NUMBERS}, {NAMES}):
    known = a1_hash(number, settings.SPARKLE_SIP_REALM, "{PASSWORD}")
    Extension.objects.create(number=number, display_name=name, a1_hash=known)
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

    def __init__(self, api: Api, five: list[Phone]) -> None:
        self.api, self.phones = api, five
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

    def hears(self, listener: int, *speakers: int) -> None:
        self.phones[listener].wait_to_hear({TONES[speaker] for speaker in speakers})

    def everybody_hears_the_others(self) -> None:
        for i in range(5):
            self.hears(i, *set(range(5)) - {i})


@pytest.fixture
def meeting(stack: Stack, five: list[Phone]) -> Iterator[Meeting]:
    meeting = Meeting(stack.sign_in(), five)
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


def test_a_restart_that_is_wanted_waits_for_the_conference(stack: Stack, five: list[Phone]) -> None:
    def restart_wanted() -> bool:
        return bool(stack.rows("SELECT restart_wanted FROM switch_node WHERE name = 'local'")[0]["restart_wanted"])

    meeting = Meeting(stack.sign_in(), five)
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
