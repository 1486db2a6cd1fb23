"""What is found of a node: the answers of a good one (of FreeSWITCH 1.10.12), and each fault by itself."""

from __future__ import annotations

import dataclasses
import json

import pytest

from apps.switch import srtp
from apps.switch.esl.rendering import Question
from apps.switch.freeswitch.check import CODECS, Finding, _clock, judged
from apps.switch.freeswitch.probe import is_named
from apps.switch.freeswitch.render import SOURCE
from tests.unit.switch.test_render import GIVEN

MODULES = [
    *(
        "mod_console",
        "mod_logfile",
        "mod_event_socket",
        "mod_commands",
        "mod_dptools",
        "mod_conference",
        "mod_xml_curl",
    ),
    *("mod_dialplan_xml", "mod_loopback", "mod_sofia", "mod_opus", "mod_spandsp", "mod_sndfile", "mod_tone_stream"),
    "CORE_PCM_MODULE",
]

PROFILES = """<?xml version="1.0" encoding="ISO-8859-1"?>
<profiles>
<profile><name>trunk</name><type>profile</type><state>RUNNING (0) (TLS)</state></profile>
<profile><name>internal</name><type>profile</type><state>RUNNING (0) (TLS)</state></profile>
<profile><name>internal</name><type>profile</type><state>RUNNING (0) (WSS)</state></profile>
<gateway><name>gw-1</name><type>gateway</type><state>REGED</state></gateway>
</profiles>"""


def profile(urls: str) -> str:
    return f"""<?xml version="1.0" encoding="ISO-8859-1"?>
<profile><profile-info>
<challenge-realm>sparkle</challenge-realm><context>public</context>
<sip-ip>10.0.0.5</sip-ip><ext-sip-ip>203.0.113.7</ext-sip-ip><ext-rtp-ip>203.0.113.7</ext-rtp-ip>
{urls}
<inbound-codecs>{CODECS}</inbound-codecs><outbound-codecs>{CODECS}</outbound-codecs>
<late-neg>true</late-neg>
</profile-info></profile>"""


TLS = "<tls-bind-url>sips:mod_sofia@10.0.0.5:{};maddr=10.0.0.5;transport=tls</tls-bind-url>"
WSS = "<wss-bind-url>sips:mod_sofia@10.0.0.5:7443;transport=wss</wss-bind-url>"
PHONES = "tls:5061"
ALL_PORTS = "tls:5061 udp,tcp:5060 wss:7443"
PLAIN = "<bind-url>sip:mod_sofia@10.0.0.5:5060;transport=udp,tcp</bind-url>"

GOOD = {
    Question.VERSION: "FreeSWITCH Version 1.10.12-release~64bit ( 64bit)",
    Question.CLOCK: "1795644475125210",
    Question.MAX_SESSIONS: "+OK max sessions: 2000",
    Question.SESSIONS_PER_SECOND: "+OK sessions per second: 1000",
    Question.API_EXPANSION: "+OK api_expansion is off",
    Question.MODULES: json.dumps({"row_count": 2, "rows": [{"type": "api", "ikey": name} for name in MODULES]}),
    Question.SECURE_MEDIA: srtp.MANDATORY,
    Question.PROFILES: PROFILES,
    Question.INTERNAL: profile(TLS.format(5061) + WSS),
    Question.TRUNK: profile(TLS.format(5081)),
    Question.TRUNK_EXEMPT: "Invalid Profile!",
    Question.ROOMS: (SOURCE / "autoload_configs" / "conference.conf.xml").read_text(),
    Question.CORE: """<configuration name="switch.conf"><settings>
        <param name="rtp-start-port" value="10000"></param><param name="rtp-end-port" value="19998"></param>
        </settings></configuration>""",
    Question.CONTROL_PLANE: "true",
}


def bad(answers: dict[Question, str], *, exempt_sip_port: int | None = None) -> dict[str, str]:
    expected = dataclasses.replace(GIVEN, exempt_sip_port=exempt_sip_port)
    return {finding.what: finding.found for finding in judged(expected, answers) if not finding.ok}


def test_a_good_node_has_nothing_bad() -> None:
    assert bad(GOOD) == {}


