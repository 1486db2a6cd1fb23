"""Rendering: the exact text of each command, and that no value can be or become anything but itself."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch import commands
from apps.switch.commands import MemberFlag, Originate, OriginateFeed, Room
from apps.switch.esl import rendering
from apps.switch.esl.rendering import UnsafeValue, authenticate, dial_string, display_name, render
from tests.unit.switch import freeswitch_syntax

LEG = UUID("aaaa0000-0000-4000-8000-000000000001")
LEG2 = UUID("aaaa0000-0000-4000-8000-000000000002")
JOB = UUID("bbbb0000-0000-4000-8000-000000000001")
PERSON = UUID("cccc0000-0000-4000-8000-000000000001")
MAIN = Room("c-0123456789ab", "sparkle")
SIDE = Room("w-0123456789ab", "whisper")
CALL = Originate(leg=LEG, job=JOB, participant=PERSON, dial_string="loopback/8001/rehearsal", room=MAIN)

EXAMPLES: list[tuple[commands.Command, list[str]]] = [
    (
        dataclasses.replace(
            CALL,
            dial_string="sofia/internal/1001%pbx.example",
            flags=frozenset({MemberFlag.MUTE, MemberFlag.DEAF}),
            timeout=30,
            caller_name="董事会 2026",
            caller_number="+862188886666",
            callee_name="张三",
            volume_in=-2,
            encryption="mandatory:AEAD_AES_256_GCM:AES_CM_128_HMAC_SHA1_80",
        ),
        [
            f"bgapi originate {{origination_uuid={LEG},origination_external_id={PERSON},"
            "origination_callee_id_name=张三,ignore_early_media=true,originate_timeout=30,ignore_display_updates=true,"
            "origination_caller_id_name=董事会\u00a02026,origination_caller_id_number=+862188886666,"
            "conference_join_volume_in=-2,"
            "rtp_secure_media=mandatory:AEAD_AES_256_GCM:AES_CM_128_HMAC_SHA1_80}"
            "sofia/internal/1001%pbx.example &conference(c-0123456789ab@sparkle+flags{deaf|mute})"
            f"\nJob-UUID: {JOB}"
        ],
    ),
    (
        CALL,
        [
            f"bgapi originate {{origination_uuid={LEG},origination_external_id={PERSON},ignore_early_media=true,"
            "originate_timeout=45,ignore_display_updates=true}"
            f"loopback/8001/rehearsal &conference(c-0123456789ab@sparkle)\nJob-UUID: {JOB}"
        ],
    ),
    (
        OriginateFeed(leg=LEG, job=JOB, main=MAIN, whisper=SIDE, volume=-3),
        [
            f"bgapi originate {{origination_uuid={LEG},conference_member_flags=ghost|nomoh,"
            "conference_join_volume_in=-3,conference_join_energy_level=0,"
            "conference_enforce_security=false}"
            "loopback/app=conference:c-0123456789ab@sparkle+flags{mute} "
            f"&conference(w-0123456789ab@whisper+flags{{deaf}})\nJob-UUID: {JOB}"
        ],
    ),
    (commands.Kill(LEG, "ORIGINATOR_CANCEL"), [f"api uuid_kill {LEG} ORIGINATOR_CANCEL"]),
    (commands.Mute(MAIN, LEG), [f"api conference c-0123456789ab mute uuid={LEG} quiet"]),
    (commands.Unmute(MAIN, LEG), [f"api conference c-0123456789ab unmute uuid={LEG} quiet"]),
    (commands.MuteNonModerators(MAIN), ["api conference c-0123456789ab mute non_moderator quiet"]),
    (commands.Deaf(MAIN, LEG), [f"api conference c-0123456789ab deaf uuid={LEG}"]),
    (commands.Undeaf(MAIN, LEG), [f"api conference c-0123456789ab undeaf uuid={LEG}"]),
    (commands.Hold(MAIN, LEG), [f"api conference c-0123456789ab hold uuid={LEG}"]),
    (commands.Unhold(MAIN, LEG), [f"api conference c-0123456789ab unhold uuid={LEG}"]),
    (commands.SetVolume(MAIN, LEG, -4), [f"api conference c-0123456789ab volume_in uuid={LEG} -4"]),
    (
        commands.SetHearing(MAIN, LEG, 3),
        [
            f"api conference c-0123456789ab volume_out uuid={LEG} 3",
            f"api uuid_setvar {LEG} conference_join_volume_out 3",
        ],
    ),
    (
        commands.StartTrack(LEG, "/spool/t.raw"),
        [
            f"api uuid_record {LEG} start /spool/t.raw 0 {{RECORD_READ_ONLY=true,record_sample_rate=16000,"
            "enable_file_write_buffering=false,RECORD_PRE_BUFFER_FRAMES=1}"
        ],
    ),
    (commands.StopTrack(LEG, "/spool/t.raw"), [f"api uuid_record {LEG} stop /spool/t.raw"]),
    (commands.MaskTrack(LEG, "/spool/t.raw", True), [f"api uuid_record {LEG} mask /spool/t.raw"]),
    (commands.MaskTrack(LEG, "/spool/t.raw", False), [f"api uuid_record {LEG} unmask /spool/t.raw"]),
    (commands.StartMix(MAIN, "/spool/m.raw"), ["api conference c-0123456789ab record /spool/m.raw"]),
    (commands.StopMix(MAIN, "/spool/m.raw"), ["api conference c-0123456789ab norecord /spool/m.raw"]),
    (commands.Lock(MAIN), ["api conference c-0123456789ab lock"]),
    (commands.Unlock(MAIN), ["api conference c-0123456789ab unlock"]),
    (
        commands.PrepareMove(LEG, frozenset({MemberFlag.MUTE, MemberFlag.MODERATOR}), 2),
        [
            f"api uuid_setvar {LEG} conference_member_flags moderator|mute",
            f"api uuid_setvar {LEG} conference_join_volume_in 2",
        ],
    ),
    (
        commands.PrepareMove(LEG, frozenset(), 0),
        [f"api uuid_setvar {LEG} conference_member_flags", f"api uuid_setvar {LEG} conference_join_volume_in"],
    ),
    (
        commands.PrepareMove(LEG, frozenset(), 0, caller=True),
        [
            f"api uuid_setvar {LEG} conference_member_flags",
            f"api uuid_setvar {LEG} conference_join_volume_in",
            f"api uuid_setvar {LEG} conference_enforce_security false",
        ],
    ),
    (
        commands.Move(MAIN, SIDE, (LEG, LEG2), frozenset({MemberFlag.MANDATORY_MEMBER_ENDCONF})),
        [
            "api conference c-0123456789ab transfer w-0123456789ab@whisper+flags{mandatory_member_endconf} "
            f"uuid={LEG} uuid={LEG2}"
        ],
    ),
    (
        commands.Play(MAIN, "/opt/sounds/zh/welcome.wav"),
        ["api conference c-0123456789ab play /opt/sounds/zh/welcome.wav"],
    ),
    (
        commands.Play(MAIN, "/opt/sounds/zh/welcome.wav", LEG),
        [f"api conference c-0123456789ab play /opt/sounds/zh/welcome.wav uuid={LEG}"],
    ),
    (commands.StopPlay(MAIN, LEG), [f"api conference c-0123456789ab stop all uuid={LEG}"]),
    (commands.HangupRoom(MAIN), ["api conference c-0123456789ab hup all"]),
    (commands.RescanGateways("trunk-exempt"), ["api sofia profile trunk-exempt rescan"]),
    (commands.RemoveGateway("trunk", "gw-99c6da98-12"), ["api sofia profile trunk killgw gw-99c6da98-12"]),
    (commands.ReloadNetworks(), ["api reloadacl"]),
    (commands.Restart(JOB), [f"bgapi fsctl shutdown elegant restart\nJob-UUID: {JOB}"]),
]


@pytest.mark.parametrize(("command", "text"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_text_of_each_command(command: commands.Command, text: list[str]) -> None:
    assert render(command) == text


def test_every_command_has_an_example() -> None:
    assert {type(command) for command, _ in EXAMPLES} == set(get_args(commands.Command))


def test_freeswitch_understands_an_originate_as_meant() -> None:
    (text,) = render(EXAMPLES[0][0])
    understood = freeswitch_syntax.originate(text)
    assert understood.variables["origination_caller_id_name"] == "董事会\u00a02026"
    assert understood.variables["origination_uuid"] == str(LEG)
    assert understood.endpoint == "sofia/internal/1001%pbx.example"
    assert understood.target == "c-0123456789ab@sparkle+flags{deaf|mute}"
    assert understood.job == str(JOB)


def test_a_move_of_many_is_several_commands() -> None:
    legs = tuple(UUID(int=number) for number in range(45))
    texts = render(commands.Move(MAIN, SIDE, legs))
    assert [text.count("uuid=") for text in texts] == [20, 20, 5]
    assert [word for text in texts for word in text.split() if word.startswith("uuid=")] == [f"uuid={x}" for x in legs]
    assert max(len(text.removeprefix("api conference ").split()) for text in texts) <= 25
    assert render(commands.Move(MAIN, SIDE, ())) == []


hostile = st.one_of(
    st.text(max_size=40),
    st.text("ab\\'\"`${}[]()<>,|=^:_ \t\r\n\x00\x1b&+;%@/", max_size=40),
    st.sampled_from(
        [
            "x\n\napi fsctl shutdown",
            "x\r\n\r\nexit",
            "a,origination_uuid=evil",
            "a}null/evil &park() {",
            "${system(id)}",
            "a' 'b",
            "^^:a:b",
            "ARRAY::a|:b",
            "a:_:b",
            "null/x,null/y",
            "../../etc/passwd",
            "/a/../b",
            "room other",
            "all",
            "\u2028\u202e\ud800x",
            "ＭＯＤ\u00a0\u3000",
        ]
    ),
)


def fields_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any command of a kind with hostile texts in every text field and good values in the others."""
    good = {
        "leg": st.just(LEG),
        "job": st.just(JOB),
        "participant": st.just(PERSON),
        "legs": st.just((LEG, LEG2)),
        "flags": st.frozensets(st.sampled_from(list(MemberFlag)), max_size=3),
        "timeout": st.integers(1, 600),
        "volume": st.integers(-4, 0),
        "volume_in": st.integers(-4, 4),
        "level": st.integers(-4, 4),
        "caller": st.booleans(),
        "masked": st.booleans(),
    }
    rooms = st.one_of(
        st.just(MAIN), st.builds(Room, hostile, st.just("sparkle")), st.builds(Room, st.just("r"), hostile)
    )
    good |= dict.fromkeys(("room", "main", "whisper", "source", "target"), rooms)
    texts = {
        "dial_string": st.one_of(st.just("null/bob"), hostile),
        "caller_name": hostile,
        "callee_name": hostile,
        "caller_number": st.one_of(st.just(""), hostile),
        "encryption": st.one_of(st.none(), hostile),
        "cause": hostile,
        "profile": st.one_of(st.just("trunk"), hostile),
        "gateway": st.one_of(st.just("gw-99c6da98-12"), hostile),
        "path": hostile,
    }
    return st.builds(kind, **{field.name: (good | texts)[field.name] for field in dataclasses.fields(kind)})


