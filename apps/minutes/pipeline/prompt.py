"""What the engine is told about a conference before it listens: a way of writing, and words to expect.

A Chinese prompt is what makes Whisper write simplified characters and punctuation. Names and terms in it are then spelt
right. What it does not hear it may repeat from it: `repeats` finds that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from .result import Setting
from .script import HAN, chinese

BUDGET: Final = 150
"""Tokens by `_tokens`, of the 223 that Whisper takes: each costs time with each utterance."""

#: Of each language: how it begins, whatever is known; what is said of the topic, the agenda, the names and the terms;
#: what stands between two. Sentences, as people write them: after lists with colons the engine puts colons everywhere.
_TEXTS: Final = {
    "zh": (
        "以下是普通话的会议记录。",
        ("会议的主题是{}。", "议程有{}。", "{}参加了会议。", "大家谈到{}。"),
        "、",
    ),
    "en": ("", ("This meeting is about {}. ", "On the agenda: {}. ", "{} took part. ", "They spoke about {}. "), ", "),
}

_HAN: Final = re.compile(f"[{HAN}]")
_NOT_A_WORD: Final = re.compile(r"[\W_]+")
#: What a repetition has at least, in letters, and which part of the text.
_LETTERS, _LETTERS_HAN, _PART = 10, 4, 0.6


def prompt(setting: Setting, language: str) -> str:
    """At most BUDGET tokens. What finds no place is left out: the agenda before names, names before terms."""
    begin, (topic, agenda, names, terms), between = _TEXTS[language]
    points = [line.strip(" -*•\t") for line in setting.agenda.splitlines()]
    left = BUDGET - _tokens(begin)
    parts: dict[str, str] = {}
    for sentence, items in (
        (topic, [setting.title]),
        (terms, setting.glossary),
        (names, setting.names),
        (agenda, points),
    ):
        parts[sentence] = _fitting(sentence, [item.strip() for item in items if item.strip()], between, left)
        left -= _tokens(parts[sentence])
    return (begin + "".join(parts[sentence] for sentence in (topic, agenda, names, terms))).strip()


def _fitting(sentence: str, items: Sequence[str], between: str, budget: int) -> str:
    """With as many of the items as there is room for, from the first on."""
    fit = ""
    for count in range(1, len(items) + 1):
        longer = sentence.format(between.join(items[:count]))
        if _tokens(longer) > budget:
            break
        fit = longer
    return fit


def _tokens(text: str) -> int:
    """More than Whisper's multilingual vocabulary makes of it: two for a Chinese character, one for two letters."""
    han = len(_HAN.findall(text))
    return 2 * han + -(-(len(text) - han) // 2)


def repeats(text: str, prompt: str) -> bool:
    """Whether most of a text is a stretch of the prompt. Somebody may have said just that: a name, the topic."""
    said, told = (_NOT_A_WORD.sub("", chinese(each)).casefold() for each in (text, prompt))
    run = SequenceMatcher(None, said, told, autojunk=False).find_longest_match()
    least = _LETTERS_HAN if _HAN.search(said[run.a : run.a + run.size]) else _LETTERS
    return run.size >= max(least, _PART * len(said))
