"""Sounds for the tests of minutes: speech by espeak-ng, and what is none. All at 16 kHz, -1 to 1."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from apps.minutes.engines.protocol import RATE, Samples

_EDGE: Final = 0.02
_SPEAK: Final = (
    "import sys; from apps.switch.speech import speak;"
    " sys.stdout.buffer.write(speak(sys.argv[1], sys.argv[2], variant=sys.argv[3]).tobytes())"
)


@cache
def spoken(text: str, language: str, variant: str = "") -> npt.NDArray[np.int16]:
    """By a process of its own: how espeak-ng says something depends on what it said before. Variants with breath in
    them (`f2`) sound otherwise each time.
    """
    command = [sys.executable, "-c", _SPEAK, text, language, variant]
    return np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, np.int16)


def say(text: str, language: str = "en", *, variant: str = "m3", level: float = 0.0) -> Samples:
    """Without silence before or after; `level` in dB against espeak's own."""
    said = (spoken(text, language, variant) / 32_768).astype(np.float32)
    loud = np.flatnonzero(np.abs(said) > _EDGE)
    return gain(said[loud[0] : loud[-1] + 1], level)


def gain(samples: Samples, level: float) -> Samples:
    return (samples * 10 ** (level / 20)).astype(np.float32)


def silence(milliseconds: int) -> Samples:
    return np.zeros(RATE * milliseconds // 1000, dtype=np.float32)


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def mixed(*parts: Samples) -> Samples:
    """All at once, as long as the longest."""
    mix = np.zeros(max(map(len, parts)), dtype=np.float32)
    for part in parts:
        mix[: len(part)] += part
    return mix


def late(samples: Samples, milliseconds: int) -> Samples:
    """What is heard so much later, as long as it was."""
    return joined(silence(milliseconds), samples)[: len(samples)]


def milliseconds(samples: Samples) -> int:
    return len(samples) * 1000 // RATE


_Wave = npt.NDArray[np.float64]
_SECONDS: Final = 4
_TIME: Final = np.arange(_SECONDS * RATE) / RATE


def _noise(level: float) -> _Wave:
    noise: _Wave = np.random.default_rng(5).normal(0, level, len(_TIME))
    return noise


def _tones(*frequencies: float) -> _Wave:
    tones: _Wave = np.sum([np.sin(2 * np.pi * frequency * _TIME) for frequency in frequencies], axis=0)
    return tones


def _breath() -> _Wave:
    """Noise from 500 Hz to 3 kHz that swells and fades, once in two seconds."""
    spectrum = np.fft.rfft(_noise(0.2))
    frequencies = np.fft.rfftfreq(len(_TIME), 1 / RATE)
    spectrum[(frequencies < 500) | (frequencies > 3_000)] = 0
    noise: _Wave = np.fft.irfft(spectrum, len(_TIME))
    swelling: _Wave = noise * np.maximum(np.sin(np.pi * _TIME), 0) ** 2
    return swelling


def _clicks() -> _Wave:
    clicks = _noise(0.001)
    clicks[:: RATE // 3] = 0.9
    clicks[1 :: RATE // 3] = -0.7
    return clicks


def _in_turn(parts: Sequence[_Wave]) -> _Wave:
    """Half a second of each, one after the other."""
    turn = (_TIME / 0.5).astype(int) % len(parts)
    taken: _Wave = np.choose(turn, parts)
    return taken


def _dtmf() -> _Wave:
    keys = [(697, 1209), (770, 1336), (852, 1477), (941, 1336)]
    return np.where(_TIME % 0.5 < 0.2, 0.2 * _in_turn([_tones(*pair) for pair in keys]), 0.0)


def _music() -> _Wave:
    """Chords of a keyboard: harmonics that decay from twice a second on."""
    notes = [(261.6, 329.6, 392.0), (293.7, 349.2, 440.0), (196.0, 246.9, 293.7), (261.6, 329.6, 523.3)]
    struck = _in_turn([_tones(*(n * note for note in chord for n in (1, 2, 3))) for chord in notes])
    decay: _Wave = np.exp(-3 * (_TIME % 0.5))
    return 0.05 * struck * decay


NO_SPEECH: Final[dict[str, Callable[[], _Wave]]] = {
    "silence": lambda: np.zeros(len(_TIME)),
    "noise": lambda: _noise(0.05),
    "hum": lambda: 0.2 * _tones(50, 100, 150),
    "ringing": lambda: 0.2 * _tones(425) * (_TIME % 5 < 1),
    "dtmf": _dtmf,
    "music": _music,
    "clicks": _clicks,
    "breath": _breath,
}
"""Eight kinds of what an engine must never write down, four seconds of each."""


def no_speech(kind: str) -> Samples:
    return NO_SPEECH[kind]().astype(np.float32)
