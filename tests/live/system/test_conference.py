"""What is done in the API, or by keys, is heard in five registered phones; each line is told as it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.contract.esl import Client
from tests.live.phones import Phones
from tests.live.system.installation import MISLED, OLD
from tests.live.system.meeting import Meeting
from tests.live.tones import HEARD, SENT, TONES
from tests.servers import wait_until
from tests.system.plans import launch, person
from tests.system.stack import Stack


def test_all_hear_the_others_and_mute_and_forbid_silence_one(meeting: Meeting) -> None:
    meeting.everybody_hears_the_others()
    meeting.act("mute", 1)
    meeting.hear({0: {2, 3, 4}, 1: {0, 2, 3, 4}})
    meeting.act("unmute", 1)
    meeting.hears(0, 1, 2, 3, 4)
    meeting.act("forbid", 2)
    meeting.hear({0: {1, 3, 4}, 4: {0, 1, 3}})
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
    meeting.hear({2: {3}, 3: {2}, 4: {2, 3}, 0: {1, 2, 3}})
    heard = meeting.phones[1].listen()
    assert heard[TONES[0]] == pytest.approx(SENT, abs=3)
    for main in (2, 3):
        assert HEARD < heard[TONES[main]] < SENT - 3  # softly
    meeting.api.act(meeting.id, "whisper_soft", whisper=whisper, soft_main=False)
    meeting.hear({0: {1}, 1: {0}, 2: {3}})
    meeting.wait_for_states(*["connected"] * 5)  # nobody left the roster
    meeting.api.act(meeting.id, "whisper_close", whisper=whisper)
    meeting.hear({0: {1, 2, 3}, 2: {0, 1, 3}})


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
    meeting.hear({1: {0}, 0: set()})
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
    meeting.hear({3: {0, 1, 2, 4}, 0: {1, 2, 4}})