@pytest.mark.parametrize(
    ("question", "answer", "what", "found"),
    [
        (Question.VERSION, "FreeSWITCH Version 1.8.7-release", "version", "1.8"),
        (Question.VERSION, "", "version", ""),
        (Question.MAX_SESSIONS, "+OK max sessions: 1000", "most sessions", "1000"),
        (Question.SESSIONS_PER_SECOND, "+OK sessions per second: 30", "sessions a second", "30"),
        (Question.API_EXPANSION, "+OK api_expansion is on ", "API in variables", "on"),
        (Question.SECURE_MEDIA, "-ERR no reply", "encryption", "-ERR no reply"),
        (Question.SECURE_MEDIA, "optional", "encryption", "optional"),
        (Question.MODULES, "-ERR", "modules", ""),
        (Question.CORE, GOOD[Question.CORE].replace("19998", "32768"), "media ports", "10000-32768"),
        (Question.PROFILES, PROFILES.replace(">trunk<", ">external<"), "SIP profiles running", "external internal"),
        (Question.PROFILES, "", "SIP profiles running", ""),
        (Question.INTERNAL, profile(TLS.format(5061)), "internal: ports", PHONES),
        (Question.INTERNAL, profile(TLS.format(5061) + WSS + PLAIN), "internal: ports", ALL_PORTS),
        (Question.TRUNK, profile(TLS.format(5061)), "trunk: ports", PHONES),
        (Question.TRUNK, GOOD[Question.TRUNK].replace("neg>true", "neg>false"), "trunk: late negotiation", "false"),
        (Question.INTERNAL, GOOD[Question.INTERNAL].replace(">sparkle<", ">other<"), "internal: realm", "other"),
        (Question.INTERNAL, GOOD[Question.INTERNAL].replace(">public<", ">default<"), "internal: context", "default"),
        (Question.CONTROL_PLANE, "false", "asks the control plane", "not answered"),
        (Question.ROOMS, GOOD[Question.ROOMS].replace("#", "*"), "keys in rooms", "*0 *4 *5 *6 *7 *8 *9"),
    ],
)  # fmt: skip
def test_each_fault_is_told(question: Question, answer: str, what: str, found: str) -> None:
    assert bad({**GOOD, question: answer}) == {what: found}


def test_a_module_too_many_and_one_too_few_are_told() -> None:
    names = [name for name in MODULES if name != "mod_opus"] + ["mod_verto"]
    rows = json.dumps({"rows": [{"ikey": name} for name in names]})
    found = bad({**GOOD, Question.MODULES: rows})["modules"].split()
    assert "mod_verto" in found
    assert "mod_opus" not in found


def test_the_port_without_encryption_is_expected_only_where_there_is_one() -> None:
    assert set(bad(GOOD, exempt_sip_port=5060)) > {"SIP profiles running", "trunk-exempt: ports"}
    running = PROFILES.replace(
        "</profiles>",
        "<profile><name>trunk-exempt</name><type>profile</type><state>RUNNING (0)</state></profile></profiles>",
    )
    answers = {**GOOD, Question.PROFILES: running, Question.TRUNK_EXEMPT: profile(PLAIN)}
    assert bad(answers, exempt_sip_port=5060) == {}
    assert bad(answers) == {"SIP profiles running": "internal trunk trunk-exempt"}


def test_the_clock_of_the_switch_may_be_anything_between_question_and_answer() -> None:
    assert _clock("1000000000000000", 999_999_999.98, 1_000_000_000.01).ok
    assert _clock("1000000000000000", 999_999_999.0, 1_000_000_001.0).ok
    assert _clock("1000000000000000", 1_000_000_000.1, 1_000_000_000.2).found == "100 ms off"
    assert _clock("1000000000000000", 999_999_999.1, 999_999_999.8).found == "200 ms off"
    assert not _clock("-ERR", 0, 0).ok


@pytest.mark.parametrize(
    ("host", "names", "fits"),
    [
        ("sip.example.cn", {"sip.example.cn"}, True),
        ("sip.example.cn", {"*.example.cn"}, True),
        ("a.sip.example.cn", {"*.example.cn"}, False),
        ("example.cn", {"*.example.cn"}, False),
        ("10.0.0.5", {"10.0.0.5"}, True),
        ("10.0.0.5", {"*.0.0.5"}, False),
        ("sip.example.cn", set(), False),
    ],
)
def test_names_of_certificates(host: str, names: set[str], fits: bool) -> None:
    assert is_named(host, frozenset(names)) is fits


def test_a_finding_for_a_program() -> None:
    assert Finding("version", "1", "2").as_dict() == {"what": "version", "expected": "1", "found": "2", "ok": False}
