"""A conference that is recorded from the start: everybody's own voice and the mix, heard at once and afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.desk import HEARD, levels, read_wav
from tests.system.meeting import Meeting, running_meeting
from tests.system.plans import mobile, person
from tests.system.recorded import (
    MIX,
    all_grown,
    all_sealed,
    clear_files,
    fetch,
    files_with,
    grown,
    loudness,
    moment,
    sound,
    tracks,
    utterances,
)
from tests.system.stack import Api, Stack, until
from tests.system.test_faults import frozen
from tests.system.watch import client

CHAIR, DAVE, ERIN, SPEAKER = "陈静", "王建国", "李娜", "赵敏"
#: Hertz of each one's tone; Zhao Min speaks.
TONE = {CHAIR: 500, DAVE: 800, ERIN: 1100}


@pytest.fixture(scope="module")
def meeting(stack: Stack) -> Iterator[Meeting]:
    with stack.database() as database:
        rows = database.execute("SELECT id, display_name FROM accounts_user").fetchall()
    logins = {row["display_name"]: str(row["id"]) for row in rows}
    people = [person(name, mobile(3200 + n, f"91{TONE[name] // 100:02}")) for n, name in enumerate(TONE)]
    for each in people:
        each["user"] = logins[each["name"]]
    people[0]["role"] = "chair"
    people.append(person(SPEAKER, mobile(3210, "9200")))
    options = {"recording_policy": "automatic", "participant_may_replay": True, "member_may_whisper": True}
    with running_meeting(stack, people, **options) as running:
        running.feed.until(lambda: running.feed.conference["recording"] == "on", "say that it is recorded")
        yield running


@pytest.fixture(scope="module")
def erin(stack: Stack) -> Api:
    return stack.sign_in("lina")


def own_tones(meeting: Meeting) -> dict[str, dict[int, float]]:
    """The tones in the last second of each one's track."""
    found = all_grown(meeting.api, meeting.conference, TONE, by=1.5)
    return {name: levels(sound(meeting.api, track["audio"])[-16_000:]) for name, track in found.items()}


def test_everybody_has_a_track_with_their_own_voice_and_no_other(meeting: Meeting) -> None:
    for name, found in own_tones(meeting).items():
        assert found.pop(TONE[name]) > HEARD
        assert max(found.values()) < HEARD / 10, name
    mix = grown(meeting.api, meeting.conference, MIX, by=2, kind="mix")
    heard = levels(sound(meeting.api, mix["audio"])[-16_000:])
    assert all(heard[tone] > HEARD for tone in TONE.values())


def test_what_is_said_can_be_heard_two_seconds_later(meeting: Meeting) -> None:
    deadline = time.monotonic() + 45
    late: list[float] = []
    known = {each["id"] for each in utterances(meeting.api, meeting.conference)}
    while len(late) < 2:
        assert time.monotonic() < deadline, late
        for each in utterances(meeting.api, meeting.conference):
            if each["id"] not in known and each["name"] == SPEAKER:  # a tone may pass for a voice
                known.add(each["id"])
                said = sound(meeting.api, each["audio"])
                late.append(time.time() - moment(each["ends_at"]))
                assert len(said) == round((moment(each["ends_at"]) - moment(each["starts_at"])) * 16_000)
                assert loudness(said).max() > 500
        time.sleep(0.1)
    assert max(late) < 2.0, late


def others_spoke(meeting: Meeting, erin: Api) -> None:
    others = {*TONE, SPEAKER} - {ERIN}
    until(lambda: others & {each["name"] for each in utterances(erin, meeting.conference)}, within=40, to="hear others")


@contextmanager
def played(stack: Stack) -> Iterator[Callable[[], dict[str, Any]]]:
    """What the switch plays next."""
    switch = client(stack)
    try:
        switch.send("event json CUSTOM conference::maintenance")
        plays = {"play-file", "play-file-member"}
        yield lambda: switch.take(lambda seen: seen.headers.get("Action") in plays, "something is played").headers
    finally:
        switch.close()


def test_the_last_words_are_said_again_into_the_asking_leg(meeting: Meeting, stack: Stack, erin: Api) -> None:
    """That nobody else hears what is played to one leg: tests/contract/test_play.py."""
    others_spoke(meeting, erin)
    with played(stack) as told:
        answer = meeting.act("say_again", by=erin)
        play = told()
        words = read_wav(Path(play["File"]))[0]
    assert (play["Action"], play["Unique-ID"]) == ("play-file-member", meeting.leg(ERIN))
    assert len(words) == answer["milliseconds"] * 16
    asked = "SELECT utterance_id::text AS id FROM recordings_sayagain WHERE participant_id = %s"
    [row] = stack.rows(asked, *meeting.ids(ERIN))
    [utterance] = [each for each in utterances(erin, meeting.conference) if each["id"] == row["id"]]
    assert utterance["participant"] == answer["participant"] != meeting.ids(ERIN)[0]
    assert np.array_equal(words, sound(erin, utterance["audio"])[-len(words) :])
    assert loudness(words).max() > 500
    until(lambda: not clear_files(stack, "again/*"), within=20, to="remove what was played")


