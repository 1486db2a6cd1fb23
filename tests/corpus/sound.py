"""Sounds, and speech: a sound and what is said in it."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE: Final = 16_000
"""Samples a second of every sound here: shape (samples,), mono, signed 16 bit."""

Sound = NDArray[np.int16]
Language = Literal["en", "zh"]

_BLOCK: Final = RATE // 100
_AUDIBLE: Final = 10 ** (-35 / 20)


@dataclass(frozen=True)
class Sentence:
    """What was said, and when it can be heard first and last, in seconds from the beginning of the sound."""

    text: str
    language: Language
    start: float
    end: float

    def later(self, seconds: float) -> Sentence:
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True)
class Speech:
    """`sentences` are in order of their starts."""

    samples: Sound
    sentences: tuple[Sentence, ...]

    @property
    def seconds(self) -> float:
        return self.samples.size / RATE

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


def one_sentence(samples: Sound, text: str, language: Language) -> Speech:
    """Speech that is one sentence; it begins and ends where it is no more than 35 dB below its loudest."""
    start, end = audible(samples)
    return Speech(samples, (Sentence(text, language, start, end),))


def joined(parts: Sequence[Speech], pause: float, *, lead: float = 0.0) -> Speech:
    """One after the other, `pause` seconds of silence after each, `lead` before the first. What the parts have of
    silence at their own ends is cut off.
    """
    samples = [silence(lead)]
    sentences: list[Sentence] = []
    at = lead
    for part in parts:
        first, last = part.sentences[0].start, part.sentences[-1].end
        cut = part.samples[_count(first) : _count(last)]
        sentences += [sentence.later(at - first) for sentence in part.sentences]
        samples += [cut, silence(pause)]
        at += cut.size / RATE + pause
    return Speech(np.concatenate(samples), tuple(sentences))


def audible(samples: Sound) -> tuple[float, float]:
    """From when to when something is heard, in seconds, to 10 ms."""
    whole = samples[: samples.size // _BLOCK * _BLOCK].reshape(-1, _BLOCK).astype(np.float64)
    levels = np.sqrt((whole**2).mean(axis=1))
    found = np.flatnonzero(levels > levels.max() * _AUDIBLE)
    return float(found[0] / 100), float((found[-1] + 1) / 100)


def level(samples: Sound) -> float:
    """Of the part that is heard, in dB of full scale."""
    start, end = audible(samples)
    heard = samples[_count(start) : _count(end)] / 32768
    return float(10 * np.log10((heard**2).mean()))


def at_level(samples: Sound, decibels: float) -> Sound:
    """The sound made louder or softer, so that its `level` is this."""
    return louder(samples, decibels - level(samples))


def louder(samples: Sound, decibels: float) -> Sound:
    return clipped(samples * 10 ** (decibels / 20))


def silence(seconds: float) -> Sound:
    return np.zeros(_count(seconds), np.int16)


def mixed(length: int, sounds: Iterable[tuple[float, Sound]]) -> Sound:
    """Sounds, each from a time on (seconds), in `length` samples; raises ValueError when one does not fit in."""
    total = np.zeros(length, np.int32)
    for start, samples in sounds:
        at = _count(start)
        if at + samples.size > length:
            raise ValueError(f"a sound of {samples.size} samples does not fit into {length} from {at} on")
        total[at : at + samples.size] += samples
    return clipped(total)


def clipped(samples: NDArray[np.floating[Any]] | NDArray[np.int32]) -> Sound:
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


def resampled(samples: Sound, rate: int, to: int = RATE) -> Sound:
    if rate == to:
        return samples
    common = int(np.gcd(rate, to))
    return clipped(resample_poly(samples.astype(np.float64), to // common, rate // common))


def read(path: Path) -> Sound:
    """A mono file of any format that libsndfile reads, at RATE."""
    samples, rate = soundfile.read(path, dtype="int16")
    return resampled(samples, rate)


def write(path: Path, samples: Sound) -> None:
    """A WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def _count(seconds: float) -> int:
    return round(seconds * RATE)
