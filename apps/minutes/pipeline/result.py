"""What goes into the pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..engines.protocol import RATE, Samples


class Reason(StrEnum):
    """Why an utterance has no text."""

    NO_SPEECH = "no_speech"
    """Silence, noise, music, tones, breath."""
    BLEED = "bleed"
    """Somebody else's voice, heard in this microphone or line."""
    PROMPT_ECHO = "prompt_echo"
    """The engine repeated what it had been told about the conference, and hears nothing else."""
    LOOP = "loop"
    """The engine repeats itself, or says more than fits into the time."""


class Confidence(StrEnum):
    GOOD = "good"
    CHECK = "check"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One stretch of speech of one speaker."""

    samples: Samples
    speaker: str = ""
    """Whose it is, by any name: neighbours of the same speaker vote on the language of what is short."""
    others: Sequence[Samples] = ()
    """What the other tracks have at the same time of the conference's clock, beginning where `samples` begins."""
    language: str = ""
    """What it is surely in; empty: that is to be found out."""
    spoken_before: Sequence[str] = ()
    """Languages of what the speaker said before, the latest last: where `speaker` said too little in this call."""

    @property
    def milliseconds(self) -> int:
        return len(self.samples) * 1000 // RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known of a conference. `languages`: of `zh` and `en`, at least one; the others may be empty."""

    languages: Sequence[str]
    title: str = ""
    agenda: str = ""
    names: Sequence[str] = ()
    glossary: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """`start` and `end`: milliseconds of the utterance."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """At least one sentence. `log_probability`: the mean of its tokens."""

    sentences: tuple[Sentence, ...]
    language: str
    log_probability: float
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Refused:
    """No text, on purpose."""

    reason: Reason


Result = Said | Refused
