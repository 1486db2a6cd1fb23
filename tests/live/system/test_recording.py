"""Five phones with three codecs are recorded on a real FreeSWITCH: each one's own voice, and the mix, on one clock."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apps.recordings.sealed.header import FRAME_SIZE
from tests.contract.desk import Sound, tone_level
from tests.live.system.installation import NAMES
from tests.live.system.line_up import said_of_codec, tracks_and_mix_line_up
from tests.live.system.meeting import Meeting
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.recorded import MIX, all_grown, all_sealed, clear_files, grown, loudness, moment, sound, tracks
from tests.system.stack import Stack
from tests.system.test_faults import frozen

LOUD = 300.0
"""Amplitude; what is not there is far below."""


def alone(samples: Sound, position: int) -> bool:
    """Whether in these samples somebody's tone is, and nobody else's."""
    found = [tone_level(samples, 16_000, tone) for tone in TONES[:5]]
    others = [level for i, level in enumerate(found) if i != position]
    return found[position] > LOUD and max(others) < LOUD / 10


def test_everybody_is_recorded_by_themself_and_together(meeting: Meeting, stack: Stack) -> None:
    api, told = meeting.api, meeting.sounds / "zh-hans" / "recording.wav"
    meeting.everybody_hears_the_others()
    assert tracks(api, meeting.id) == {}
    api.act(meeting.id, "record", state="on")
    for position in range(5):
        wait_until(partial(meeting.heard_say, position, told), f"{NAMES[position]} hears that it is recorded")
    for position, (name, track) in enumerate(all_grown(api, meeting.id, NAMES, by=2).items()):
        assert alone(sound(api, track["audio"])[-16_000:], position), name
    mix = sound(api, grown(api, meeting.id, MIX, by=1, kind="mix")["audio"])[-16_000:]
    assert min(tone_level(mix, 16_000, tone) for tone in TONES[:5]) > LOUD

    meeting.act("mute", 1)
    meeting.hears(0, 2, 3, 4)
    track = grown(api, meeting.id, NAMES[1], by=1.5)
    assert loudness(sound(api, track["audio"])[-8_000:]).max() == 0

    meeting.phones[4].hang_up()
    wait_until(lambda: tracks(api, meeting.id)[NAMES[4]][0]["state"] == "sealed", "what the fifth said is sealed")
    api.act(meeting.id, "record", state="off")
    found = all_sealed(api, meeting.id)
    assert len(found) == 6
    wait_until(lambda: not clear_files(stack), "nothing is left in the clear")
    for track in found:
        lasted = moment(track["ended_at"]) - moment(track["started_at"])
        assert track["duration_ms"] / 1000 == pytest.approx(lasted, abs=0.1), (track["name"], track["kind"])


def test_tracks_and_mix_line_up_whatever_the_codec(meeting: Meeting, stack: Stack) -> None:
    tracks_and_mix_line_up(meeting, stack)
    assert "stereo=1" in said_of_codec(stack, meeting, 0)


def test_when_the_switch_dies_nothing_is_lost_that_it_had_written(meeting: Meeting, stack: Stack) -> None:
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    all_grown(api, meeting.id, NAMES, by=2)
    switch = Path("/proc") / str(stack.pid("freeswitch"))
    with frozen(stack, "sealer"):
        rows = "SELECT id, frames FROM recordings_track WHERE conference_id = %s AND state = 'live'"
        sealed = {row["id"]: row["frames"] * FRAME_SIZE for row in stack.rows(rows, meeting.id)}
        clear = {UUID(path.stem): path for path in clear_files(stack)}
        wait_until(lambda: all(clear[each].stat().st_size > sealed[each] + 32_000 for each in sealed), "a second waits")
        stack.kill("freeswitch")
        wait_until(lambda: not switch.exists(), "the switch is dead")
        written = {each: clear[each].read_bytes() for each in sealed}
    meeting.everybody_is_called_back()
    all_grown(api, meeting.id, NAMES, by=1)
    grown(api, meeting.id, MIX, by=1, kind="mix")

    def parts() -> list[list[dict[str, Any]]]:
        return [*tracks(api, meeting.id).values(), *tracks(api, meeting.id, "mix").values()]

    wait_until(lambda: all(before["state"] == "sealed" for before, *_ in parts()), "what was before is sealed")
    for name in (*NAMES, MIX):
        kind = "person" if name else "mix"
        before, after = tracks(api, meeting.id, kind)[name]
        assert (before["part"], before["state"], after["part"]) == (1, "sealed", 2)
        samples = sound(api, before["audio"])
        kept, track = samples.astype("<i2").tobytes(), UUID(before["id"])
        assert len(kept) == len(written[track])
        assert kept[sealed[track] :] == written[track][sealed[track] :]
        assert loudness(samples)[5:].min() > LOUD, "nor is there silence before"


def test_what_is_whispered_is_not_in_the_tracks_of_the_main_room(meeting: Meeting, stack: Stack) -> None:
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    all_grown(api, meeting.id, NAMES[:2], by=1)
    whisper = meeting.act("whisper_open", 0, 1, title="私语", soft_main=False)["whisper"]
    meeting.hears(0, 1)
    rows = "SELECT participant_id::text AS who, ended_at FROM recordings_track WHERE kind = 'whisper'"
    wait_until(lambda: len(stack.rows(rows)) == 2, "both are recorded in the whisper")
    assert tracks(api, meeting.id, "whisper") == {}, "who is not in it does not learn of it"
    main = grown(api, meeting.id, NAMES[0], by=2)
    assert loudness(sound(api, main["audio"])[-16_000:]).max() == 0
    api.act(meeting.id, "whisper_close", whisper=whisper)
    meeting.hears(2, 0, 1, 3, 4)
    main = grown(api, meeting.id, NAMES[0], by=2)
    assert alone(sound(api, main["audio"])[-16_000:], 0)
    assert all(row["ended_at"] for row in stack.rows(rows))
