"""The configuration of a node: its own values, for its owner only, all or nothing, and nothing that was not meant."""

from __future__ import annotations

import dataclasses
import re
import stat
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.switch import srtp
from apps.switch.freeswitch.nodes import configuration
from apps.switch.freeswitch.render import (
    LOBBY_TONES,
    SOURCE,
    Configuration,
    InvalidConfiguration,
    render_configuration,
)
from apps.switch.models import Node

GIVEN = Configuration(
    name="fs-1",
    domain="sip.example.cn",
    realm="sparkle",
    sip_address="10.0.0.5",
    external_address="203.0.113.7",
    sip_tls_port=5061,
    wss_port=7443,
    trunk_tls_port=5081,
    rtp_start_port=10_000,
    rtp_end_port=19_998,
    esl_port=8021,
    esl_password="a-password-of-enough-length",
    max_sessions=2000,
    sessions_per_second=1000,
    xml_url="https://conference.example.cn",
    xml_password="another-password-of-enough-length",
)


def variables(conf: Path) -> dict[str, str]:
    """As FreeSWITCH's preprocessor reads them (switch_xml.c, preprocess)."""
    text = (conf / "vars.xml").read_text()
    return dict(re.findall(r'^<X-PRE-PROCESS cmd="set" data="(\w+)=([^"]*)"/>$', text, re.M))


def used_variables(conf: Path) -> set[str]:
    texts = [file.read_text() for file in conf.rglob("*.xml")]
    return {name for text in texts for name in re.findall(r"\$\$\{(\w+)\}", text)}


def test_every_variable_has_its_value_and_every_value_its_use(tmp_path: Path) -> None:
    conf = render_configuration(dataclasses.replace(GIVEN, exempt_sip_port=5060), tmp_path)
    its_own = {"certs_dir", "sounds_dir"}
    assert used_variables(conf) - its_own == set(variables(conf))
    assert variables(conf)["sip_ip"] == "10.0.0.5"
    assert variables(conf)["external_ip"] == "203.0.113.7"
    assert variables(conf)["lobby_sound"] == LOBBY_TONES


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    conf = render_configuration(GIVEN, home)
    assert stat.S_IMODE((conf / "vars.xml").stat().st_mode) == 0o600
    for place in (home, home / "log", home / "temp"):  # FreeSWITCH writes secrets into the log directory
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert GIVEN.esl_password in (conf / "vars.xml").read_text()
    others = [file.read_text() for file in conf.rglob("*.xml") if file.name != "vars.xml"]
    assert not any(secret in text for text in others for secret in (GIVEN.esl_password, GIVEN.xml_password))


def test_it_is_replaced_as_a_whole(tmp_path: Path) -> None:
    first = render_configuration(GIVEN, tmp_path)
    before = first.resolve()
    (before / "dialplan" / "of-somebody.xml").write_text("<include/>")
    second = render_configuration(dataclasses.replace(GIVEN, sip_tls_port=5062), tmp_path)
    assert first == second == tmp_path / "conf"
    assert second.resolve() != before
    assert variables(second)["sip_tls_port"] == "5062"
    assert not (second / "dialplan" / "of-somebody.xml").exists()
    assert [path for path in tmp_path.glob("conf*") if path != second] == [second.resolve()]


def test_a_folder_of_before_gives_way(tmp_path: Path) -> None:
    (tmp_path / "conf" / "directory").mkdir(parents=True)
    (tmp_path / "conf" / "directory" / "extensions.xml").write_text("<include/>")
    assert not (render_configuration(GIVEN, tmp_path) / "directory").exists()


def test_the_port_without_encryption_is_there_only_when_asked_for(tmp_path: Path) -> None:
    conf = render_configuration(GIVEN, tmp_path)
    assert sorted(file.stem for file in (conf / "sip_profiles").glob("*.xml")) == ["internal", "trunk"]
    conf = render_configuration(dataclasses.replace(GIVEN, exempt_sip_port=5060), tmp_path)
    assert (conf / "sip_profiles" / "trunk-exempt.xml").exists()


def test_scripted_people_are_there_only_when_asked_for(tmp_path: Path) -> None:
    conf = render_configuration(GIVEN, tmp_path)
    assert [file.name for file in (conf / "dialplan").iterdir()] == ["public.xml"]
    conf = render_configuration(GIVEN, tmp_path, rehearsal=True)
    assert (conf / "dialplan" / "rehearsal.xml").exists()
    assert (conf / "speech" / "zh.wav").exists()


