"""Short stretches of one speaker, heard together: the engine knows a word better by what is said around it.

By itself Whisper hears "Please add to your number" where "Please enter your number" is said, and every window that it
decodes costs the same, however little is in it. So what one speaker says in one language, a sentence now and a sentence
then, goes into one clip as long as it fits into a short window. When each word was said then tells whose it is.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from statistics import fmean
from typing import Final

import numpy as np

from ..engines.protocol import Clip, Decoded, Piece, compression_of

LONGEST: Final = 9_500
"""Milliseconds of a pack."""

_OVER: Final = 100
"""Milliseconds that a last word may seem to go on after the end of its part; the next one ends later."""
_STRANGE: Final = -1.5
"""Logarithm of probability below which a word is just strange."""
_FEWER: Final = 3
"""Times fewer letters a second than in the whole pack: then something was not heard, or is in another part."""


def packs(lengths: Sequence[int], alike: Sequence[Hashable]) -> list[list[int]]:
    """Numbers of what is heard together, in order: parts of so many milliseconds of what is alike (one speaker in one
    language) follow each other.
    """
    found: list[list[int]] = []
    last: dict[Hashable, list[int]] = {}
    for number, (length, kind) in enumerate(zip(lengths, alike, strict=True)):
        pack = last.get(kind)
        if pack is None or sum(lengths[each] for each in pack) + length > LONGEST:
            pack = last[kind] = []
            found.append(pack)
        pack.append(number)
    return found


def packed(clips: Sequence[Clip]) -> Clip:
    """One clip of those that are alike, one after the other."""
    return clips[0] if len(clips) == 1 else replace(clips[0], samples=np.concatenate([clip.samples for clip in clips]))


def divided(text: Decoded, clips: Sequence[Clip]) -> list[Decoded | None]:
    """What each clip of a pack says. None: too little of the text is its, and it has to be heard by itself."""
    if len(clips) == 1:
        return [text]
    edges = [0, *accumulate(clip.milliseconds for clip in clips)]
    per_letter = _letters(text.pieces) / edges[-1] / _FEWER
    mean = _mean(text.pieces)
    found: list[Decoded | None] = []
    rest = list(text.pieces)
    for start, end in pairwise(edges):
        # Words follow each other: nothing after one that belongs to a later part belongs to this.
        later = (number for number, piece in enumerate(rest) if piece.end > end + _OVER and end < edges[-1])
        count = next(later, len(rest))
        own, rest = [_within(piece, start, end) for piece in rest[:count]], rest[count:]
        letters = _letters(own)
        if not letters or letters < per_letter * (end - start):
            found.append(None)
            continue
        found.append(
            replace(
                text,
                pieces=tuple(own),
                log_probability=text.log_probability + _mean(own) - mean,
                compression=compression_of("".join(piece.text for piece in own)),
            )
        )
    return found


def _within(piece: Piece, start: int, end: int) -> Piece:
    """By the clock of the part."""
    over = min(piece.end, end) - start
    return replace(piece, start=min(max(0, piece.start - start), over), end=over)


def _letters(pieces: Sequence[Piece]) -> int:
    return sum(letter.isalnum() for piece in pieces for letter in piece.text)


def _mean(pieces: Sequence[Piece]) -> float:
    """Of the logarithms of probability that words have, where the engine tells. A single strange one says little."""
    told = [max(piece.log_probability, _STRANGE) for piece in pieces if piece.log_probability is not None]
    return fmean(told or [0.0])
