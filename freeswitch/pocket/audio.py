"""Sound: frames of 20 ms at 48 kHz, the rate of a browser, and the voices that yield them."""

from __future__ import annotations

import asyncio
import re
import wave
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

RATE: Final = 48_000
FRAME_SECONDS: Final = 0.02
FRAME: Final = 960
"""Samples a frame."""

Samples = npt.NDArray[np.int16]
Sums = npt.NDArray[np.int32]

SILENCE: Final[Samples] = np.zeros(FRAME, np.int16)

# switch_change_sln_volume (switch_resample.c:401)
_GAINS: Final = {-4: 0.2, -3: 0.4, -2: 0.6, -1: 0.8, 0: 1.0, 1: 1.3, 2: 2.3, 3: 3.3, 4: 4.3}


def amplify(frame: Samples, level: int) -> Samples:
    """`frame` at volume `level`, -4 to 4."""
    if level == 0:
        return frame
    return clip(np.rint(frame * _GAINS[level]))


def clip(sums: npt.NDArray[np.int32] | npt.NDArray[np.float64]) -> Samples:
    """Back to 16 bit, saturated."""
    return np.clip(sums, -32768, 32767).astype(np.int16)


class Voice(Protocol):
    """What a leg says."""

    def next(self) -> Samples | None:
        """The next frame, or None for silence."""

    @property
    def done(self) -> bool:
        """Nothing more will come."""


class ClipVoice:
    """Says some samples once, or over and over."""

    def __init__(self, samples: Samples, *, loop: bool = False) -> None:
        padding = -len(samples) % FRAME
        self._frames = np.pad(samples, (0, padding)).reshape(-1, FRAME)
        self._next = 0
        self._loop = loop
        self.said = asyncio.Event()
        if self.done:
            self.said.set()

    def next(self) -> Samples | None:
        if self.done:
            return None
        frame: Samples = self._frames[self._next]
        self._next += 1
        if self._next == len(self._frames):
            if self._loop:
                self._next = 0
            else:
                self.said.set()
        return frame

    @property
    def done(self) -> bool:
        return self._next >= len(self._frames)

    @property
    def played(self) -> int:
        """Samples said so far."""
        return self._next * FRAME


class PipeVoice:
    """Says what another leg hears: one end of a loopback pair."""

    done = False

    def __init__(self) -> None:
        self._frame: Samples | None = None

    def put(self, frame: Samples | None) -> None:
        self._frame = frame

    def next(self) -> Samples | None:
        frame, self._frame = self._frame, None
        return frame


def tone(frequency: float, seconds: float = 1.0, amplitude: int = 6000) -> Samples:
    """A sine; whole periods when `frequency` and `seconds` are whole numbers, so that it loops without a click."""
    return (amplitude * np.sin(2 * np.pi * frequency * np.arange(int(RATE * seconds)) / RATE)).astype(np.int16)


_TONES: Final = re.compile(r"tone_stream://(?:v=(-?\d+);)?((?:%\(\d+,\d+,\d+\);?)+)")
_TONE: Final = re.compile(r"%\((\d+),(\d+),(\d+)\)")
_LOUDEST_TONE: Final = 3.14 + 3.02
"""Decibels at which a tone would be a square of full scale (libteletone.h, DBM0_MAX_POWER)."""


def read_file(path: str) -> Samples:
    """The sound that a `play` names: a WAV file or `tone_stream://v=DECIBELS;%(ON,OFF,HZ);…` in milliseconds.

    Raises OSError when there is no such file or it cannot be read as 16 bit WAV.
    """
    if path.startswith("tone_stream://"):
        match = _TONES.fullmatch(path)
        if match is None:
            raise OSError(f"the pocket switch knows no such tone: {path}")
        amplitude = 6000 if match[1] is None else int(32767 * 2**0.5 * 10 ** ((int(match[1]) - _LOUDEST_TONE) / 20))
        parts = []
        for on, off, frequency in _TONE.findall(match[2]):
            parts += [tone(int(frequency), int(on) / 1000, amplitude), np.zeros(RATE * int(off) // 1000, np.int16)]
        return np.concatenate(parts)
    try:
        with Path(path).open("rb") as raw, wave.open(raw) as file:
            if file.getsampwidth() != 2:
                raise OSError(f"{path}: not 16 bit")
            rate, channels = file.getframerate(), file.getnchannels()
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)[::channels]
    except (wave.Error, EOFError) as error:
        raise OSError(f"{path}: {error}") from error
    return _resample(samples, rate)


def _resample(samples: Samples, rate: int) -> Samples:
    """A whole clip from `rate` to RATE, by its spectrum: nothing is added above what it had, nothing folds down."""
    if rate == RATE or not len(samples):
        return samples
    samples = np.pad(samples, (0, -len(samples) % (rate // 50)))  # a length of small factors is quick
    count = len(samples) * RATE // rate
    return clip(np.rint(np.fft.irfft(np.fft.rfft(samples), count) * (count / len(samples))))


class Decimator:
    """From RATE down to a divisor of it, frame by frame, through a low-pass filter that remembers what came before."""

    def __init__(self, rate: int) -> None:
        self._step = RATE // rate
        half = 12 * self._step
        places = np.arange(-half, half + 1)
        taps = np.sinc(places / self._step * 0.9) * np.hamming(len(places))
        self._taps = taps / taps.sum()
        self._past: Samples = np.zeros(2 * half, np.int16)

    def __call__(self, frame: Samples) -> Samples:
        if self._step == 1:
            return frame
        window = np.concatenate([self._past, frame])
        self._past = window[-len(self._past) :]
        near = np.lib.stride_tricks.sliding_window_view(window, len(self._taps))
        return clip(np.rint(near[:: self._step] @ self._taps))
