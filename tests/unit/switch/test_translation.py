"""Translation: real events and lists become the typed ones, hostile ones an error that holds nothing of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch import events, srtp
from apps.switch.esl.framing import Framer
from apps.switch.esl.translation import TranslationError, parse_snapshot, translate, translate_all

DATA = Path(__file__).parents[2] / "data" / "esl"
REAL = [json.loads(line) for line in (DATA / "events.jsonl").read_text().splitlines()]
ALICE = UUID("aaaa0000-0000-4000-8000-000000000001")
BOB = UUID("aaaa0000-0000-4000-8000-000000000002")
CORE = "5de7f590-6d7d-440e-b11b-1f3586d327a3"


def encoded(headers: dict[str, Any]) -> bytes:
    return json.dumps(headers, ensure_ascii=False, separators=(",", ":")).encode()


def real(name: str, action: str | None = None, **match: str) -> dict[str, Any]:
    """The first captured event of a kind whose headers hold `match`."""
    wanted = {key.replace("_", "-"): value for key, value in match.items()}
    for event in REAL:
        if (event["Event-Name"], event.get("Action")) == (name, action) and wanted.items() <= event.items():
            return dict(event)
    raise AssertionError("no such event was captured")


def test_every_captured_kind_is_translated_or_left_out_on_purpose() -> None:
    unused: Counter[str] = Counter()
    foreign: set[str] = set()
    for event in REAL:
        try:
            translated = translate(encoded(event))
        except TranslationError:
            foreign.add(event["Unique-ID"])
            continue
        if translated is None:
            unused[event.get("Action", event["Event-Name"])] += 1
            continue
        assert translated.core == event["Core-UUID"]
        assert translated.sequence == int(event["Event-Sequence"])
        assert f"{translated.at * 1e6:.0f}" == event["Event-Date-Timestamp"]
    assert foreign == {"feed-W7t"}
    assert set(unused) == {
        *("CHANNEL_HANGUP", "CHANNEL_DESTROY", "transfer", "kick-member", "hup-member"),
        *("bgdial-result", "dtmf-member", "energy-level-member", "volume-out-member", "enter-sounds-off"),
        *("exit-sounds-off", "pause-recording", "resume-recording"),
    }


def test_a_real_stream_of_conference_events() -> None:
    bodies = Framer().feed((DATA / "conference.esl").read_bytes()).events
    kinds = [type(translate(body)).__name__ for body in bodies]
    assert kinds[:4] == ["RoomCreated", "MemberJoined", "FloorChanged", "Talking"]


def test_member_joined() -> None:
    assert translate(encoded(real("CUSTOM", "add-member"))) == events.MemberJoined(
        core=CORE,
        microseconds=1795398999220634,
        sequence=549,
        room="3000",
        leg=events.Leg(str(ALICE)),
        can_hear=True,
        can_speak=True,
        talking=False,
        held=False,
        member_type="member",
        channel="loopback/9003-a",
    )


@pytest.mark.parametrize(
    ("header", "value", "field", "expected"),
    [
        ("Speak", "false", "can_speak", False),
        ("Hear", "false", "can_hear", False),
        ("Hold", "true", "held", True),
        ("Talking", "true", "talking", True),
        ("Member-Type", "moderator", "moderator", True),
        ("Session-External-ID", str(BOB), "participant", BOB),
        ("Session-External-ID", "part-1", "participant", None),
    ],
)
@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("add-member", events.MemberJoined),
        ("del-member", events.MemberLeft),
        ("mute-member", events.MemberChanged),
        ("undeaf-member", events.MemberChanged),
        ("unhold-member", events.MemberChanged),
    ],
)
def test_each_member_header(
    header: str, value: str, field: str, expected: object, action: str, kind: type[events.MemberJoined]
) -> None:
    event = translate(encoded(real("CUSTOM", "add-member") | {"Action": action, header: value}))
    assert isinstance(event, kind)
    assert getattr(event, field) == expected


def test_what_cannot_be_read_and_what_is_not_used_is_left_out_of_many() -> None:
    said = [encoded(real("CUSTOM", "add-member") | {"Event-Sequence": str(number)}) for number in range(3)]
    unused = encoded(real("CUSTOM", "transfer"))
    unreadable = said[1].replace(b'"Speak":', b'"Speak"')
    errors: list[TranslationError] = []
    found = translate_all([said[0], unused, unreadable, said[1], b"", said[2]], errors.append)
    assert [event.sequence for event in found] == [0, 1, 2]
    assert len(errors) == 2


def test_what_is_said_of_tracks() -> None:
    began, ended = (translate(encoded(real(name))) for name in ("RECORD_START", "RECORD_STOP"))
    assert isinstance(began, events.TrackStarted)
    assert isinstance(ended, events.TrackEnded)
    assert (began.path, began.channels) == ("/var/spool/tracks/dA.raw", 2)
    assert ended.path == "/var/spool/tracks/xC.raw"


def test_the_kind_is_found_wherever_it_stands() -> None:
    event = real("CUSTOM", "mute-member")
    action = event.pop("Action")
    assert isinstance(translate(encoded({"Action": action, **event})), events.MemberChanged)
    assert isinstance(translate(encoded({**event, "Action": action, "Last": "x"})), events.MemberChanged)
    assert translate(encoded({**event, "Last": ',"Action":"mute-member'})) is None


def test_a_leg_is_the_same_object_in_all_its_events() -> None:
    joined, talks = (translate(encoded(real("CUSTOM", action))) for action in ("add-member", "start-talking"))
    assert isinstance(joined, events.MemberJoined)
    assert isinstance(talks, events.Talking)
    assert joined.leg is talks.leg


def test_other_room_events() -> None:
    def of(action: str, **changes: str) -> Any:
        return translate(encoded(real("CUSTOM", action) | changes))

    assert isinstance(of("conference-create"), events.RoomCreated)
    assert isinstance(of("conference-destroy"), events.RoomDestroyed)
    assert isinstance(of("lock"), events.RoomLocked)
    assert isinstance(of("unlock"), events.RoomUnlocked)
    assert (of("start-talking").leg, of("start-talking").talking) == (ALICE, True)
    assert (of("stop-talking").leg, of("stop-talking").talking) == (ALICE, False)
    assert of("volume-in-member").volume_in == 2
    assert of("floor-change").leg == ALICE
    assert of("play-file").path == "tone_stream://%(800,0,600)"
    assert (of("play-file").leg, of("play-file").error) == (None, "")
    assert of("play-file", Error="File could not be played").error == "File could not be played"
    assert of("play-file-member").leg == BOB
    assert isinstance(of("play-file-done"), events.PlayDone)
    assert (of("start-recording").path, of("start-recording").error) == (
        "status",
        "File could not be opened for recording",
    )
    assert of("stop-recording").path == "status"
    assert of("play-file-member-done").leg == BOB
    digit = translate(encoded(real("CUSTOM", "stop-talking") | {"Action": "dtmf", "DTMF-Key": "*9", "Data": ""}))
    assert isinstance(digit, events.Digit)
    assert (digit.leg, digit.key, digit.data) == (ALICE, "*9", "")


def test_a_floor_that_nobody_holds() -> None:
    """FreeSWITCH then writes no header of a member at all."""
    event = {k: v for k, v in real("CUSTOM", "floor-change").items() if not k.startswith(("Member", "Unique"))}
    changed = translate(encoded(event | {"New-ID": "none"}))
    assert isinstance(changed, events.FloorChanged)
    assert changed.leg is None


def test_leg_events() -> None:
    ringing = translate(encoded(real("CHANNEL_PROGRESS")))
    assert isinstance(ringing, events.LegRinging)
    assert isinstance(translate(encoded(real("CHANNEL_PROGRESS_MEDIA") | {"Unique-ID": str(BOB)})), events.LegRinging)
    assert isinstance(translate(encoded(real("CHANNEL_CREATE"))), events.LegCreated)
    assert isinstance(translate(encoded(real("CHANNEL_ANSWER"))), events.LegAnswered)
    busy = translate(encoded(real("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="USER_BUSY")))
    assert isinstance(busy, events.LegEnded)
    assert (busy.cause, busy.sip_code) == ("USER_BUSY", 486)
    unanswered = translate(encoded(real("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="NO_ANSWER")))
    assert isinstance(unanswered, events.LegEnded)
    assert (unanswered.cause, unanswered.sip_code) == ("NO_ANSWER", 0)
    secured = translate(encoded(real("CALL_SECURE")))
    assert isinstance(secured, events.LegSecured)
    assert srtp.proof(secured.secure_type) == "sdes:AEAD_AES_256_GCM"


def test_job_results() -> None:
    done = [translate(encoded(event)) for event in REAL if event["Event-Name"] == "BACKGROUND_JOB"]
    assert all(isinstance(job, events.JobDone) for job in done)
    causes = Counter(job.cause for job in done if isinstance(job, events.JobDone))
    assert causes[None] == 1
    assert causes["USER_BUSY"] == 2
    assert causes["SUBSCRIBER_ABSENT"] == 1
    odd = translate(encoded(real("BACKGROUND_JOB") | {"_body": "-USAGE: <call url>\n"}))
    assert isinstance(odd, events.JobDone)
    assert odd.cause is not None


def test_heartbeat_and_shutdown() -> None:
    stamp = {"Core-UUID": CORE, "Event-Sequence": "635", "Event-Date-Timestamp": "1795399007420605"}
    load = {"Session-Count": "6", "Max-Sessions": "2000", "Session-Per-Sec": "1000", "Idle-CPU": "15.500000"}
    version = {"FreeSWITCH-Version": "1.10.12-release~64bit"}
    assert translate(encoded({"Event-Name": "HEARTBEAT", **stamp, **load, **version})) == events.Heartbeat(
        core=CORE,
        microseconds=1795399007420605,
        sequence=635,
        sessions=6,
        max_sessions=2000,
        sessions_per_second=1000,
        idle_cpu=15.5,
        version="1.10.12-release~64bit",
    )
    assert isinstance(translate(encoded({"Event-Name": "SHUTDOWN_REQUESTED", **stamp})), events.ShutdownRequested)


def test_a_caller_name_cannot_become_a_header() -> None:
    name = 'x\nMember-Type: moderator","Member-Type":"moderator'
    event = translate(encoded(real("CUSTOM", "add-member") | {"Caller-Caller-ID-Name": name}))
    assert isinstance(event, events.MemberJoined)
    assert not event.moderator


def test_a_caller_name_need_not_be_utf8() -> None:
    body = encoded(real("CUSTOM", "add-member") | {"Caller-Caller-ID-Name": "NAME"}).replace(b"NAME", b"\xff\xfe\xc3")
    assert isinstance(translate(body), events.MemberJoined)


def test_a_used_header_that_is_no_utf8_is_an_error() -> None:
    with pytest.raises(TranslationError):
        translate(encoded(real("CUSTOM", "add-member") | {"Conference-Name": "NAME"}).replace(b"NAME", b"\xff\xc3"))


@pytest.mark.parametrize(
    "change",
    [
        {"Unique-ID": "secret-name"},
        {"Unique-ID": None},
        {"Unique-ID": ["a", "b"]},
        {"Unique-ID": 7},
        {"Unique-ID": "urn:uuid:" * 100_000 + str(ALICE)},
        {"Speak": "maybe"},
        {"Event-Sequence": "secret"},
        {"Event-Sequence": "9" * 40},
        {"Core-UUID": None},
        {"Conference-Name": None},
        {"Event-Date-Timestamp": "1e400"},
    ],
)
def test_a_malformed_header_is_an_error_without_content(change: dict[str, Any]) -> None:
    event = real("CUSTOM", "add-member") | change
    with pytest.raises(TranslationError) as error:
        translate(encoded({key: value for key, value in event.items() if value is not None}))
    assert "secret" not in str(error.value)


@given(st.one_of(st.binary(max_size=100), st.sampled_from([b"[" * 100_000, b'{"a":' * 100_000, b"null", b"{}", b""])))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """What names a kind that is not used is left unread, whatever else is wrong with it."""
    try:
        event = translate(body)
    except TranslationError:
        return
    assert event is None


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=10)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


@given(st.sampled_from(REAL), st.data())
def test_no_change_of_a_real_event_raises_anything_else(event: dict[str, Any], data: st.DataObject) -> None:
    header = data.draw(st.sampled_from(sorted(event)))
    try:
        translate(encoded(event | {header: data.draw(json_values)}))
    except TranslationError:
        return


CHANNELS = encoded(
    {
        "row_count": 4,
        "rows": [
            {"uuid": str(ALICE), "callstate": "ACTIVE", "cid_name": "x"},
            {"uuid": str(BOB), "callstate": "RINGING", "cid_name": "x"},
            {"uuid": "aaaa0000-0000-4000-8000-000000000003", "callstate": "DOWN", "cid_name": "x"},
            {"uuid": "feed-1", "callstate": "ACTIVE", "cid_name": "x"},
        ],
    }
)


def test_a_real_snapshot() -> None:
    snapshot = parse_snapshot(CORE, (DATA / "json_list.json").read_bytes(), CHANNELS, 10.0, 10.5)
    assert (snapshot.core, snapshot.asked_at, snapshot.answered_at) == (CORE, 10.0, 10.5)
    (room,) = snapshot.rooms
    assert (room.name, room.locked) == ("3000", False)
    by_leg = {member.leg: member for member in room.members}
    assert len(by_leg) == 4  # the recording is no member
    assert by_leg[ALICE].volume_in == 2
    assert by_leg[BOB].moderator
    assert by_leg[ALICE].can_speak
    assert [(leg.ringing, leg.answered) for leg in snapshot.legs] == [(False, True), (True, False), (False, False)]


def test_flags_of_a_member_in_a_snapshot() -> None:
    (room,) = json.loads((DATA / "json_list.json").read_text())
    member = next(member for member in room["members"] if member["type"] == "caller")

    def listed(**flags: bool) -> events.SnapshotMember:
        changed = member | {"flags": member["flags"] | flags}
        snapshot = parse_snapshot(CORE, encoded([room | {"members": [changed]}]), CHANNELS, 0, 0)  # type: ignore[arg-type]
        return snapshot.rooms[0].members[0]

    assert not listed(can_speak=False).can_speak
    assert not listed(can_hear=False).can_hear
    held = listed(hold=True, can_speak=False, can_hear=False)
    assert (held.held, held.can_speak, held.can_hear) == (True, True, True)
    assert listed(talking=True).talking
    assert listed(has_floor=True).floor
    assert listed(is_moderator=True).moderator


@pytest.mark.parametrize("rooms", [b"[]", b"+OK No active conferences.\n"])
def test_an_empty_switch(rooms: bytes) -> None:
    snapshot = parse_snapshot(CORE, rooms, b'{"row_count": 0}\n', 0, 0)
    assert (snapshot.rooms, snapshot.legs) == ((), ())


@pytest.mark.parametrize(
    ("rooms", "legs"),
    [
        (b"-ERR conference Command not found!\n", CHANNELS),
        (b"-ERR permission denied", CHANNELS),
        (b"", CHANNELS),
        (b"[]", b"-ERR SQL Error [locked]\n"),
        (b"[]", b'{"row_count": 2}'),
        (b'[{"conference_name":"x"}]', CHANNELS),
    ],
)
def test_an_answer_that_is_no_list_is_not_an_empty_switch(rooms: bytes, legs: bytes) -> None:
    with pytest.raises(TranslationError):
        parse_snapshot(CORE, rooms, legs, 0, 0)
