"""What people write never becomes a command: seen on the wire between switchboard and switch, and on the switch."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.system.meeting import Feed, Meeting
from tests.system.plans import launch, mobile, person
from tests.system.stack import Api, Stack, until
from tests.system.watch import client, rooms

#: Text that is nothing but text to a reader, and syntax somewhere on the way to a switch.
NASTY = (
    'O\'Brien "Bob" \\ `id`',
    "{origination_caller_id_number=666}",
    "],[absolute_codec_string=PCMU",
    "${system(touch /tmp/owned)} $${domain}",
    "a,originate_timeout=1,b=|c",
    "x &bridge(loopback/evil) y",
    "loopback/9000:_:loopback/evil",
    "^^:a=1:b=2 ARRAY::a|:b",
    "%0a%0aapi shutdown",
    "李雷）（【】『』｛｝＇＂，｜＼＄",
    "all non_moderator last uuid=1",
)
#: Text that is refused wherever one line is asked for.
REFUSED = (
    "wicked\n\napi shutdown\n\n",
    "wicked\r\nJob-UUID: 1",
    "wicked\x00",
    "wicked\x1b[2J",
    "wicked\u2028api status",
    "wicked\u202e",
)

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ROOM = r"[cw]-[0-9a-f]{32}"
_TARGET = rf"{_ROOM}@(sparkle|whisper)(\+flags\{{[a-z|]+\}})?"
#: Neither a space nor anything that FreeSWITCH reads as syntax; U+00A0, which stands for a space, is fine.
_VALUE = r"""[^ \t\r\n,{}\[\]()'"\\$`;:^]*"""
_NAMES = (
    "origination_(uuid|external_id|callee_id_name|caller_id_name|caller_id_number)|ignore_early_media|originate_timeout"
    "|ignore_display_updates|conference_join_volume_in|conference_join_energy_level|conference_enforce_security|conference_member_flags"
)
#: Everything that the control plane may say to a switch.
COMMANDS = re.compile(
    rf"""
      auth\ \S+
    | event\ json\ [A-Z_ ]+\ (conference::maintenance | sofia::gateway_state)
    | api\ sofia\ xmlstatus(\ gateway)?
    | api\ (global_getvar\ core_uuid | strmicroepoch | conference\ json_list | show\ channels\ as\ json)
    | api\ uuid_kill\ {_UUID}\ [A-Z_]+
    | api\ uuid_setvar\ {_UUID}\ conference_(member_flags|join_volume_in)(\ [a-z0-9|-]+)?
    | api\ conference\ {_ROOM}\ (un)?(mute|deaf|hold)\ uuid={_UUID}(\ quiet)?
    | api\ conference\ {_ROOM}\ (mute\ non_moderator\ quiet | lock | unlock | hup\ all)
    | api\ conference\ {_ROOM}\ volume_in\ uuid={_UUID}\ -?[0-4]
    | api\ conference\ {_ROOM}\ transfer\ {_TARGET}(\ uuid={_UUID})+
    | api\ conference\ {_ROOM}\ play\ (/[A-Za-z0-9_.-]+)+\.wav(\ uuid={_UUID})?
    | bgapi\ originate\ \{{((({_NAMES})={_VALUE}|rtp_secure_media=[A-Z0-9a-z_:]+),?)+\}}
      (loopback/\+?[0-9]+/rehearsal | loopback/app=conference:{_TARGET})
      \ &conference\({_TARGET}\)\nJob-UUID:\ {_UUID}
    """,
    re.VERBOSE,
)


class Wire:
    """Stands between the switchboard and the switch and keeps every command that passes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._taken: list[bytearray] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def commands(self) -> list[str]:
        """Those that are whole by now."""
        return [
            text for taken in self._taken for text in bytes(taken).rpartition(b"\n\n")[0].decode().split("\n\n") if text
        ]

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                return
            taken = bytearray()
            self._taken.append(taken)
            for source, target, keep in ((here, there, taken), (there, here, None)):
                threading.Thread(target=_pass_on, args=(source, target, keep), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, keep: bytearray | None) -> None:
    try:
        while data := source.recv(65536):
            if keep is not None:
                keep += data
            target.sendall(data)
    except OSError:
        pass
    finally:
        target.close()


@pytest.fixture(scope="module")
def wire(stack: Stack) -> Iterator[Wire]:
    port = int(stack.told()["SPARKLE_ESL_PORT"])
    between = Wire(port)
    statement = "UPDATE switch_node SET esl_port = %s RETURNING 1"
    stack.rows(statement, between.port)
    stack.hand_over()
    yield between
    stack.rows(statement, port)
    stack.hand_over()
    between.close()


def test_no_text_becomes_a_command(stack: Stack, wire: Wire) -> None:
    api = stack.sign_in()
    people = [person(text, mobile(4000 + index), "member") for index, text in enumerate(NASTY)]
    conference = launch(api, people, title="".join(NASTY)[:120])
    with Feed(stack, api, conference) as feed:
        meeting = Meeting(stack, api, conference, feed)
        meeting.is_so(*NASTY, told={"state": "connected"})
        for index, text in enumerate(NASTY):
            meeting.act("rename", participant=meeting.ids(text)[0], name=f"{index}{text}"[:64])
        named = tuple(f"{index}{text}"[:64] for index, text in enumerate(NASTY))
        feed.until(lambda: all(feed.person(name) for name in named), "show the new names")
        meeting.act("announce", text=" ".join(NASTY)[:500], language="en")
        meeting.act("announce", text=NASTY[3], participant=meeting.ids(named[0])[0])
        whisper = meeting.act("whisper_open", *named[:3], title=NASTY[3])["whisper"]
        meeting.is_so(*named[:3], told={"room": whisper})
        meeting.act("invite", people=[person(NASTY[1], mobile(4100))])
        meeting.is_so(NASTY[1], told={"state": "connected"}, switch={"room": meeting.room})
        meeting.act("whisper_close", whisper=whisper)
        meeting.is_so(*named, told={"room": "main"})
        assert len(rooms(stack)) == 1
        assert _calls(stack) == len(NASTY) + 1
        assert feed.conference["title"] == "".join(NASTY)[:120]
    api.act(conference, "end")
    until(lambda: not rooms(stack), within=20, to="leave no room behind")

    commands = wire.commands()
    strange = [text for text in commands if not COMMANDS.fullmatch(text)]
    assert not strange
    originates = [text for text in commands if text.startswith("bgapi originate") and "app=conference" not in text]
    assert len(originates) == len(NASTY) + 1, "what was looked at is what was sent"
    assert any("＄｛system（touch" in text for text in originates), "it arrives as text"
    assert any(" play " in text for text in commands)
    assert any(" transfer " in text for text in commands)


def _calls(stack: Stack) -> int:
    """Legs on the switch that belong to somebody; a rehearsal's are pairs on a real one, a feed's are nobody's."""
    connection = client(stack)
    try:
        text = connection.api("show channels as json")
    finally:
        connection.close()
    return len(set(re.findall(r"loopback/(\+86[0-9]+)-a", text)))


def test_what_is_refused_names_its_field_and_does_nothing(stack: Stack, wire: Wire) -> None:
    api = stack.sign_in()
    people = [person("甲", mobile(4200), "chair"), person("乙", mobile(4201))]
    conference = launch(api, people)
    with Feed(stack, api, conference) as feed:
        Meeting(stack, api, conference, feed).is_so("甲", "乙", told={"state": "connected"})
        before = (api.get("plans/"), api.get(f"conferences/{conference}/"), api.participants(conference))
        for text in REFUSED:
            for path, body, field in _places(conference, feed.person("甲")["id"], text):
                english, chinese = (_post(api, path, body, language) for language in ("en", "zh-hans"))
                for answer in (english, chinese):
                    assert (answer["status"], answer["code"]) == (400, "invalid"), (path, answer)
                    assert all(error["field"] in (field, f"{field}.number") for error in answer["errors"]), answer
                assert english["errors"][0]["detail"] != chinese["errors"][0]["detail"]
        after = (api.get("plans/"), api.get(f"conferences/{conference}/"), api.participants(conference))
        assert after == before
    assert not any("wicked" in text for text in wire.commands())
    api.act(conference, "end")


def _places(conference: str, participant: str, text: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every field of the API in which a person writes text or a number."""
    good = person("丙", mobile(4202))
    for path, more in (
        ("plans/", {"title": "T"}),
        ("conferences/", {"title": "T"}),
        (f"conferences/{conference}/invite/", {}),
    ):
        if more:
            yield path, {"title": text, "people": [good]}, "title"
        yield path, {**more, "people": [{**good, "name": text}]}, "people.0.name"
        for number in (text, f"+8613800138000{text}", "138'00${x}", "8001|8002", "sip:x@example.org", "1" * 30):
            yield path, {**more, "people": [{**good, "numbers": [{"number": number}]}]}, "people.0.numbers.0"
    at = f"conferences/{conference}"
    yield f"{at}/rename/", {"participant": participant, "name": text}, "name"
    yield f"{at}/announce/", {"text": text}, "text"
    yield f"{at}/whisper_open/", {"participants": [participant], "title": text}, "title"


def _post(api: Api, path: str, body: dict[str, Any], language: str) -> dict[str, Any]:
    api.session.headers["Accept-Language"] = language
    document: dict[str, Any] = api.post(path, body).json()
    return document


@pytest.mark.parametrize("statement", ["UPDATE", "DELETE", "TRUNCATE"])
def test_nobody_rewrites_the_audit_log(stack: Stack, statement: str) -> None:
    """TRUNCATE too: only the database of unit tests lets it through."""
    rest = {
        "UPDATE": " core_auditentry SET action = ''",
        "DELETE": " FROM core_auditentry",
        "TRUNCATE": " core_auditentry",
    }
    before = stack.rows("SELECT count(*) AS n FROM core_auditentry")
    assert before[0]["n"] > 0
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        stack.rows(statement + rest[statement])
    assert stack.rows("SELECT count(*) AS n FROM core_auditentry") == before
