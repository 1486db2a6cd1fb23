"""What may stand in a text that a person writes. Standard library only."""

from __future__ import annotations

import unicodedata

BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Cc control, Cs half of a surrogate pair, Zl and Zp line and paragraph separator.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_ENDS_OF_LINES = frozenset("\n\r\v\f\x85\u2028\u2029")


def has_control_characters(text: str, *, multiline: bool = False) -> bool:
    """Whether `text` holds what is invisible and could deceive a reader, a log or a switch.

    Line feeds and tabs are fine where several lines are (`multiline`). Directional overrides (Unicode TR 36 §2.5)
    count too.
    """
    return any(
        (unicodedata.category(character) in _REFUSED and not (multiline and character in "\n\t\r")) or character in BIDI
        for character in text
    )


def without_control_characters(text: str, *, multiline: bool = False) -> str:
    """`text` without what `has_control_characters` finds, nor what XML 1.0 cannot hold.

    What ends a line becomes a line feed (`multiline`) or a space, a tab a space.
    """
    ends = "\n" if multiline else " "
    return "".join(_shown(character, ends) for character in text.replace("\r\n", "\n"))


def _shown(character: str, ends: str) -> str:
    if character in _ENDS_OF_LINES:
        return ends
    if character == "\t":
        return " "
    if unicodedata.category(character) in _REFUSED or character in BIDI or character in "\ufffe\uffff":
        return ""
    return character