@given(st.one_of([fields_of(kind) for kind in get_args(commands.Command)]))
def test_no_text_becomes_syntax(command: commands.Command) -> None:
    try:
        texts = render(command)
    except UnsafeValue:
        return
    for text in texts:
        text.encode()
        if isinstance(command, Originate | OriginateFeed):
            understood = freeswitch_syntax.originate(text)
            assert set(understood.variables) <= {
                "origination_uuid",
                "origination_external_id",
                "ignore_early_media",
                "originate_timeout",
                "ignore_display_updates",
                "origination_callee_id_name",
                "origination_caller_id_name",
                "origination_caller_id_number",
                "conference_join_volume_in",
                "conference_join_volume_out",
                "conference_join_energy_level",
                "conference_enforce_security",
                "conference_member_flags",
                "rtp_secure_media",
            }
            assert understood.variables["origination_uuid"] == str(LEG)
            assert understood.job == str(JOB)
            continue
        if isinstance(command, commands.StartTrack):
            text = text.removesuffix(f" {rendering.TRACK}")
        line, headers = freeswitch_syntax.command_lines(text)
        assert headers == ({"Job-UUID": str(JOB)} if isinstance(command, commands.Restart) else {})
        assert not any(unicodedata.category(character) == "Cc" for character in line)
        assert len(freeswitch_syntax.separate(line, " ", 99)) == len(line.split(" "))
        assert not set(line) & set("$\"'`\\()[],<>")


