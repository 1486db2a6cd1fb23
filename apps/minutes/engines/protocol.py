"""What a speech-to-text engine does, whatever it is made of. numpy; no framework.

An engine turns clips of speech into text and says how sure it is. What to do about what it is unsure of, it leaves to
the pipeline (`apps/minutes/pipeline/`), so that every engine is guarded alike.
"""

from __future__ import annotations

import zlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

RATE: Final = 16_000
"""Samples a second of all sound in `apps/minutes`."""

LONGEST: Final = 30_000
"""Milliseconds: a clip is not longer."""

Samples = npt.NDArray[np.float32]
"""Mono, -1 to 1, at RATE."""


class Why(StrEnum):
    """Why there is no engine."""

    NONE = "none"
    """None is wanted."""
    NO_MODEL = "no_model"
    """None is configured."""
    NOT_INSTALLED = "not_installed"
    """Its packages are missing."""
    BAD_MODEL = "bad_model"
    """The model's folder is incomplete."""
    FAILED = "failed"
    """It did not start: no such device, too little memory, a hub that is away."""


class NoEngine(Exception):  # noqa: N818 - there is none: that is what it says
    """No speech-to-text engine can be used. The text, for a person, says why and what to do about it."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech in one language (`zh`, `en`), not longer than LONGEST; `prompt`: what was, as it were, said before.

    `words`: each word is to be a piece of the text.
    """

    samples: Samples
    language: str
    prompt: str = ""
    words: bool = False

    @property
    def milliseconds(self) -> int:
        return len(self.samples) * 1000 // RATE


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the text, as the engine cut it, and when it was said: from `start` to `end`, milliseconds of the clip.

    The texts of a clip's pieces, one after the other, are the text: blanks between words are in them.
    """

    start: int
    end: int
    text: str
    log_probability: float | None = None
    """Of a word: the mean of its tokens, where the engine tells."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a clip says."""

    pieces: tuple[Piece, ...]
    language: str
    log_probability: float
    """Mean of the tokens' logarithms of probability: 0 is certain."""
    compression: float
    """How far the text can be compressed (`compression_of`): high where it repeats itself."""
    no_speech: float
    """Probability that there is no speech in the clip."""

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


class Engine(Protocol):
    @property
    def name(self) -> str:
        """As in SPARKLE_MINUTES_ENGINE."""

    @property
    def model(self) -> str:
        """As a person reads it, beside what it wrote: no path."""

    def detect_language(
        self, clips: Sequence[Samples], among: Sequence[str], *, soon: Container[int] = ()
    ) -> list[dict[str, float]]:
        """For each clip the probability of each of the languages, which together are 1. `soon`: numbers of clips that
        are transcribed next as they are, for which work may be kept.
        """

    def transcribe(self, clips: Sequence[Clip], *, beam: int, careful: bool = False) -> list[Decoded]:
        """The texts of the clips, in their order. `careful`: slowly, for what came out badly the first time."""


def compression_of(text: str) -> float:
    """Bytes of the text for each byte that zlib makes of it."""
    data = text.strip().encode()
    return len(data) / len(zlib.compress(data))
