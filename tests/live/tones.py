"""Which tones an audio holds, and how loud."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# One of these for each phone, in hertz. Not below and not above what G.711 carries well; no one is near another's
# harmonic or a low-order mix of two others, so a codec's distortion of some cannot pass for another.
TONES = (401, 557, 683, 839, 971, 1103, 1229)
# A tone counts as heard above this (dB of full scale). Phones send at -20; what leaks through a codec stays below -60.
HEARD = -50.0
SENT = -20.0


def tone(frequency: int, rate: int) -> NDArray[np.int16]:
    """One second of a sine at SENT, to be repeated: shape (rate,)."""
    amplitude = 32767 * 10 ** (SENT / 20) * np.sqrt(2)
    wave: NDArray[np.float64] = amplitude * np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
    return np.rint(wave).astype(np.int16)


def levels(audio: NDArray[np.int16], rate: int, frequencies: Sequence[int] = TONES) -> dict[int, float]:
    """The level of each frequency in `audio` (shape (samples,), at least 0.2 s), in dB of a full-scale square wave."""
    window = np.hanning(audio.size)
    wave = audio / 32768 * window
    at = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(audio.size)) / rate)
    amplitudes = 2 * np.abs(at @ wave) / window.sum()
    return {
        frequency: float(20 * np.log10(max(amplitude / np.sqrt(2), 1e-9)))
        for frequency, amplitude in zip(frequencies, amplitudes, strict=True)
    }


def heard(audio: NDArray[np.int16], rate: int) -> set[int]:
    """Those of TONES that a listener hears in `audio`."""
    return {frequency for frequency, level in levels(audio, rate).items() if level > HEARD}
