"""What the control plane answers to a call, and what becomes of the call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from freeswitch.pocket.dialplan import Action, DialplanError, expand, read_actions
from freeswitch.pocket.xml_curl import XmlCurl
from tests.doubles.control_plane import Actions
from tests.unit.pocket.scene import JOIN, Scene, play
from tests.unit.pocket.test_sound import write_tone

EXTENSION = '<section name="dialplan"><context name="public"><extension name="x">{}</extension></context></section>'


def _read(inside: str, context: str = "public") -> list[Action]:
    return read_actions(ET.fromstring(EXTENSION.format(inside)), context)


def test_actions_are_read() -> None:
    steps = '<action application="answer"/><action application="sleep" data="500"/>'
    assert _read(f"<condition>{steps}</condition>") == [Action("answer", ""), Action("sleep", "500")]
    assert _read(f"<condition>{steps}</condition>", "other") == []
    assert _read(f"<condition>{steps}</condition>", "public' or '1") == []


@pytest.mark.parametrize(
    "inside",
    [
        '<condition field="destination_number" expression="^1$"><action application="answer"/></condition>',
        '<condition><anti-action application="answer"/></condition>',
        '<condition><action application="set" data="a=1" inline="true"/></condition>',
        "<regex/>",
    ],
)
def test_what_is_not_known_is_refused(inside: str) -> None:
    with pytest.raises(DialplanError):
        _read(inside)


def test_variables_are_filled_in() -> None:
    assert expand("transfer ${pin} XML ${none}x", {"pin": "4711"}) == "transfer 4711 XML x"
    with pytest.raises(DialplanError):
        expand("${system(reboot)}", {})


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "127.0.0.1:8000", "http:///x"])
def test_a_url_is_one(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        XmlCurl(url, "node", "secret")


@pytest.mark.parametrize(
    ("actions", "status", "cause"),
    [
        ([("hangup", "USER_BUSY")], 486, "USER_BUSY"),
        ([("hangup", "")], 480, "NORMAL_CLEARING"),
        ([("system", "reboot")], 502, "DESTINATION_OUT_OF_ORDER"),
        ([("playback", "tone_stream://%(100,0,500)")], 502, "DESTINATION_OUT_OF_ORDER"),
        ([("transfer", "elsewhere LUA")], 502, "DESTINATION_OUT_OF_ORDER"),
        ([("transfer", "circle XML public")], 502, "DESTINATION_OUT_OF_ORDER"),
        ([("set", "a=1"), ("transfer", "nowhere XML public")], 603, "CALL_REJECTED"),
        ([("set", "cause=USER_BUSY"), ("hangup", "${cause}")], 486, "USER_BUSY"),
        ([("set", "cause=USER_BUSY"), ("unset", "cause"), ("hangup", "${cause}")], 480, "NORMAL_CLEARING"),
        ([("sleep", "10")], 480, "NORMAL_CLEARING"),
    ],
)
def test_a_call_that_is_not_answered_ends_as_the_dialplan_has_it(actions: Actions, status: int, cause: str) -> None:
    async def act(scene: Scene) -> None:
        scene.plane.dialplan |= {"7000": actions, "circle": [("transfer", "circle XML public")]}
        page = await scene.page("b-1")
        assert (await page.call("7000")).status == status
        [ended] = scene.pocket.named("CHANNEL_HANGUP_COMPLETE")
        assert ended["Hangup-Cause"] == cause

    play(act)


def test_variables_go_along_to_the_next_question() -> None:
    async def act(scene: Scene) -> None:
        scene.plane.dialplan["7000"] = [("answer", ""), ("set", "pin=4711"), ("transfer", "join XML lobby")]
        await scene.joined("b-1", number="7000")
        first, second = scene.plane.questions["dialplan"]
        assert (first["Caller-Destination-Number"], first["Hunt-Context"]) == ("7000", "public")
        assert (second["Caller-Destination-Number"], second["Hunt-Context"]) == ("join", "lobby")
        assert second["variable_pin"] == "4711"
        assert second["Unique-ID"] == first["Unique-ID"]
        assert second["Answer-State"] == "answered"

    play(act)


def test_who_is_not_let_in_goes_on_in_the_dialplan() -> None:
    async def act(scene: Scene) -> None:
        await scene.joined("b-1")
        await scene.pocket.api("conference R lock")
        scene.plane.dialplan["late"] = [JOIN, ("conference", "lobby@lobby+flags{mute|deaf}")]
        _, leg = await scene.joined("b-2", number="late")
        assert leg.member is not None
        assert (leg.member.room.name, leg.member.can_speak, leg.member.can_hear) == ("lobby", False, False)

    play(act)


def test_what_is_to_be_done_at_the_answer_is_done() -> None:
    async def act(scene: Scene) -> None:
        scene.plane.variables = {"execute_on_answer": "hangup CALL_REJECTED"}
        page = await scene.page("b-1")
        assert (await page.call("join")).status == 200
        async with asyncio.timeout(5):
            await page.ended.wait()
        assert [event["Hangup-Cause"] for event in scene.pocket.named("CHANNEL_HANGUP_COMPLETE")] == ["CALL_REJECTED"]
        assert scene.pocket.named("add-member") == []
        scene.plane.dialplan["admitted"] = [("unset", "execute_on_answer"), JOIN]
        await scene.joined("b-2", number="admitted")

    play(act)


def _digits(tmp_path: Path, *more: str) -> Actions:
    """Ask for two to four digits, three times, with a high tone for a prompt and a low one for a refusal."""
    prompt, bad = tmp_path / "prompt.wav", tmp_path / "bad.wav"
    write_tone(prompt, 2300, 16_000)
    write_tone(bad, 500, 16_000)
    ask = f"2 4 3 2000 # {prompt} {bad} pin {' '.join(more)}".rstrip()
    return [("answer", ""), ("play_and_get_digits", ask), JOIN]


@pytest.mark.parametrize(
    ("keys", "more", "pin"),
    [
        ("12#", (), "12"),
        ("1234", (), "1234"),
        ("12", (r"^\d+$", "200"), "12"),
        ("1#45#", (), "45"),
        ("99#45#", ("^45$",), "45"),
    ],
    ids=["terminator", "as many as may be", "a pause", "too few, then enough", "not what is expected, then so"],
)
def test_digits_are_collected(keys: str, more: tuple[str, ...], pin: str, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.plane.dialplan["7000"] = _digits(tmp_path, *more)
        page = await scene.page("b-1")
        assert (await page.call("7000")).status == 200
        await scene.hears(page, {2300})
        for key in keys:
            assert (await page.press(key)).status == 200
        await scene.pocket.until(lambda: bool(scene.pocket.named("add-member")), "it is let in", 10)
        [leg] = scene.pocket.switch.legs.values()
        assert leg.variables["pin"] == pin
        assert leg.variables.get("pin_invalid") == ("99" if "99" in keys else None)

    play(act)


def test_who_presses_nothing_is_asked_again_and_led_elsewhere(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        actions = _digits(tmp_path, "x", "0", "'giveup XML public'")
        ask = actions[1][1].replace("2 4 3 2000", "2 4 2 1000")
        scene.plane.dialplan |= {"7000": [actions[0], (actions[1][0], ask)], "giveup": [("hangup", "NO_ANSWER")]}
        page = await scene.page("b-1")
        assert (await page.call("7000")).status == 200
        await scene.hears(page, {2300})
        await scene.hears(page, {500})
        await scene.hears(page, {2300})
        async with asyncio.timeout(10):
            await page.ended.wait()
        assert page.goodbye is not None
        assert page.goodbye.get("Reason") == 'Q.850;cause=19;text="NO_ANSWER"'
        assert [question["Caller-Destination-Number"] for question in scene.plane.questions["dialplan"]] == [
            "7000",
            "giveup",
        ]

    play(act)


def test_a_missing_prompt_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    async def act(scene: Scene) -> None:
        scene.plane.dialplan["7000"] = [("answer", ""), ("playback", "/nowhere.wav"), JOIN]
        await scene.joined("b-1", number="7000")

    play(act)
    assert "/nowhere.wav" in caplog.text
