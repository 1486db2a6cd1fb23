"""How far a mix is behind one voice in it, and how that changes. numpy; no framework.

A switch writes each leg and the mix in frames of 20 ms, everyone at a pace of their own. A frame that is lost before it
is recorded makes a track, or the mix, shorter by as much: from then on it is another lag, by whole frames. So the lag
is the same for minutes, and then, at once, another; a change lasts, and what was mistaken does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

ALIKE: Final = 0.3
"""Least likeness, of 1, at which a voice was found in the mix: others may speak there too."""
BESIDE: Final = 0.8
"""What is more alike than this part of the most at another place, PEAK away or more, may be there as well: a tone is
everywhere."""
PEAK: Final = 0.01
"""Seconds."""

_WEIGHT: Final = 5.0
"""What one likeness tells, in terms of independent pairs of samples, halved: few, since echoes are alike as well."""
_CHANGED: Final = 2.0
"""Minus the logarithm of the probability that a lag is, after a long time, a certain other one."""
_BETWEEN_CHANGES: Final = 120.0
"""Seconds."""
_FRAME: Final = 20.0
"""Milliseconds from which a lag is another, and not the same, badly measured."""


class Found(NamedTuple):
    """Where a voice was found, in samples or milliseconds, and how much what is there is like it, up to 1."""

    at: float
    likeness: float

    @property
    def evidence(self) -> float:
        """The logarithm of how much more probable that likeness is if it is there."""
        return -_WEIGHT * math.log(max(1.0 - self.likeness**2, 1e-3))


def find(voice: Samples, mix: Samples, rate: int) -> Found | None:
    """At which sample of `mix` `voice` begins; None where that is not plain to hear."""
    # What a circular correlation mixes up lies behind the places that are asked for.
    size = _convenient(len(mix))
    found = np.fft.irfft(np.fft.rfft(mix, size) * np.conj(np.fft.rfft(voice, size)), size)[: len(mix) - len(voice) + 1]
    energy = np.cumsum(np.concatenate([[0.0], mix.astype(np.float64) ** 2]))
    heard = energy[len(voice) :] - energy[: -len(voice)]
    alike = np.abs(found) / np.sqrt(np.maximum(heard * float((voice.astype(np.float64) ** 2).sum()), 1.0))
    at = int(alike.argmax())
    most, near = float(alike[at]), round(PEAK * rate)
    elsewhere = max(alike[: max(0, at - near)].max(initial=0.0), alike[at + near :].max(initial=0.0))
    return Found(at, most) if most >= ALIKE and elsewhere < BESIDE * most else None


def _convenient(size: int) -> int:
    """A length, not below, that is fast to transform."""
    step = 1 << max(0, size.bit_length() - 4)
    return -(-size // step) * step


def follow(moments: Sequence[float], lags: Sequence[Found | None]) -> list[int] | None:
    """The lag at each of these moments (seconds, ascending), milliseconds: the most probable course of it, by what was
    plain to hear. None where nothing was.
    """
    plain = [each.at for each in lags if each is not None]
    if not plain:
        return None
    states = np.unique(np.rint(plain))
    places = np.arange(len(states))
    cost = np.zeros(len(states))
    came_from: list[NDArray[np.intp]] = []
    before = moments[0]
    for moment, found in zip(moments, lags, strict=True):
        least = int(cost.argmin())
        changed = cost[least] + _CHANGED - math.log(-math.expm1(-max(moment - before, 0.02) / _BETWEEN_CHANGES))
        came_from.append(np.where(cost <= changed, places, least))
        cost = np.minimum(cost, changed)
        if found is not None:
            cost = cost + found.evidence * np.minimum(np.abs(states - found.at) / _FRAME, 1.0)
        before = moment
    state = int(cost.argmin())
    course: list[int] = []
    for each in reversed(came_from):
        course.append(int(states[state]))
        state = int(each[state])
    return course[::-1]
