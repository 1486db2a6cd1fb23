"""Where a sentence ends and the next begins: in the pause between, which the samples show and the engine guesses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from ..engines.protocol import RATE, Samples
from .result import Sentence

_STEP: Final = 10
"""Milliseconds."""
_AROUND: Final = 400
"""Milliseconds before and after a guess in which the pause is looked for."""
_SHORTEST: Final = 60
"""Milliseconds of a pause; within words it is as quiet for less."""
_PAD: Final = 100
"""Milliseconds of a pause that go with the sentence before it, and with the one after it."""
_QUIET: Final = 20.0
"""dB below what is loud in the utterance."""
_FLOOR: Final = 1e-12


def settle(found: Sequence[Sentence], samples: Samples) -> list[Sentence]:
    """The sentences of an utterance with these samples; where there is no pause, they stay as they are."""
    settled = list(found)
    if len(settled) < 2:
        return settled
    steps = samples[: len(samples) // (RATE * _STEP // 1000) * (RATE * _STEP // 1000)].reshape(-1, RATE * _STEP // 1000)
    levels = 10 * np.log10(np.maximum(np.einsum("ij,ij->i", steps, steps) / steps.shape[1], _FLOOR))
    quiet = levels < np.quantile(levels, 0.9) - _QUIET
    for number in range(len(settled) - 1):
        before, after = settled[number], settled[number + 1]
        pause = _pause(quiet, before.end, after.start)
        if pause and before.start < pause[0] and pause[1] < after.end:
            middle = sum(pause) // 2
            settled[number] = replace(before, end=min(pause[0] + _PAD, middle))
            settled[number + 1] = replace(after, start=max(pause[1] - _PAD, middle))
    return settled


def _pause(quiet: npt.NDArray[np.bool_], end: int, start: int) -> tuple[int, int] | None:
    """The longest one near a border, whole, in milliseconds."""
    first, last = max(0, (end - _AROUND) // _STEP), min(len(quiet), (start + _AROUND) // _STEP)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if a < last and b > first]
    longest = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
    return (longest[0] * _STEP, longest[1] * _STEP) if (longest[1] - longest[0]) * _STEP >= _SHORTEST else None