@pytest.mark.parametrize("gateway", ["_all_", "carrier", "gw-99C6DA98-1", "gw-99c6da98", "gw-99c6da98-1 trunk"])
def test_no_gateway_but_ours_is_removed(gateway: str) -> None:
    with pytest.raises(UnsafeValue, match="gateway"):
        render(commands.RemoveGateway("trunk", gateway))


@given(hostile)
def test_names_survive_as_names(name: str) -> None:
    """A hostile name never stops a call: it is made harmless, and making it so twice changes nothing."""
    shown = display_name(name)
    assert len(shown) <= rendering.DISPLAY_NAME_LENGTH
    assert display_name(shown) == shown
    (text,) = render(dataclasses.replace(CALL, callee_name=name, caller_name=name))
    understood = freeswitch_syntax.originate(text)
    assert understood.variables.get("origination_callee_id_name", "") == shown
    assert understood.endpoint == CALL.dial_string


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王 小明", "王\u00a0小明"),
        ("O'Brien, Pat (Sales) [R&D]", "O＇Brien，\u00a0Pat\u00a0（Sales）\u00a0［R&D］"),
        ("a\nb\tc\x00d\u202ee", "a\u00a0b\u00a0cde"),
        ("${system(id)}", "＄｛system（id）｝"),
        ("  x  ", "x"),
        ("𠮷野家", "𠮷野家"),
        ("\n", ""),
    ],
)
def test_display_names(name: str, shown: str) -> None:
    assert display_name(name) == shown


