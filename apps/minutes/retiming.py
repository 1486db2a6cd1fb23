"""Times for sentences that a person wrote, or cut. Standard library only.

A sentence is [start, end, text, confidence], in milliseconds of its track. What is unchanged keeps its times and how
sure the engine was of it; changed words get times between what is unchanged beside them, by their place in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any, Final

from .document import gap

Sentence = list[Any]

ROOM: Final = 200
"""Milliseconds between two sentences that are enough for a new one; where there is less, it goes with one of them."""
MOST_COMPARED: Final = 1_000_000
"""Pairs of words: comparing more of them would hold up everybody who edits. Then all between is new."""
_GOOD: Final = "good"

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKENS: Final = re.compile(f"[^\\W{_HAN}]+|\\S")
_CLOSING: Final = "\"'”’»)\\]）】」』》"
_ENDS: Final = re.compile(f"[。！？…]+[{_CLOSING}]*|[.!?;；]+[{_CLOSING}]*(?=\\s)")
_ENDED: Final = re.compile(f"[.!?;；。！？…][{_CLOSING}]*$")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Piece:
    """A stretch of the new text, and when it is said; `old`: the sentence that it is, unchanged."""

    start: int
    end: int
    begins: int
    ends: int
    old: Sentence | None = None


def normalised(text: str) -> str:
    """With one space wherever there are blanks or ends of lines, and none around it all."""
    return " ".join(text.split())


def retimed(sentences: Sequence[Sentence], start: int, end: int, text: str) -> list[Sentence]:
    """The sentences of `text`, which somebody wrote in place of these; the passage is from `start` to `end`. Put
    together (document.joined) they are `text`, normalised. ValueError: there is no text.
    """
    new = normalised(text)
    if not new:
        raise ValueError("there is no text")
    old = [each for each in sentences if each[2]]
    pieces = _Comparison(old, new).pieces(start, end)
    return [
        piece.old or [piece.begins, piece.ends, new[piece.start : piece.end], _GOOD]
        for piece in _as_it_is_joined(pieces, new)
    ]


def cut(sentences: Sequence[Sentence], at: int) -> tuple[list[Sentence], list[Sentence]]:
    """What is before and what is after character `at` of their text. ValueError: on one side there is nothing."""
    before: list[Sentence] = []
    after: list[Sentence] = []
    whole = ""
    for each in sentences:
        whole += gap(whole, each[2])
        begins = len(whole)
        whole += each[2]
        left, right = _halves(each, at - begins)
        before += [left] if left else []
        after += [right] if right else []
    if not before or not after:
        raise ValueError("on one side there is nothing")
    return before, after


def between(sentences: Sequence[Sentence], start: int | None, end: int | None) -> list[Sentence]:
    """What is said from `start` to `end` (None: all that is there), by the place of the words."""
    found = []
    for each in sentences:
        inside: Sentence | None = each
        if end is not None:
            inside, _ = _halves(each, _place(each, end))
        if inside and start is not None:
            _, inside = _halves(inside, _place(inside, start))
        if inside:
            # Rounded anew, it could reach a millisecond into what is beside it.
            begins = inside[0] if start is None else max(inside[0], start)
            ends = inside[1] if end is None else min(inside[1], end)
            found.append([begins, max(begins, ends), *inside[2:]])
    return found


def _place(sentence: Sentence, moment: int) -> int:
    """The character that is said then."""
    begins, ends, length = int(sentence[0]), int(sentence[1]), len(sentence[2])
    if ends <= begins:
        return length if moment > begins else 0
    return round(length * (moment - begins) / (ends - begins))


def _halves(sentence: Sentence, at: int) -> tuple[Sentence | None, Sentence | None]:
    begins, ends, text, confidence = sentence
    if not text[: max(0, at)].strip():
        return None, sentence
    if not text[at:].strip():
        return sentence, None
    moment = round(begins + (ends - begins) * at / len(text))
    return [begins, moment, text[:at].strip(), confidence], [moment, ends, text[at:].strip(), confidence]


class _Comparison:
    """The old sentences beside the new text, word by word (characters of Chinese)."""

    def __init__(self, old: Sequence[Sentence], new: str) -> None:
        self.old, self.new = old, new
        self.tokens = _tokens(new)
        self._old_tokens: list[tuple[int, _Token]] = [
            (index, token) for index, each in enumerate(old) for token in _tokens(each[2])
        ]
        there, here = [each.text for _, each in self._old_tokens], [each.text for each in self.tokens]
        self._new_of: dict[int, int] = dict(_same(there, here))

    def pieces(self, start: int, end: int) -> list[_Piece]:
        """All of the new text, in its order."""
        kept = list(self._kept())
        found: list[_Piece] = []
        # Before the first, between each two, and after the last that is kept.
        edges = [(-1, 0, 0), *kept, (len(self.old), len(self.tokens), len(self.tokens))]
        for (index, _, first), (following, last, stop) in pairwise(edges):
            if first < last:
                lower = found[-1].ends if found else start
                upper = self.old[following][0] if following < len(self.old) else end
                found += self._changed(self.old[index + 1 : following], first, last, (lower, max(lower, upper)), found)
            if following < len(self.old):
                begins, ends, *_ = self.old[following]
                one = _Piece(self.tokens[last].start, self.tokens[stop - 1].end, begins, ends, self.old[following])
                if following == 0 and found and not self._stands_alone(found[-1]):
                    one, found = _Piece(found[0].start, one.end, begins, ends), []
                found.append(one)
        return found

    def _stands_alone(self, piece: _Piece) -> bool:
        return piece.ends - piece.begins >= ROOM and self._ended(piece)

    def _ended(self, piece: _Piece) -> bool:
        return bool(_ENDED.search(self.new[piece.start : piece.end]))

    def _kept(self) -> Iterator[tuple[int, int, int]]:
        """Old sentences that are in the new text as they were, and which of its tokens they are (from, to)."""
        place = 0
        for index, sentence in enumerate(self.old):
            first = place
            while place < len(self._old_tokens) and self._old_tokens[place][0] == index:
                place += 1
            news = [self._new_of.get(each, -1) for each in range(first, place)]
            if not news or news[0] < 0 or news != list(range(news[0], news[0] + len(news))):
                continue
            if self.new[self.tokens[news[0]].start : self.tokens[news[-1]].end] == sentence[2]:
                yield index, news[0], news[-1] + 1

    def _changed(
        self, replaced: Sequence[Sentence], first: int, last: int, room: tuple[int, int], before: list[_Piece]
    ) -> list[_Piece]:
        """The tokens from `first` to `last`, in place of what is `replaced`, at a time within `room`; what is put in
        between may go with the one before instead.
        """
        where = self.tokens[first].start, self.tokens[last - 1].end
        lower, upper = room
        if not replaced:
            neighbour = before[-1] if before else None
            if neighbour and (upper - lower < ROOM or not self._ended(neighbour)):
                neighbour.end, neighbour.old = where[1], None
                return []
            whole = _Piece(*where, lower, upper)
            return self._parts(whole, [where[0], where[1]], [lower, upper])
        begins = min(max(replaced[0][0], lower), upper)
        ends = min(max(replaced[-1][1], begins), upper)
        places, moments = self._anchors(first, last)
        moments = [min(max(each, begins), ends) for each in moments]
        return self._parts(_Piece(*where, begins, ends), [where[0], *places, where[1]], [begins, *moments, ends])

    def _anchors(self, first: int, last: int) -> tuple[list[int], list[int]]:
        """Where words that were there before are in the new text, and when they were said."""
        places, moments = [], []
        old_of = {new: old for old, new in self._new_of.items() if first <= new < last}
        for new in sorted(old_of):
            index, token = self._old_tokens[old_of[new]]
            begins, ends, text, _ = self.old[index]
            places += [self.tokens[new].start, self.tokens[new].end]
            moments += [round(begins + (ends - begins) * at / len(text)) for at in (token.start, token.end)]
        return places, moments

    def _parts(self, whole: _Piece, places: list[int], moments: list[int]) -> list[_Piece]:
        """Its sentences, each with a time of its own if there is enough of it."""
        for at in range(1, len(moments)):
            moments[at] = max(moments[at], moments[at - 1])
        parts, start = [], whole.start
        for found in [*_ENDS.finditer(self.new, whole.start, whole.end), None]:
            stop = found.end() if found else whole.end
            while start < stop and self.new[start].isspace():
                start += 1
            if start < stop:
                times = (_moment(places, moments, start), _moment(places, moments, stop))
                parts.append(_Piece(start, stop, *times))
            start = max(start, stop)
        return parts if all(each.begins < each.ends for each in parts) else [whole]


def _moment(places: list[int], moments: list[int], at: int) -> int:
    """Between the places whose moments are known, evenly."""
    after = min(max(1, bisect_right(places, at)), len(places) - 1)
    left, right = places[after - 1], places[after]
    if right <= left or at >= right:
        return moments[after]
    return round(moments[after - 1] + (moments[after] - moments[after - 1]) * (at - left) / (right - left))


def _as_it_is_joined(pieces: list[_Piece], new: str) -> list[_Piece]:
    """Two that were written together otherwise than `joined` would put them are one."""
    found: list[_Piece] = []
    for piece in pieces:
        if found and new[found[-1].end : piece.start] != gap(new[: found[-1].end], new[piece.start : piece.end]):
            last = found[-1]
            found[-1] = _Piece(last.start, piece.end, last.begins, max(last.ends, piece.ends))
        else:
            found.append(piece)
    return found


def _tokens(text: str) -> list[_Token]:
    return [_Token(found.group(), *found.span()) for found in _TOKENS.finditer(text)]


def _same(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places of the same words in both, in the order of both."""
    most = min(len(old), len(new))
    front = next((at for at in range(most) if old[at] != new[at]), most)
    back = next((at for at in range(most - front) if old[-1 - at] != new[-1 - at]), most - front)
    yield from ((at, at) for at in range(front))
    middle = old[front : len(old) - back], new[front : len(new) - back]
    if len(middle[0]) * len(middle[1]) <= MOST_COMPARED:
        for block in SequenceMatcher(None, *middle, autojunk=False).get_matching_blocks():
            yield from ((front + block.a + at, front + block.b + at) for at in range(block.size))
    yield from ((len(old) - at, len(new) - at) for at in range(back, 0, -1))
