"""Five people say a sentence of their own and a sweep, by turns; where that is found in their tracks and in the mix."""

from __future__ import annotations

import time
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate, resample_poly

from apps.switch.speech import SAMPLE_RATE, speak
from tests.contract.desk import Sound
from tests.contract.esl import Client
from tests.live.system.installation import NAMES
from tests.live.system.meeting import Meeting
from tests.servers import wait_until
from tests.system.recorded import MIX, all_grown, all_sealed, moment, sound, tracks, utterances
from tests.system.stack import Stack

SENTENCES = [
    "会议将在五分钟后结束",
    "请大家准备表决这项提案",
    "上个季度的销售增长了百分之十二",
    "我们下周再讨论这个问题",
    "合同已经寄给客户签字",
]
PHONES_RATES = (48_000, 48_000, 16_000, 8_000, 8_000)
"""Of what the phones' codecs take, in the order of conftest.CODECS."""
TOGETHER = 0.04
"""Seconds that tracks and mix may be apart."""
NEAR = 0.3


@cache
def sentence(position: int) -> Sound:
    return speak(SENTENCES[position], "zh-CN").astype(np.float64)


def sweep(rate: int) -> NDArray[np.int16]:
    """0.4 s up from 400 to 3000 Hz: nothing is like it but itself, and that at one moment only."""
    at = np.arange(int(0.4 * rate)) / rate
    wave: NDArray[np.int16] = (9000 * np.sin(2 * np.pi * (400 * at + 3250 * at**2))).astype(np.int16)
    return wave


def found(what: Sound, samples: Sound) -> tuple[float, float]:
    """Where it begins in 16 kHz samples (seconds), and how like that is, up to 1."""
    like = np.abs(correlate(samples, what, "valid"))
    energy = np.concatenate([[0.0], np.cumsum(samples**2)])
    like /= np.sqrt(np.maximum(energy[len(what) :] - energy[: -len(what)], 1e4) * (what**2).sum())
    return float(like.argmax()) / 16_000, float(like.max())


def said_of_codec(stack: Stack, meeting: Meeting, position: int) -> str:
    """What somebody's phone, which is recorded, said of how it takes its codec (SDP, fmtp)."""
    home = stack.var / "freeswitch"
    esl = Client("127.0.0.1", int((home / "esl-port").read_text()), (home / "esl-password").read_text().strip())
    rows = stack.rows("SELECT leg FROM recordings_track WHERE participant_id = %s", meeting.ids[position])
    told = esl.api(f"uuid_getvar {rows[0]['leg']} rtp_use_codec_fmtp")
    esl.close()
    return told


def tracks_and_mix_line_up(meeting: Meeting, stack: Stack) -> None:
    """Each says theirs while it is recorded; then all of it is looked for."""
    api = meeting.api
    api.act(meeting.id, "record", state="on")
    for phone in meeting.phones:
        phone.frequency = None  # no tones, which are the same at every moment
    all_grown(api, meeting.id, NAMES, by=2.5)  # until no tone is on its way any more
    began = time.time()
    for position, (phone, rate) in enumerate(zip(meeting.phones, PHONES_RATES, strict=True)):
        phone.say(resample_poly(sentence(position), rate, SAMPLE_RATE).astype(np.int16))
        time.sleep(len(sentence(position)) / SAMPLE_RATE + 0.8)
        phone.say(sweep(rate))
        time.sleep(0.8)
    rows = "SELECT behind, aligned FROM recordings_track WHERE kind = 'mix' AND conference_id = %s"
    wait_until(lambda: stack.rows(rows, meeting.id)[0]["behind"] is not None, "the mix is known to be behind", 30)
    api.act(meeting.id, "record", state="off")
    all_sealed(api, meeting.id)
    wait_until(lambda: stack.rows(rows, meeting.id)[0]["aligned"], "aligned for good", 30)
    channels = stack.rows("SELECT DISTINCT channels FROM recordings_track WHERE conference_id = %s", meeting.id)
    assert channels == [{"channels": 1}]
    [whole] = tracks(api, meeting.id, "mix")[MIX]
    mixed, start = sound(api, whole["audio"]), moment(whole["started_at"])
    said = [each for each in utterances(api, meeting.id) if moment(each["starts_at"]) > began]
    assert list(dict.fromkeys(each["name"] for each in said)) == NAMES, "each said theirs, one after the other"
    apart = {}
    for position, name in enumerate(NAMES):
        first = next(each for each in said if each["name"] == name)
        words = sound(api, first["audio"])
        likest = [found(words, np.pad(sentence(other), len(words)))[1] for other in range(len(SENTENCES))]
        assert int(np.argmax(likest)) == position, (name, likest)
        [own] = tracks(api, meeting.id)[name]
        place, likeness = found(sweep(16_000).astype(np.float64), sound(api, own["audio"]))
        assert likeness > 0.5
        by_clock = moment(first["starts_at"]) + place - first["start_ms"] / 1000
        apart[name] = [
            _apart(words, mixed, moment(first["starts_at"]) - start),
            _apart(sweep(16_000).astype(np.float64), mixed, by_clock - start),
        ]
    assert max(abs(each) for both in apart.values() for each in both) < TOGETHER, apart


def _apart(what: Sound, mixed: Sound, expected: float) -> float:
    """By how many seconds it is later in the mix than expected."""
    first = round((expected - NEAR) * 16_000)
    return found(what, mixed[first : first + len(what) + round(2 * NEAR * 16_000)])[0] - NEAR