@pytest.mark.parametrize(
    ("template", "number", "domain", "filled"),
    [
        ("sofia/internal/{number}%{domain}", "8001", "pbx.example", "sofia/internal/8001%pbx.example"),
        ("sofia/gateway/telecom-1/{number}", "+8613800138000", "", "sofia/gateway/telecom-1/+8613800138000"),
        ("sofia/internal/sip:{number}@127.0.0.1:5061;transport=tls", "1001", "", None),
        ("loopback/{number}/rehearsal", "8001", "", "loopback/8001/rehearsal"),
        ("null/{number}", "bob", "", "null/bob"),
    ],
)
def test_dial_strings(template: str, number: str, domain: str, filled: str | None) -> None:
    assert dial_string(template, number, domain) == (filled or template.replace("{number}", number))


@pytest.mark.parametrize(
    ("template", "number", "domain"),
    [
        ("sofia/gateway/gw/{number}", "1,null/x", ""),
        ("sofia/gateway/gw/{number}", "1 2", ""),
        ("sofia/gateway/gw/{number}", "", ""),
        ("sofia/gateway/gw/{number}", "1/2", ""),
        ("sofia/gateway/gw/{number}", "{domain}", "x"),
        ("sofia/internal/{number}%{domain}", "1", "a b"),
        ("sofia/internal/{number}%{domain}", "1", ""),
        ("sofia/internal/{number.__class__}", "1", ""),
        ("loopback/app=park/{number}", "1", ""),
        ("loopback/{number}/a|null/b", "1", ""),
        ("{number}", "1", ""),
        ("user/{number}", "1", ""),
        ("sofia/gateway/gw/{number}\n", "1", ""),
    ],
)
def test_refused_dial_strings(template: str, number: str, domain: str) -> None:
    with pytest.raises(UnsafeValue):
        dial_string(template, number, domain)


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (commands.Mute(Room("a b", "p"), LEG), "room"),
        (commands.Mute(Room("", "p"), LEG), "room"),
        (commands.Mute(Room("a" * 65, "p"), LEG), "room"),
        (commands.Mute(Room("a\n", "p"), LEG), "room"),
        (commands.Mute(MAIN, "all"), "leg"),  # type: ignore[arg-type]
        (commands.SetVolume(MAIN, LEG, 5), "level"),
        (commands.SetVolume(MAIN, LEG, True), "level"),
        (commands.SetHearing(MAIN, LEG, -5), "level"),
        (commands.Kill(LEG, "x"), "cause"),
        (commands.Play(MAIN, "sounds/a.wav"), "path"),
        (commands.StartTrack(LEG, "en/welcome.wav"), "path"),
        (commands.StartMix(MAIN, "en/welcome.wav"), "path"),
        (commands.StopMix(MAIN, "all"), "path"),
        (commands.Play(MAIN, "/a/../b.wav"), "path"),
        (commands.Play(MAIN, "tone_stream://%(500,0,600)"), "path"),
        (commands.Move(MAIN, Room("w", "p+flags{x}"), (LEG,)), "profile"),
        (commands.PrepareMove(LEG, frozenset({"mute|x"}), 0), "flags"),  # type: ignore[arg-type]
        (dataclasses.replace(CALL, timeout=0), "timeout"),
        (dataclasses.replace(CALL, encryption="mandatory,x=y"), "encryption"),
        (dataclasses.replace(CALL, caller_number="1 2"), "caller_number"),
        (OriginateFeed(leg=LEG, job=JOB, main=MAIN, whisper=SIDE, volume=1), "volume"),
    ],
)
def test_refused_values_name_their_field_and_are_not_repeated(command: commands.Command, field: str) -> None:
    with pytest.raises(UnsafeValue) as refused:
        render(command)
    assert refused.value.field == field
    assert refused.value.why


def test_passwords() -> None:
    assert authenticate("a b'c") == "auth a b'c"
    for password in ("", "secret\nexit", "secret\r", "secret\x00"):
        with pytest.raises(UnsafeValue) as refused:
            authenticate(password)
        assert "secret" not in str(refused.value)
