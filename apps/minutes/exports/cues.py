"""What is said, cut into pieces that can be read while they are heard. Standard library only.

The measures are those of subtitles: two lines of 42 Latin characters or 20 Chinese ones, for at most seven seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apps.minutes.document import width

LINES: Final = 2
LINE: Final = 840
"""The room of a line: each Latin character takes 20, each Chinese one 42."""
LONGEST: Final = 7.0
"""Seconds."""
SHORTEST: Final = 0.5
"""Seconds, where a sentence has less: nobody could see it."""

_BETTER_THERE: Final = 400
"""How much less even two lines may be, if that ends the first with a clause."""

_OPENING = "([{“‘（《「『【〈"
_CLOSING = r")\]}”’）》」』】〉,.;:!?，。、；：！？…—·%"
_HAN = r"[⺀-鿿豈-﫿＀-￯\U00020000-\U0003ffff]"
# One piece that no line ends in: a Chinese character or a word, with the marks that must not be parted from it.
_PIECE = re.compile(rf"\s*(?:[{re.escape(_OPENING)}]*(?:{_HAN}|(?:(?!{_HAN})[^\s])+?(?={_HAN}|\s|\Z))[{_CLOSING}]*)")
_ENDS_CLAUSE = re.compile(r"[,.;:!?，。；：！？…—][”’）》」』】)]*$")


@dataclass(frozen=True, slots=True)
class Cue:
    """`lines` stand on the screen from `start` to `end`, seconds from the beginning of the text."""

    start: float
    end: float
    lines: tuple[str, ...]


def cues(text: str, seconds: float) -> Iterator[Cue]:
    """`text`, a single line that takes so many seconds to say, in order and whole; times go by the room it takes.

    A piece ends with a clause where it can. One that is on longer than `LONGEST` goes off before the next comes.
    """
    pieces = _pieces(text)
    total = _room_of(pieces)
    pace = max(seconds, SHORTEST) / total if total else 0.0
    done = 0
    for group in _packed(pieces, pace):
        start, done = done, done + _room_of(group)
        yield Cue(start * pace, min(done * pace, start * pace + LONGEST), _lines(group))


def _packed(pieces: Sequence[str], pace: float) -> Iterator[Sequence[str]]:
    """As many clauses together as fit; those that do not fit are cut evenly."""
    waiting: list[str] = []
    for clause in _clauses(pieces):
        if waiting and not _fits([*waiting, *clause], pace):
            yield waiting
            waiting = []
        *cut, last = _cut(clause, pace)
        yield from cut
        waiting = [*waiting, *last]
    if waiting:
        yield waiting


def _cut(clause: Sequence[str], pace: float) -> list[list[str]]:
    """The fewest even parts that fit; a single piece always does."""
    total = _room_of(clause)
    least = max(1, total // (LINES * LINE), int(total * pace / LONGEST))
    for count in range(least, len(clause)):
        parts: list[list[str]] = [[] for _ in range(count)]
        done = 0
        for piece in clause:
            parts[int((done + _room(piece) / 2) * count / total)].append(piece)
            done += _room(piece)
        if all(_fits(part, pace) for part in parts):
            return [part for part in parts if part]
    return [[piece] for piece in clause]


def _fits(pieces: Sequence[str], pace: float) -> bool:
    room = _room_of(pieces)
    return room <= LINES * LINE and room * pace <= LONGEST + 1e-9 and _lines(pieces) != ()


def _lines(pieces: Sequence[str]) -> tuple[str, ...]:
    """One line, or two as even as can be; none where they have no room."""
    spaces = [_room(piece) - _room(piece.lstrip()) for piece in pieces]
    whole = _room_of(pieces) - sum(spaces[:1])
    if whole <= LINE:
        return ("".join(pieces).lstrip(),)
    cuts: dict[int, int] = {}
    first = -spaces[0]
    for cut in range(1, len(pieces)):
        first += _room(pieces[cut - 1])
        second = whole - first - spaces[cut]
        if first <= LINE and second <= LINE:
            cuts[abs(first - second) - (_BETTER_THERE if _ENDS_CLAUSE.search(pieces[cut - 1]) else 0)] = cut
    if not cuts:
        return ()
    best = cuts[min(cuts)]
    return "".join(pieces[:best]).lstrip(), "".join(pieces[best:]).lstrip()


def _room_of(pieces: Iterable[str]) -> int:
    return sum(map(_room, pieces))


@lru_cache(maxsize=8192)
def _room(text: str) -> int:
    wide = width(text) - len(text)
    return 20 * (len(text) - wide) + 42 * wide


def _clauses(pieces: Sequence[str]) -> Iterator[list[str]]:
    clause: list[str] = []
    for piece in pieces:
        clause.append(piece)
        if _ENDS_CLAUSE.search(piece):
            yield clause
            clause = []
    if clause:
        yield clause


def _pieces(text: str) -> list[str]:
    """`text` where lines may end; what is wider than a line is cut anywhere."""
    found: list[str] = []
    for piece in _PIECE.findall(" ".join(text.split())):
        while _room(piece) > LINE:
            fitting = next(length for length in range(1, len(piece) + 1) if _room(piece[:length]) > LINE) - 1
            found.append(piece[:fitting])
            piece = piece[fitting:]
        found.append(piece)
    return found
