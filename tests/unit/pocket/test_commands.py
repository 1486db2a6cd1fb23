"""Command lines, and what a SIP endpoint tells that a loopback does not (the contract has the rest)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from freeswitch.pocket.commands.text import split, take_variables, whole_number
from tests.unit.pocket.running import running


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a  b c", ["a", "b", "c"]),
        ("{a='x y',b=1}null/x &park", ["{a=x y,b=1}null/x", "&park"]),
        (r"a\ b c", ["a b", "c"]),
        ("", []),
    ],
)
def test_lines_are_split_as_freeswitch_does(line: str, words: list[str]) -> None:
    assert split(line) == words


def test_variables_stand_in_braces() -> None:
    assert take_variables(r"{a=1,b=x\,y,c=ghost|nomoh}rest") == ({"a": "1", "b": "x,y", "c": "ghost|nomoh"}, "rest")
    assert take_variables("rest") == ({}, "rest")
    with pytest.raises(ValueError, match="brace"):
        take_variables("{a=1")


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("-3", -3), ("4x", 4), ("x4", 0), ("", 0), ("uuid=1", 0)])
def test_numbers_are_read_as_atoi_does(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("number", "cause", "code", "q850"),
    [
        ("13800009486", "USER_BUSY", "486", "17"),
        ("13800009603", "CALL_REJECTED", "603", "21"),
        ("13800009404", "UNALLOCATED_NUMBER", "404", "1"),
        ("13800009480", "NO_USER_RESPONSE", "480", "18"),
        ("13800009503", "NORMAL_TEMPORARY_FAILURE", "503", "41"),
    ],
)
def test_a_trunk_tells_its_sip_code(number: str, cause: str, code: str, q850: str) -> None:
    async def scene() -> None:
        async with running() as pocket:
            assert await pocket.api(f"originate {{}}sofia/gateway/trunk/{number} &park()") == f"-ERR {cause}\n"
            [ended] = pocket.named("CHANNEL_HANGUP_COMPLETE")
            assert ended["Hangup-Cause"] == cause
            assert ended["variable_sip_term_status"] == code
            assert ended["variable_proto_specific_hangup_cause"] == f"sip:{code}"
            assert ended["variable_hangup_cause_q850"] == q850

    asyncio.run(scene())


def test_an_unregistered_phone_gives_no_channel_event(tmp_path: Path) -> None:
    async def scene() -> None:
        table = tmp_path / "people.toml"
        table.write_text("[[person]]\nnumber = ''\nfails = 'USER_NOT_REGISTERED'\n")
        async with running(table) as pocket:
            reply = await pocket.api("originate {}sofia/internal/8001%example.org &conference(R@sparkle)")
            assert reply == "-ERR USER_NOT_REGISTERED\n"
            assert pocket.events == []

    asyncio.run(scene())


def test_an_encrypted_leg_says_so_twice() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("sofia/internal/9000%example.org", rtp_secure_media="mandatory")
            secured = pocket.named("CALL_SECURE")
            assert [event["caller-unique-id"] for event in secured] == [leg.uuid] * 2

    asyncio.run(scene())


def test_a_leg_tells_all_of_itself() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("null/9000", note="a:b")
            told = json.loads(await pocket.api(f"uuid_dump {leg.uuid} json"))
            assert (told["Event-Name"], told["Unique-ID"]) == ("CHANNEL_DATA", leg.uuid)
            assert (told["Channel-Read-Codec-Name"], told["variable_note"]) == ("L16", "a:b")
            assert "variable_note: a%3Ab\n" in await pocket.api(f"uuid_dump {leg.uuid}")
            assert "variable_note: a:b\n" in await pocket.api(f"uuid_dump {leg.uuid} plain")
            assert await pocket.api("uuid_dump nobody") == "-ERR No such channel!\n"

    asyncio.run(scene())


def test_sessions_have_a_limit_without_events() -> None:
    async def scene() -> None:
        async with running() as pocket:
            assert await pocket.api("fsctl max_sessions 1") == "+OK max sessions: 1\n"
            await pocket.join("null/a")
            before = len(pocket.named("CHANNEL_CREATE"))
            assert await pocket.api("originate {}null/b &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
            assert len(pocket.named("CHANNEL_CREATE")) == before

    asyncio.run(scene())


def test_a_paused_switch_calls_nobody() -> None:
    async def scene() -> None:
        async with running() as pocket:
            assert await pocket.api("fsctl pause") == "+OK\n"
            assert await pocket.api("originate {}null/b &park()") == "-ERR DESTINATION_OUT_OF_ORDER\n"
            assert await pocket.api("fsctl resume") == "+OK\n"
            assert (await pocket.api("originate {}null/b &park()")).startswith("+OK")

    asyncio.run(scene())


@pytest.mark.parametrize(
    "line",
    [
        "nosuch",
        "originate {}portaudio/x &park()",
        "originate {}null/x &system(reboot)",
        "originate {null/x &park()",
        "show registrations",
        "fsctl crash",
        "uuid_record nobody start /tmp/x.raw",
        "uuid_dump",
    ],
)
def test_what_it_does_not_know_it_refuses_and_logs(line: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with running() as pocket:
            reply = await pocket.api(line)
            assert reply.startswith(("-ERR", "-USAGE")), reply

    asyncio.run(scene())
    if line not in ("uuid_record nobody start /tmp/x.raw", "uuid_dump"):
        assert caplog.records


def test_a_full_room_ends_the_leg_without_a_word_of_the_room() -> None:
    async def scene() -> None:
        async with running() as pocket:
            await pocket.join("null/a")
            assert await pocket.api("conference R set max_members 1") == "0"
            uuid = str(uuid4())
            assert (
                await pocket.api(f"originate {{origination_uuid={uuid}}}null/b &conference(R@sparkle)")
                == f"+OK {uuid}\n"
            )
            await pocket.until(lambda: uuid not in pocket.switch.legs, "it is gone")
            assert len(pocket.named("add-member")) == 1

    asyncio.run(scene())
