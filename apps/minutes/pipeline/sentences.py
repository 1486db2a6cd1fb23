"""From an engine's pieces of text to sentences, each with the time at which it was said."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from ..engines.protocol import Piece
from .result import Sentence

_CLOSING: Final = r"\"'”’)）」』\]"
#: An end of a sentence with the quotes and brackets that close after it. A full stop is one before a blank, before
#: Chinese, and at the end of the text.
_END: Final = re.compile(rf"(?:[。！？!?…]+|\.+(?=[{_CLOSING}]*(?:\s|$|[^\x00-\x7f])))[{_CLOSING}]*")
_ABBREVIATED: Final = re.compile(r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|St|vs|e\.g|i\.e|a\.m|p\.m)$")
"""Before a full stop that ends no sentence."""
_LONGEST: Final = 4


def sentences(pieces: Sequence[Piece]) -> list[Sentence]:
    """The texts of the pieces, one after the other, cut into sentences.

    Times are those of the pieces; within a piece, letters are thought to be spoken one as fast as the other.
    """
    text = "".join(piece.text for piece in pieces)
    ends = list(accumulate(len(piece.text) for piece in pieces))
    found: list[Sentence] = []
    for start, end in _spans(text):
        first = bisect_right(ends, start)
        last = bisect_right(ends, end - 1)
        begin = _time(pieces[first], start - (ends[first] - len(pieces[first].text)))
        over = _time(pieces[last], end - (ends[last] - len(pieces[last].text)))
        found.append(Sentence(begin, over, text[start:end]))
    return found


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Of each sentence, without the blanks around it. What has no letter is none."""
    start = 0
    for cut in [*(match.end() for match in _END.finditer(text) if not _abbreviates(text, match)), len(text)]:
        part = text[start:cut]
        if any(letter.isalnum() for letter in part):
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        start = cut


def _abbreviates(text: str, end: re.Match[str]) -> bool:
    return end[0] == "." and bool(_ABBREVIATED.search(text[max(0, end.start() - _LONGEST) : end.start()]))


def _time(piece: Piece, place: int) -> int:
    """When the letter at `place` of the piece begins."""
    all_of_it = sum(letter.isalnum() for letter in piece.text)
    before = sum(letter.isalnum() for letter in piece.text[:place])
    return piece.start + (piece.end - piece.start) * before // all_of_it if all_of_it else piece.start
