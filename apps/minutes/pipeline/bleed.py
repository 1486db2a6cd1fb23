"""Whether what a microphone picked up is somebody else's voice: an echo on the line, a loudspeaker, the next desk.

A voice detector hears it, and the engine writes it down, at 40 dB below the voice itself. Who really speaks while
another speaks is about as loud; an echo is far quieter all the time, and is there only while the other speaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..engines.protocol import RATE, Samples

BELOW: Final = 15.0
"""dB: what is further below another track is not its own speaker's."""

_STEP: Final = RATE // 50  # 20 ms
_AROUND: Final = 25
"""Steps, 500 ms, before and after: more than the 300 ms that an echo may be late, for levels to be alike there, too."""
_ACTIVE: Final = 12.0
"""dB below its loudest: what is quieter is a pause, of which levels say nothing."""
_NEARLY: Final = 6.0
"""dB less than BELOW: as far below is nine tenths of the time. A voice of one's own goes on where the other pauses."""
_FLOOR: Final = 1e-12

_Levels = npt.NDArray[np.float64]


def bled(own: Samples, others: Sequence[Samples]) -> bool:
    """Whether `own` is only what bled over from `others`, which begin at the same time of the conference's clock.

    Others may be shorter; there they are silent. They may be up to 300 ms early or late.
    """
    steps = len(own) // _STEP
    if not steps or not others:
        return False
    mine = _levels(own, steps)
    theirs = np.max([_levels(other, steps) for other in others], axis=0)
    active = mine > mine.max() - _ACTIVE
    below = (theirs - mine)[active]
    return bool(np.median(below) > BELOW and np.quantile(below, 0.1) > BELOW - _NEARLY)


def _levels(samples: Samples, steps: int) -> _Levels:
    """dB of each step with what is around it."""
    power = np.zeros(steps)
    there = min(steps, len(samples) // _STEP)
    cut: npt.NDArray[Any] = samples[: there * _STEP].reshape(there, _STEP)
    power[:there] = np.einsum("ij,ij->i", cut, cut, dtype=np.float64) / _STEP
    sums = np.concatenate([[0.0], np.cumsum(power)])
    first = np.maximum(np.arange(steps) - _AROUND, 0)
    last = np.minimum(np.arange(steps) + _AROUND + 1, steps)
    levels: _Levels = 10 * np.log10(np.maximum((sums[last] - sums[first]) / (last - first), _FLOOR))
    return levels