def test_who_asks_while_nobody_seals_is_told_that_it_does_not_come(meeting: Meeting, stack: Stack, erin: Api) -> None:
    others_spoke(meeting, erin)
    with frozen(stack, "sealer"), played(stack) as told:
        meeting.act("say_again", by=erin)
        play = told()
        assert Path(play["File"]).name == "say-again-failed.wav"
        assert (play["Action"], play["Unique-ID"]) == ("play-file-member", meeting.leg(ERIN))


def test_who_is_muted_is_silent_in_their_track_which_keeps_its_time(meeting: Meeting) -> None:
    before = grown(meeting.api, meeting.conference, DAVE, by=1)
    meeting.act("mute", DAVE)
    meeting.is_muted(DAVE)
    grown(meeting.api, meeting.conference, DAVE, by=2)
    meeting.act("unmute", DAVE)
    meeting.may_be_heard(DAVE)
    track = grown(meeting.api, meeting.conference, DAVE, by=2)
    assert track["id"] == before["id"]
    loud = loudness(sound(meeting.api, track["audio"]))[before["duration_ms"] // 100 :]
    silent = np.flatnonzero(loud == 0)
    assert 15 < len(silent) == silent[-1] - silent[0] + 1, "one silence, as long as the mute"
    assert loud[-5:].min() > HEARD


def test_a_whisper_is_heard_by_who_was_in_it_and_by_nobody_else(meeting: Meeting, stack: Stack, erin: Api) -> None:
    dave = stack.sign_in("wangjianguo")
    meeting.act("whisper_open", DAVE, ERIN, title="侧谈")
    until(lambda: len(tracks(erin, meeting.conference, "whisper")) == 2, within=20, to="record both in the whisper")
    grown(erin, meeting.conference, DAVE, by=2, kind="whisper")
    [whisper] = meeting.feed.state["whispers"]
    meeting.act("whisper_close", whisper=whisper)
    until(
        lambda: {t["state"] for ts in tracks(erin, meeting.conference, "whisper").values() for t in ts} == {"sealed"},
        within=20,
        to="seal what was said in the whisper",
    )
    [said] = tracks(dave, meeting.conference, "whisper")[ERIN]
    assert levels(sound(dave, said["audio"]))[TONE[ERIN]] > HEARD
    for api in (meeting.api, stack.sign_in("chenjing")):
        assert tracks(api, meeting.conference, "whisper") == {}
        assert fetch(api, said["audio"]).status_code == 403
    main = tracks(erin, meeting.conference)[ERIN][0]
    loud = loudness(sound(erin, main["audio"]))
    start = round((moment(said["started_at"]) - moment(main["started_at"])) * 10)
    assert loud[start + 1 : start + said["duration_ms"] // 100 - 1].max() == 0, "in the main room's track is silence"


def test_a_pause_keeps_nothing_and_what_follows_is_another_part(meeting: Meeting) -> None:
    meeting.act("record", state="paused")
    until(
        lambda: all(t[-1]["state"] == "sealed" for t in tracks(meeting.api, meeting.conference).values()),
        within=20,
        to="end all tracks",
    )
    ended = time.time()
    time.sleep(1.5)
    assert not clear_files(meeting.stack)
    meeting.act("record", state="on")
    for name, found in own_tones(meeting).items():
        assert found[TONE[name]] > HEARD
        last = tracks(meeting.api, meeting.conference)[name][-1]
        assert last["part"] == 2
        assert moment(last["started_at"]) > ended + 1.5
    texts = [each["text"] for each in meeting.feed.state["announcements"].values()]
    assert texts[-2:] == ["录音已暂停。", "本次会议正在录音。"]


def test_who_has_no_part_and_who_copied_a_link_hears_nothing(meeting: Meeting, stack: Stack, erin: Api) -> None:
    link = tracks(meeting.api, meeting.conference)[DAVE][0]["audio"]
    assert fetch(meeting.api, link, Range="bytes=0-99").status_code == 206
    assert fetch(erin, link).status_code == 403
    outsider = stack.sign_in("zhaomin")
    assert fetch(outsider, link).status_code in (403, 404)
    address = f"{outsider.base}/api/v1/conferences/{meeting.conference}/recording/"
    assert outsider.session.get(address, timeout=10).status_code == 404
    again = stack.sign_in(anew=True).session
    assert again.get(link if "://" in link else f"{stack.base}{link}", timeout=10).status_code == 200


def test_after_the_end_all_is_sealed_and_nothing_is_left_in_the_clear(meeting: Meeting, stack: Stack) -> None:
    meeting.act("end")
    found = all_sealed(meeting.api, meeting.conference)
    assert {track["kind"] for track in found} == {"person", "mix"}
    until(lambda: not clear_files(stack), within=10, to="empty the spool")
    first = tracks(meeting.api, meeting.conference)[SPEAKER][0]
    samples = sound(meeting.api, first["audio"]).astype(np.int16)
    loudest = int(np.abs(samples).argmax())
    piece = samples[loudest : loudest + 32].tobytes()
    assert len(set(piece)) > 16
    assert list(files_with(stack, piece)) == []
    begins = {name: moment(parts[0]["started_at"]) for name, parts in tracks(meeting.api, meeting.conference).items()}
    for name, parts in tracks(meeting.api, meeting.conference).items():
        lasted = moment(parts[0]["ended_at"]) - moment(parts[0]["started_at"])
        assert parts[0]["duration_ms"] / 1000 == pytest.approx(lasted, abs=0.15), (name, begins)
