"""Where in an utterance there is a voice, by silero's detector, which faster-whisper brings along.

What cuts a track into utterances lets noises pass that last as long as a word. Without this second, slower look the
engine invents words for them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..engines.protocol import RATE, Samples

_BLOCK: Final = 600 * RATE
"""Samples that are looked at at once: memory stays the same however long somebody speaks."""

_LONGEST: Final = 9  # seconds of a piece: with what is around it, it fits into a short window
_PAUSE: Final = 500  # milliseconds that part two pieces
_SHORTEST: Final = 150  # milliseconds of a voice
_PAD: Final = 200  # milliseconds that a piece is longer at each end


class Voice(NamedTuple):
    """From `start` to `end`, in samples."""

    start: int
    end: int


def voices(samples: Samples) -> list[Voice]:
    """The pieces with a voice, in order, at most 9.4 s long. None: there is no speech in it."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps  # what does without an engine does without this

    options = VadOptions(
        threshold=0.5,
        min_silence_duration_ms=_PAUSE,
        min_speech_duration_ms=_SHORTEST,
        speech_pad_ms=_PAD,
        max_speech_duration_s=_LONGEST,
    )
    return [
        Voice(start + piece["start"], start + piece["end"])
        for start in range(0, len(samples), _BLOCK)
        for piece in get_speech_timestamps(samples[start : start + _BLOCK], options)
    ]
