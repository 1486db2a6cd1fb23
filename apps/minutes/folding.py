"""Text as it is searched: alike whatever its case and width, and cut into words. Standard library only.

Chinese has no blanks between words. Each two characters that follow each other are a word here, and the last one of a
row by itself, so that any row of characters is found, and a single one as the beginning of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUNS: Final = re.compile(f"(?P<han>[{_HAN}]+)|(?P<word>[^\\W_{_HAN}]+)")
LONGEST_WORD: Final = 64
"""Characters: what is longer is no word."""


def folded(text: str) -> str:
    """Unicode's NFKC, without case."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> set[str]:
    """All by which the text is found."""
    return {word for row, is_han in _rows(text) for word in (_pairs(row) if is_han else [row])}


def query(text: str) -> str:
    """For PostgreSQL's tsquery: all words of `text`, those of letters also as the beginning of longer ones. Empty where
    there is nothing to look for.
    """
    wanted = []
    for row, is_han in _rows(text):
        if not is_han or len(row) == 1:
            wanted.append(f"'{row}':*")
        else:
            wanted += [f"'{row[at : at + 2]}'" for at in range(len(row) - 1)]
    return " & ".join(wanted)


def terms(text: str) -> list[str]:
    """What has to stand in a passage, as it is: the parts of `text` between blanks."""
    return folded(text).split()


def _rows(text: str) -> Iterator[tuple[str, bool]]:
    for found in _RUNS.finditer(folded(text)):
        row = found.group()
        if found.lastgroup == "han" or len(row) <= LONGEST_WORD:
            yield row, found.lastgroup == "han"


def _pairs(row: str) -> list[str]:
    return [*(row[at : at + 2] for at in range(len(row) - 1)), row[-1]]
