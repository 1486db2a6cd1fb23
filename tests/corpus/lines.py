"""What happens to a voice on its way: a telephone's codec, and an echo of it in somebody else's microphone."""

from __future__ import annotations

from typing import Final

import numpy as np

from tests.corpus.sound import RATE, Sound, louder, mixed, resampled

_TELEPHONE: Final = 8_000
# ITU-T G.711, mu-law, with the magnitude in 16 bits as in the code that everybody uses (CLIP, BIAS).
_CLIP: Final = 32_635
_BIAS: Final = 132


def telephone(samples: Sound) -> Sound:
    """Down to 8 kHz, through G.711 (mu-law), and up again."""
    return resampled(mu_law(resampled(samples, RATE, _TELEPHONE)), _TELEPHONE)[: samples.size]


def mu_law(samples: Sound) -> Sound:
    """What is left of samples that were encoded and decoded."""
    magnitude = np.minimum(np.abs(samples.astype(np.int32)), _CLIP) + _BIAS
    exponent = np.frexp(magnitude)[1] - 8
    mantissa = magnitude >> (exponent + 3) & 15
    decoded = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    signed: Sound = (np.sign(samples) * decoded).astype(np.int16)
    return signed


def echo(samples: Sound, decibels: float = -30.0, delay: float = 0.15) -> Sound:
    """As long as the sound: the same later (seconds) and softer, as another microphone in the room would have it."""
    late = louder(samples, decibels)[: samples.size - round(delay * RATE)]
    return mixed(samples.size, [(delay, late)])