def test_the_prompts_are_there_and_an_administrators_own_have_to_be_right(tmp_path: Path) -> None:
    home, own = tmp_path / "home", tmp_path / "custom" / "en" / "welcome.wav"
    own.parent.mkdir(parents=True)
    own.write_text("no sound")
    given = dataclasses.replace(GIVEN, recordings=tmp_path / "custom")
    with pytest.raises(InvalidConfiguration, match=r"recordings: .*/en/welcome\.wav: write a WAV file"):
        render_configuration(given, home)
    assert not home.exists()
    own.unlink()
    render_configuration(given, home)
    assert (home / "sounds" / "en" / "welcome.wav").exists()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["", "a b", 'a"', "a:b", "x" * 65, "a\n"]),
        (
            "domain",
            ["", "sip.example.cn:5061", "a b", "$${esl_password}", 'a"/><x'],
        ),
        ("realm", ["", 'a"', "a b"]),
        ("sip_address", ["", "0.0.0.0", "::1", "sip.example.cn", "10.0.0.5/8", "224.0.0.1"]),
        ("external_address", ["", "auto-nat", "stun:stun.example.cn", "1.2.3"]),
        ("sip_tls_port", [0, 443, 65536, 7443]),
        ("exempt_sip_port", [5061, 80]),
        ("rtp_end_port", [9_999]),
        ("max_sessions", [0, -1]),
        (
            "esl_password",
            ["", "ClueCon", 'long enough but with "', "long-enough-but-with-$${x}", "long-enough\nfor-two-lines"],
        ),
        ("xml_password", ["", "short"]),
        ("xml_ca_file", ["", "relative.pem", "/a b", '/a"b']),
        ("lobby_sound", ["", "music.wav", "/music.wav;rm", "shell_stream:///bin/sh"]),
        (
            "xml_url",
            [
                "",
                "http://conference.example.cn",
                "http://10.0.0.5:8000",
                "http://127.0.0.1.example.cn",
                "http://localhost.example.cn",
                "https://user:password@conference.example.cn",
                "https://conference.example.cn/?a=b",
                "https://",
                "ftp://127.0.0.1",
                "file:///etc/passwd",
                'https://conference.example.cn/"',
            ],
        ),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, field: str, values: list[Any]
) -> None:
    for value in values:
        with pytest.raises(InvalidConfiguration) as refusal:
            render_configuration(dataclasses.replace(GIVEN, **{field: value}), tmp_path / "home")
        assert not ("password" in field and value and value in str(refusal.value))
        assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost", "http://127.3.2.1:80", "https://10.0.0.5", "https://a.cn/base"]
)
def test_this_machine_or_https_may_be_asked(tmp_path: Path, url: str) -> None:
    assert variables(render_configuration(dataclasses.replace(GIVEN, xml_url=url), tmp_path))["xml_url"] == url


# The files themselves


def params(file: str, path: str = ".//param") -> dict[str, str]:
    tree = ET.fromstring((SOURCE / file).read_text())
    return {param.attrib["name"]: param.attrib["value"] for param in tree.iterfind(path)}


def test_every_file_is_xml_with_a_comment() -> None:
    for file in SOURCE.rglob("*.xml"):
        assert "<!--" in file.read_text() or file.name in {"console.conf.xml"}, file
        ET.fromstring(file.read_text())


def test_encryption_is_the_rule_for_every_leg() -> None:
    text = (SOURCE / "freeswitch.xml").read_text()
    assert f'data="rtp_secure_media={srtp.MANDATORY}"' in text


def test_nothing_is_bound_that_would_stop_the_mix() -> None:
    tree = ET.fromstring((SOURCE / "autoload_configs" / "xml_curl.conf.xml").read_text())
    bindings = [param.get("bindings") for param in tree.iter("param") if param.get("name") == "gateway-url"]
    assert bindings == ["directory", "dialplan"]
    for binding in tree.iter("binding"):
        told = {param.get("name"): param.get("value") for param in binding.iter("param")}
        assert told["timeout"] == "2"
        assert (told["enable-cacert-check"], told["enable-ssl-verifyhost"]) == ("true", "true")
        assert "enable-post-var" in told  # else all is sent


def test_there_are_no_users_gateways_or_samples() -> None:
    for file in SOURCE.rglob("*.xml"):
        tree = ET.fromstring(file.read_text())
        assert not list(tree.iter("user")), file
        assert not list(tree.iter("gateway")), file


# The command


@pytest.mark.django_db
def test_the_command_writes_what_the_row_and_the_settings_say(tmp_path: Path) -> None:
    node = Node.objects.create(
        name="fs-1",
        domain="sip.example.cn:5061",
        esl_password="a-password-of-enough-length",
        sip_address="10.0.0.5",
        max_legs=700,
        calls_per_second=400,
        exempt_sip_port=5060,
    )
    call_command("freeswitch", "render", tmp_path, "--node", "fs-1", verbosity=0)
    found = variables(tmp_path / "conf")
    assert found["domain"] == "sip.example.cn"
    assert found["external_ip"] == found["sip_ip"] == "10.0.0.5"
    assert found["xml_password"] == node.xml_password
    assert found["xml_url"] == settings.SPARKLE_XML_URL
    assert found["exempt_sip_port"] == "5060"
    assert int(found["max_sessions"]) >= 2 * 700
    assert int(found["sessions_per_second"]) >= 2 * 400


@pytest.mark.django_db
def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no node 'fs-9'"):
        call_command("freeswitch", "render", tmp_path, "--node", "fs-9")
    Node.objects.create(name="fs-1", esl_password="ClueCon")
    with pytest.raises(CommandError, match="esl_password") as refusal:
        call_command("freeswitch", "render", tmp_path, "--node", "fs-1")
    assert "ClueCon" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_those_who_wait_hear_the_house_s_own_sound(settings: Any, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    node = Node.objects.create(name="fs-1", esl_password="-")
    assert configuration(node).lobby_sound == LOBBY_TONES
    (tmp_path / "custom").mkdir()
    (tmp_path / "custom" / "lobby.wav").write_bytes(b"")
    assert configuration(node).lobby_sound == str(tmp_path / "custom" / "lobby.wav")
