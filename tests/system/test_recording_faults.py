"""Whatever dies while a conference is recorded: what was spoken until then is kept, to the sample where it can be."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.contract.desk import HEARD, levels
from tests.system.meeting import Meeting, running_meeting
from tests.system.plans import mobile, person
from tests.system.recorded import all_grown, all_sealed, clear_files, loudness, moment, sound, tracks
from tests.system.stack import Stack, until
from tests.system.test_faults import kill

#: Hertz of each one's tone.
TONE = {"陈静": 500, "王建国": 800}
AROUND = ["sealer", "switchboard", "worker", "beat", "web", "valkey", "postgres"]
"""Whose death interrupts nobody's call."""


@pytest.fixture
def meeting(stack: Stack) -> Iterator[Meeting]:
    people = [person(name, mobile(3300 + n, f"91{TONE[name] // 100:02}")) for n, name in enumerate(TONE)]
    with running_meeting(stack, people, recording_policy="automatic") as running:
        until(lambda: set(TONE) <= set(tracks(running.api, running.conference)), within=20, to="record everybody")
        yield running


def test_no_sample_is_lost_when_what_is_around_the_switch_dies(meeting: Meeting, stack: Stack) -> None:
    for part in AROUND:
        kill(stack, part)
        time.sleep(1.0)
    until(lambda: tracks(meeting.api, meeting.conference), within=30, to="answer again")
    all_grown(meeting.api, meeting.conference, TONE, by=2)
    # A second one, while what has just come back catches up.
    for part in ("sealer", "postgres"):
        kill(stack, part)
        time.sleep(0.3)
    all_grown(meeting.api, meeting.conference, TONE, by=2)
    meeting.act("end")
    all_sealed(meeting.api, meeting.conference, within=60)
    for name, tone in TONE.items():
        [track] = tracks(meeting.api, meeting.conference)[name]
        samples = sound(meeting.api, track["audio"])
        lasted = moment(track["ended_at"]) - moment(track["started_at"])
        assert len(samples) / 16_000 == pytest.approx(lasted, abs=0.15)
        assert loudness(samples)[1:-1].min() > HEARD, "at no moment is there silence"
        assert levels(samples)[tone] > 0.9 * levels(samples[:32_000])[tone], "nor is the wave broken"
    until(lambda: not clear_files(stack), within=20, to="empty the spool")


def test_when_the_switch_dies_what_was_spoken_is_kept_and_the_next_call_is_another_track(
    meeting: Meeting, stack: Stack
) -> None:
    all_grown(meeting.api, meeting.conference, TONE, by=2)
    killed = time.time()
    kill(stack, "switch")
    until(
        lambda: all(len(tracks(meeting.api, meeting.conference)[name]) == 2 for name in TONE),
        within=60,
        to="call everybody back and record them",
    )
    all_grown(meeting.api, meeting.conference, TONE, by=2)
    for name, tone in TONE.items():
        before, after = tracks(meeting.api, meeting.conference)[name]
        until(
            lambda name=name: tracks(meeting.api, meeting.conference)[name][0]["state"] == "sealed",  # type: ignore[misc]
            within=20,
            to="seal what the switch left",
        )
        before = tracks(meeting.api, meeting.conference)[name][0]
        samples = sound(meeting.api, before["audio"])
        assert len(samples) / 16_000 == pytest.approx(killed - moment(before["started_at"]), abs=0.3)
        assert loudness(samples)[1:-1].min() > HEARD
        assert levels(sound(meeting.api, after["audio"])[-16_000:])[tone] > HEARD
