"""Whether a sound file is heard in an audio, among tones and through codecs."""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.live.tones import TONES

_RATE = 8_000
_PIECE = 2_000  # samples, a quarter of a second: so long codec, jitter buffer and two clocks keep speech together
_SLIP = 400  # samples
_NOTCH = 8  # hertz


def likeness(audio: NDArray[np.int16], rate: int, file: Path) -> float:
    """How much of the file is in the audio, from 0 to 1: the median over its quarters of a second, each compared with
    the audio where it fits best, at most 50 ms from its place.
    """
    heard, said = _at_8k(audio, rate), _read(file)
    if heard.size < said.size:
        return 0.0
    # Where the file as a whole fits best; then its pieces around there.
    start = int(np.argmax(np.abs(_compared(heard, said))))
    found = []
    length = min(_PIECE, said.size)
    for at in range(0, said.size - length + 1, length):
        piece = said[at : at + length]
        low = max(0, start + at - _SLIP)
        part = heard[low : start + at + length + _SLIP]
        if part.size >= length and np.abs(piece).max() > 0.02:
            found.append(float(np.abs(_compared(part, piece)).max()))
    return float(np.median(found)) if found else 0.0


def _compared(heard: NDArray[np.float64], said: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normalised correlation of `said` with each stretch of `heard` that is as long."""
    size = heard.size + said.size - 1
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    energy = np.concatenate([[0.0], np.cumsum(heard**2)])
    loud = np.sqrt(np.maximum(energy[said.size :] - energy[: -said.size], 1e-6)) * np.sqrt((said**2).sum())
    found: NDArray[np.float64] = products[: loud.size] / loud
    return found


def _at_8k(samples: NDArray[np.int16], rate: int) -> NDArray[np.float64]:
    """Without the phones' tones."""
    wave_ = samples / 32_768
    if rate != _RATE:
        taps = np.arange(-32, 33)
        low_pass = np.sinc(0.9 * _RATE / rate * taps) * np.hamming(taps.size)
        wave_ = np.convolve(wave_, low_pass / low_pass.sum(), mode="same")[:: rate // _RATE]
    spectrum = np.fft.rfft(wave_)
    frequencies = np.fft.rfftfreq(wave_.size, 1 / _RATE)
    for tone in TONES:
        spectrum[np.abs(frequencies - tone) < _NOTCH] = 0
    found: NDArray[np.float64] = np.fft.irfft(spectrum, wave_.size)
    return found


@cache
def _read(file: Path) -> NDArray[np.float64]:
    with wave.open(str(file)) as recording:
        samples = np.frombuffer(recording.readframes(recording.getnframes()), np.int16)
        return _at_8k(samples, recording.getframerate())
