"""Chinese as it is written here: simplified characters, full-width punctuation, no blanks between characters."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opencc import OpenCC

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Of Chinese characters, for a class of a regular expression."""

_FULL: Final = {",": "，", ".": "。", "?": "？", "!": "！", ":": "：", ";": "；"}
_MARKS: Final = "，。？！：；、…"
#: A half-width mark that follows a character; all but the full stop also one that comes before a character.
_HALF_WIDTH: Final = re.compile(rf"(?<=[{HAN}])\s*[,.?!:;]|[,?!:;](?=\s*[{HAN}])")
_BLANKS: Final = re.compile(rf"(?<=[{HAN}{_MARKS}])\s+(?=[{HAN}{_MARKS}])|(?<=[{_MARKS}])\s+|\s+(?=[{_MARKS}])")


def chinese(text: str) -> str:
    """Traditional characters become simplified ones. What is of another script between them stays as it is."""
    simplified: str = _simplifier().convert(text)
    punctuated = _HALF_WIDTH.sub(lambda mark: _FULL[mark[0].strip()], simplified)
    return _BLANKS.sub("", punctuated).strip()


@cache
def _simplifier() -> OpenCC:
    from opencc import OpenCC  # what does without an engine does without this

    return OpenCC("t2s")
