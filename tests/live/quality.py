"""How speech sounds at the other end, by ViSQOL's measure for speech: wide band, 1 (bad) to 5 (as it was said)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly
from visqol import VisqolApi

from apps.switch.speech import SAMPLE_RATE, speak
from tests.live.conftest import NUMBERS, password
from tests.live.phones import Phone, Phones

SENTENCE = "Please say your name, and wait until everybody has joined."
SLACK = 0.7  # seconds that the way may take


def score(said: NDArray[np.int16], heard: NDArray[np.int16], rate: int) -> float:
    """Of what was heard, from where it fits best."""
    reference = said / 32768
    audio = resample_poly(heard / 32768, SAMPLE_RATE, rate)
    size = 2 * audio.size
    match = np.fft.irfft(np.fft.rfft(audio, size) * np.conj(np.fft.rfft(reference, size)))
    at = int(np.argmax(match[: max(1, audio.size - reference.size)]))
    measure = VisqolApi()
    measure.create(mode="speech", use_lattice_model=False, search_window=4)
    return float(measure.measure_from_arrays(reference, audio[at : at + reference.size], SAMPLE_RATE).moslqo)


class Pair:
    """Two Opus phones; the first says the sentence, the second listens."""

    def __init__(self, phones: Phones) -> None:
        self.speaker, self.listener = (phones.register(number, password(number)) for number in NUMBERS[:2])
        self.said = speak(SENTENCE, "en", variant="f2")

    @property
    def phones(self) -> list[Phone]:
        return [self.speaker, self.listener]

    def score(self) -> float:
        self.listener.record(0.5)  # the sound flows
        self.speaker.say(resample_poly(self.said.astype(np.float64), 48_000, SAMPLE_RATE).astype(np.int16))
        return score(self.said, *self.listener.record(self.said.size / SAMPLE_RATE + SLACK))
