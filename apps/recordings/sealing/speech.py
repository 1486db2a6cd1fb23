"""Who speaks when: utterances in one track, found as it grows. numpy and the detector of WebRTC; no framework.

Almost all of what is recorded is silence, so the first question to 20 ms is how loud they are, for many at once. Only
what is above the noise goes to webrtcvad, which tells a voice from other sounds.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np
from cryptography.utils import Buffer
from webrtcvad import Vad

STEP: Final = 20
"""Milliseconds: the grid, and what is looked at."""
PAUSE: Final = 500
"""Milliseconds of silence that end an utterance; a shorter pause is a part of it."""
PAD: Final = 100
"""Milliseconds, at most, by which an utterance is longer at each end than what is surely a voice: breath and hiss that
are louder than the noise.
"""
SHORTEST: Final = 100
"""Milliseconds: what is shorter is no utterance."""

_STRICTNESS: Final = 2  # of webrtcvad, 0 to 3
#: An utterance begins with so many steps of voice out of so many.
_BEGINS, _OUT_OF = 3, 5
#: Effective values of samples: below the first nothing is a voice (-60 dBFS), nor what is less above the noise (8 dB).
_QUIET: Final = 33.0
_ABOVE_NOISE: Final = 2.5
_LEAST_NOISE: Final = _QUIET / _ABOVE_NOISE
#: How the estimate of the noise follows what is quieter and what is louder: within 100 ms, and 4 dB a second. What
#: passes for a voice raises it by 1 dB only: somebody may speak on for ten seconds in a noisy room.
_FALL, _RISE, _RISE_IN_VOICE = 0.2, 1.01, 1.002


class Span(NamedTuple):
    """From `start` to `end`, milliseconds of the track."""

    start: int
    end: int


class Detector:
    """Fed with all of a track's samples (signed, 16 bits, little-endian), from the millisecond `start` on, in pieces of
    any length. A span is told when its end is certain. `rate` is 8000, 16000, 32000 or 48000.
    """

    def __init__(self, rate: int, channels: int = 1, *, start: int = 0) -> None:
        self._rate, self._channels = rate, channels
        self._size = rate * STEP // 1000 * channels * 2
        self._vad = Vad(_STRICTNESS)
        self._rest = b""
        self._now = start
        self._noise = _LEAST_NOISE
        #: No span begins before: what is before was told, or not looked at.
        self._earliest = start
        #: Of the last steps, whether there was a voice.
        self._voices: deque[bool] = deque(maxlen=_OUT_OF)
        #: For how long there has been sound above the noise.
        self._loud = 0
        self._start: int | None = None
        self._voice_start = self._voice_end = self._end = start

    def feed(self, samples: Buffer) -> list[Span]:
        data = self._rest + bytes(samples)
        count = len(data) // self._size
        self._rest = data[count * self._size :]
        if not count:
            return []
        pieces = np.frombuffer(data, dtype="<i2", count=count * self._size // 2)
        if self._start is None and not any(self._voices) and not pieces.any():
            # Muted: as if each step had been looked at.
            self._now += count * STEP
            self._loud, self._noise = 0, _LEAST_NOISE
            return []
        steps = pieces.astype(np.float32)
        if self._channels > 1:
            steps = steps.reshape(-1, self._channels).mean(axis=1)
        steps = steps.reshape(count, -1)
        levels = np.sqrt(np.einsum("ij,ij->i", steps, steps) / steps.shape[1])
        found: list[Span] = []
        if self._start is None and not any(self._voices) and levels.max() <= _LEAST_NOISE:
            # Almost silent: likewise.
            self._now += count * STEP
            self._loud, self._noise = 0, _LEAST_NOISE + (self._noise - _LEAST_NOISE) * (1 - _FALL) ** count
            return found
        heard = data if self._channels == 1 else steps.astype("<i2").tobytes()
        size = self._size // self._channels
        for at, level in enumerate(levels.tolist()):
            self._look(heard[at * size : (at + 1) * size], level, found)
        return found

    def finish(self) -> list[Span]:
        """The track has ended; what is less than a step is silence."""
        found: list[Span] = []
        self._close(found)
        return found

    def _look(self, step: bytes, level: float, found: list[Span]) -> None:
        """The next 20 ms, of one channel."""
        began, self._now = self._now, self._now + STEP
        loud = level > self._noise * _ABOVE_NOISE
        voice = loud and self._vad.is_speech(step, self._rate)
        if level > self._noise:
            self._noise = min(level, self._noise * (_RISE_IN_VOICE if voice else _RISE))
        else:
            self._noise += (max(level, _LEAST_NOISE) - self._noise) * _FALL
        self._voices.append(voice)
        self._loud = self._loud + STEP if loud else 0
        if self._start is None:
            if sum(self._voices) >= _BEGINS:
                first = self._voices.index(True)
                self._voice_start = self._now - (len(self._voices) - first) * STEP
                # The sound before it that goes on into it.
                before = min(PAD, max(0, self._loud - (self._now - self._voice_start)))
                self._start = max(self._earliest, self._voice_start - before)
                self._voice_end = self._end = self._now
        elif voice:
            self._voice_end = self._end = self._now
        elif loud and self._end == began and self._end < self._voice_end + PAD:
            self._end = self._now
        elif self._now - self._voice_end >= PAUSE:
            self._close(found)

    def _close(self, found: list[Span]) -> None:
        if self._start is not None and self._voice_end - self._voice_start >= SHORTEST:
            found.append(Span(self._start, self._end))
            self._earliest = self._end
        self._start = None
        self._voices.clear()
