"""What has to agree with the table of keys: the switch's controls, the sentences, the page of the documentation."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from apps.conferences.access import Role, Switch
from apps.conferences.keypad import acts
from apps.conferences.keypad.table import ALL, COMMANDS, Command
from apps.switch.prompts import LANGUAGES
from freeswitch.pocket.members import KEY_SECONDS
from freeswitch.pocket.rooms import PROFILES

ROOT = Path(__file__).parents[3]
SIGNS = {"en": {"*": "star ", "#": "hash "}, "zh-hans": {"*": "星号键 ", "#": "井号键 "}}


def sentences(language: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads((ROOT / "freeswitch/prompts" / f"{language}.toml").read_text())["sentences"]
    return found


def test_both_switches_tell_just_these_keys() -> None:
    conf = ElementTree.parse(ROOT / "freeswitch/conf/autoload_configs/conference.conf.xml")
    controls = [control.attrib for control in conf.iterfind("caller-controls/group/control")]
    assert controls == [{"action": "event", "digits": each.keys} for each in ALL]
    assert {profile.controls for profile in PROFILES.values()} == {frozenset(each.keys for each in ALL)}


def test_both_switches_wait_as_long_for_the_second_key() -> None:
    room = ElementTree.parse(ROOT / "freeswitch/conf/rooms/room.xml")
    [param] = room.iterfind("param[@name='ivr-dtmf-timeout']")
    assert float(param.attrib["value"]) == KEY_SECONDS * 1000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_menu_says_the_keys(language: str) -> None:
    menu = {name: text for name, text in sentences(language).items() if name.startswith("menu-")}
    assert menu.keys() == {f"menu-{each.name}" for each in ALL if each.name != "help"}
    for each in ALL[1:]:
        said = SIGNS[language][each.keys[0]] + each.keys[1]
        assert [name for name, text in menu.items() if re.search(rf"{said}\b", text)] == [f"menu-{each.name}"]
    hand = next(each.keys for each in ALL if each.name == "hand")
    assert SIGNS[language][hand[0]] + hand[1] in sentences(language)["key-floor-moderated"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_is_a_sentence_for_all_that_is_said_and_no_other(language: str) -> None:
    said = set(re.findall(r'"(key-[a-z-]+)"', Path(acts.__file__).read_text()))
    assert said == {name for name in sentences(language) if name.startswith("key-")}


def whom(command: Command) -> str:
    if command.is_for(Role.PARTICIPANT, frozenset()):
        return "everybody"
    if command.is_for(Role.PARTICIPANT, frozenset({Switch.PARTICIPANT_MAY_REPLAY})):
        return "the chair, members and participants who may replay"
    members = ", members who may invite" if command.is_for(Role.MEMBER, frozenset({Switch.MEMBER_MAY_INVITE})) else ""
    return f"the chair{members}"


def test_the_documentation_has_the_table() -> None:
    rows = re.findall(r"^\| `(..)` \| .+ \| (.+) \|$", (ROOT / "docs/keypad.md").read_text(), re.M)
    assert [keys for keys, _ in rows] == [each.keys for each in ALL]
    assert [row for row in rows if row[0] in COMMANDS] == [(keys, whom(each)) for keys, each in COMMANDS.items()]
