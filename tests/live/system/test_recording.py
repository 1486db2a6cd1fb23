"""Five phones with three codecs are recorded on a real FreeSWITCH: each one's own voice, and the mix, on one clock."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from apps.switch.speech import SAMPLE_RATE, speak
from tests.contract.desk import Sound, tone_level
from tests.live.system.installation import NAMES
from tests.live.system.meeting import Meeting
from tests.live.tones import TONES
from tests.servers import wait_until
from tests.system.recorded import MIX, all_sealed, clear_files, grown, loudness, moment, sound, tracks, utterances
from tests.system.stack import Stack

LOUD = 300.0
"""Amplitude; what is not there is far below."""
RATES = (48_000, 48_000, 16_000, 8_000, 8_000)
"""Of what the phones' codecs take, in the order of conftest.CODECS."""
TOGETHER = 0.04
"""Seconds that tracks and mix may be apart."""


def alone(samples: Sound, position: int) -> bool:
    """Whether in these samples somebody's tone is, and nobody else's."""
    found = [tone_level(samples, 16_000, tone) for tone in TONES[:5]]
    others = [level for i, level in enumerate(found) if i != position]
    return found[position] > LOUD and max(others) < LOUD / 10


def sweep(rate: int) -> NDArray[np.int16]:
    """0.4 s up from 400 to 3000 Hz: nothing is like it but itself, and that at one moment only."""
    at = np.arange(int(0.4 * rate)) / rate
    wave: NDArray[np.int16] = (9000 * np.sin(2 * np.pi * (400 * at + 3250 * at**2))).astype(np.int16)
    return wave


def sweeps(track: dict[str, Any], samples: Sound, near: float | None = None) -> float:
    """When the sweep begins in a track; `near` one moment, where there are several."""
    like = np.abs(np.correlate(samples, sweep(16_000).astype(np.float64), "valid"))
    begin = moment(track["started_at"])
    if near is not None:
        at = np.arange(len(like)) / 16_000 + begin
        like = np.where(np.abs(at - near) < 0.3, like, 0)
    return begin + float(like.argmax()) / 16_000


def test_everybody_is_recorded_by_themself_and_together(meeting: Meeting, stack: Stack) -> None:
    api, told = meeting.api, meeting.sounds / "zh-hans" / "recording.wav"
    meeting.everybody_hears_the_others()
    assert tracks(api, meeting.id) == {}
    api.act(meeting.id, "record", state="on")
    for position in range(5):
        wait_until(partial(meeting.heard_say, position, told), f"{NAMES[position]} hears that it is recorded")
    for position, name in enumerate(NAMES):
        track = grown(api, meeting.id, name, by=2)
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
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    for phone in meeting.phones:
        phone.frequency = None  # no tones, which are the same at every moment
    for name in NAMES:
        grown(api, meeting.id, name, by=0.5)
    began = time.time()
    said = speak("会议将在五分钟后结束。请大家准备表决。", "zh-CN").astype(np.float64)
    for phone, rate in zip(meeting.phones, RATES, strict=True):
        phone.say(resample_poly(said, rate, SAMPLE_RATE).astype(np.int16))
        time.sleep(len(said) / SAMPLE_RATE + 0.8)
        phone.say(sweep(rate))
        time.sleep(0.8)
    rows = "SELECT behind, aligned FROM recordings_track WHERE kind = 'mix' AND conference_id = %s"
    wait_until(
        lambda: stack.rows(rows, meeting.id)[0]["behind"] is not None, "it is known how far the mix is behind", 30
    )
    api.act(meeting.id, "record", state="off")
    all_sealed(api, meeting.id)
    wait_until(lambda: stack.rows(rows, meeting.id)[0]["aligned"], "aligned for good", 30)
    [whole] = tracks(api, meeting.id, "mix")[MIX]
    mixed = sound(api, whole["audio"])
    apart = {}
    for name in NAMES:
        [own] = tracks(api, meeting.id)[name]
        begins = sweeps(own, sound(api, own["audio"]))
        apart[name] = sweeps(whole, mixed, begins) - begins
    assert max(map(abs, apart.values())) < TOGETHER, apart
    spoken = [each["name"] for each in utterances(api, meeting.id) if moment(each["starts_at"]) > began]
    assert list(dict.fromkeys(spoken)) == NAMES, "each said theirs, one after the other"


def test_what_is_whispered_is_not_in_the_tracks_of_the_main_room(meeting: Meeting, stack: Stack) -> None:
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    for name in NAMES[:2]:
        grown(api, meeting.id, name, by=1)
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
