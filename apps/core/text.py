"""What may stand in a text that a person writes. Standard library only."""

from __future__ import annotations

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Cc control, Cs half of a surrogate pair, Zl and Zp line and paragraph separator.
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})


def has_control_characters(text: str, *, multiline: bool = False) -> bool:
    """Whether `text` holds what is invisible and could deceive a reader, a log or a switch.

    Line feeds and tabs are fine where several lines are (`multiline`). Directional overrides (Unicode TR 36 §2.5)
    count too.
    """
    return any(
        (unicodedata.category(character) in _REFUSED and not (multiline and character in "\n\t\r"))
        or character in _BIDI
        for character in text
    )
