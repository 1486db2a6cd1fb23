"""Utterances are found where somebody speaks, to 40 ms, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from apps.recordings.sealing.speech import STEP, Detector, Span
from apps.switch.speech import speak

RATE = 16_000
Signal = npt.NDArray[Any]
#: What is said, and in which voice.
SAID = [
    ("Good morning everybody, shall we begin?", "en", ""),
    ("Yes.", "en", "f2"),
    ("She sells sea shells by the sea shore.", "en", "m3"),
    ("Fifteen people phoned us.", "en", "f2"),
    ("大家好，我们开始吧。", "zh", ""),
    ("是的，没有问题。", "zh", "f2"),
    ("No.", "en", "m3"),
]
#: Milliseconds: how far an edge may be from where sound begins or ends. Measured: 20 at a beginning, 40 at an end.
TOLERANCE = 60
CHUNK = 16_384


def heard(signal: Signal, rate: int = RATE, channels: int = 1, chunk: int = CHUNK) -> list[Span]:
    detector = Detector(rate, channels)
    data = np.clip(signal, -32768, 32767).astype("<i2").tobytes()
    spans = [span for start in range(0, len(data), chunk) for span in detector.feed(data[start : start + chunk])]
    return spans + detector.finish()


def silence(milliseconds: int, rate: int = RATE) -> Signal:
    return np.zeros(rate * milliseconds // 1000)


def noise(samples: int, level: float, seed: int = 1) -> Signal:
    return np.random.default_rng(seed).normal(0, level, samples)


def voice(milliseconds: int, rate: int = RATE) -> Signal:
    """A vowel: harmonics of 120 Hz, strongest at its formants, that swell and fall four times a second."""
    time = np.arange(rate * milliseconds // 1000) / rate
    harmonics = [n * 120 for n in range(1, 30) if n * 120 < rate / 2]
    strength = {f: sum(1 / (1 + ((f - formant) / 150) ** 2) for formant in (700, 1200, 2600)) for f in harmonics}
    tone = sum(strength[f] * np.sin(2 * np.pi * f * time + f) for f in harmonics)
    return np.asarray(tone * (1.2 + np.sin(2 * np.pi * 4 * time)) * 1500)


def conversation() -> tuple[Signal, list[Span]]:
    """Two seconds of silence before each of them; where there is sound."""
    pieces, spans, now = [], [], 0
    for text, language, variant in SAID:
        spoken = speak(text, language, variant=variant).astype(float)
        steps = spoken[: len(spoken) // 320 * 320].reshape(-1, 320)
        loud = np.nonzero(np.sqrt((steps**2).mean(axis=1)) > 33)[0]
        now += 2000
        spans.append(Span(now + int(loud[0]) * STEP, now + (int(loud[-1]) + 1) * STEP))
        pieces += [silence(2000), steps.reshape(-1)]
        now += len(steps) * STEP
    return np.concatenate([*pieces, silence(2000)]), spans


def alike(found: list[Span], expected: list[Span], tolerance: int = TOLERANCE) -> bool:
    return len(found) == len(expected) and all(
        abs(a - b) <= tolerance
        for one, other in zip(found, expected, strict=True)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("level", [0, 10, 30])
@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_what_people_say(level: float, gain: float) -> None:
    signal, expected = conversation()
    found = heard(signal * gain + noise(len(signal), level))
    assert alike(found, expected)
    assert all(start % STEP == end % STEP == 0 for start, end in found)


@pytest.mark.parametrize("rate", [8_000, 16_000, 32_000, 48_000])
def test_every_rate_that_occurs(rate: int) -> None:
    signal = np.concatenate([silence(1000, rate), voice(1500, rate), silence(1000, rate)])
    assert alike(heard(signal, rate), [Span(1000, 2500)])


def test_stereo_is_heard_as_one() -> None:
    left = np.concatenate([silence(1000), voice(1000), silence(3000)])
    right = np.concatenate([silence(3000), voice(1000), silence(1000)])
    both = np.stack([left, right], axis=1).reshape(-1)
    assert alike(heard(both, channels=2), [Span(1000, 2000), Span(3000, 4000)])


@pytest.mark.parametrize(("pause", "count"), [(440, 1), (600, 2)])
def test_a_short_pause_is_part_of_it(pause: int, count: int) -> None:
    signal = np.concatenate([silence(1000), voice(800), silence(pause), voice(800), silence(1000)])
    assert len(heard(signal)) == count


def test_it_is_told_when_its_end_is_certain() -> None:
    detector = Detector(RATE)
    data = np.concatenate([silence(1000), voice(1000)]).astype("<i2").tobytes()
    assert detector.feed(data + bytes(2 * RATE * 480 // 1000)) == []
    assert alike(detector.feed(bytes(2 * RATE * 40 // 1000)), [Span(1000, 2000)])


def test_the_end_of_the_track_ends_it() -> None:
    detector = Detector(RATE)
    assert detector.feed(voice(1000).astype("<i2").tobytes()) == []
    assert alike(detector.finish(), [Span(0, 1000)])
    assert detector.finish() == []


def test_what_is_masked_is_silence_whatever_was_before() -> None:
    """Zeros, while there was a voice in a noisy room: it ends where the mask begins, and no pad reaches into it."""
    talk = voice(1500) + noise(RATE * 3 // 2, 50)
    ((start, end),) = heard(np.concatenate([noise(2 * RATE, 50), talk, silence(2000)]))
    assert abs(start - 2000) <= TOLERANCE
    assert end == 3500


def test_clicks_and_noise_are_no_voice() -> None:
    clicks = silence(5000)
    for at in range(RATE // 2, len(clicks), RATE):
        clicks[at : at + 160] = 20_000
    assert heard(clicks) == []
    assert heard(noise(20 * RATE, 1000)) == []
    assert heard(np.concatenate([silence(500), voice(60), silence(1000)])) == []


@pytest.mark.parametrize("below", [4, 8])
def test_who_speaks_on_in_a_noisy_room_is_heard_to_the_end(below: float) -> None:
    """Ten seconds without becoming softer, 12 and 18 dB above the noise."""
    swelling = 1.2 + np.sin(2 * np.pi * 4 * np.arange(RATE * 10) / RATE)
    talk = voice(10_000) / swelling * 1.5
    signal = np.concatenate([silence(1000), talk, silence(1000)])
    found = heard(signal + noise(len(signal), float(np.sqrt((talk**2).mean())) / below))
    assert alike(found, [Span(1000, 11_000)], 250)
    assert found[0].end >= 11_000


def test_the_length_of_pieces_changes_nothing() -> None:
    signal, _ = conversation()
    signal = signal + noise(len(signal), 10)
    assert heard(signal, chunk=2 * 7 * 13) == heard(signal, chunk=1 << 20) == heard(signal)


def test_one_that_begins_in_the_middle_hears_the_same() -> None:
    signal, expected = conversation()
    told = expected[2].end + 100
    detector = Detector(RATE, start=told // STEP * STEP)
    data = signal[told // STEP * STEP * RATE // 1000 :].astype("<i2").tobytes()
    assert alike(detector.feed(data) + detector.finish(), expected[3:])


def test_silence_is_not_handed_to_the_detector_of_voices(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf:
        def __init__(self, mode: int) -> None:
            pass

        def is_speech(self, step: bytes, rate: int) -> bool:
            raise AssertionError("asked")

    monkeypatch.setattr("apps.recordings.sealing.speech.Vad", Deaf)
    assert heard(silence(60_000)) == heard(noise(60 * RATE, 12)) == []
