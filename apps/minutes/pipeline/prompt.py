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
from .script import HAN

BUDGET: Final = 150
"""Tokens by `_tokens`, of the 223 that Whisper takes: each costs time with each utterance."""

#: How each language says it: the beginning; what stands before the topic, agenda, names, terms; between two; the end.
_TEXTS: Final = {
    "zh": ("以下是普通话的会议记录，用简体中文和标点符号。", ("主题：", "议程：", "与会者：", "术语："), "、", "。"),
    "en": ("", ("Meeting: ", "Agenda: ", "Present: ", "Terms: "), ", ", ". "),
}

_HAN: Final = re.compile(f"[{HAN}]")
_NOT_A_WORD: Final = re.compile(r"[\W_]+")
#: What a repetition has at least, in letters, and which part of the text.
_LETTERS, _LETTERS_HAN, _PART = 16, 8, 0.6


def prompt(setting: Setting, language: str) -> str:
    """At most BUDGET tokens; what finds no place is left out, the agenda before names, names before terms."""
    begin, labels, between, end = _TEXTS[language]
    agenda = [line.strip(" -*•\t") for line in setting.agenda.splitlines()]
    topic, points, names, terms = (
        [item.strip() for item in items if item.strip()]
        for items in ([setting.title], agenda, setting.names, setting.glossary)
    )
    left = BUDGET - _tokens(begin)
    kept: dict[str, str] = {}
    # The most useful first, as far as there is room; written in the order of the labels.
    for label, items in (
        (labels[0], topic),
        (labels[3], terms),
        (labels[2], names),
        (labels[1], points),
    ):
        part = _fitting(label, items, between, end, left)
        left -= _tokens(part)
        kept[label] = part
    return (begin + "".join(kept[label] for label in labels)).strip()


def _fitting(label: str, items: Sequence[str], between: str, end: str, budget: int) -> str:
    """As many of the items as there is room for, from the first on."""
    fit: list[str] = []
    for item in items:
        if _tokens(label + between.join([*fit, item]) + end) > budget:
            break
        fit.append(item)
    return label + between.join(fit) + end if fit else ""


def _tokens(text: str) -> int:
    """More than Whisper's multilingual vocabulary makes of it: two for a Chinese character, one for two letters."""
    han = len(_HAN.findall(text))
    return 2 * han + -(-(len(text) - han) // 2)


def repeats(text: str, prompt: str) -> bool:
    """Whether most of a text is a stretch of the prompt. Somebody may have said just that: a name, the topic."""
    said, told = (_NOT_A_WORD.sub("", each).casefold() for each in (text, prompt))
    run = SequenceMatcher(None, said, told, autojunk=False).find_longest_match()
    least = _LETTERS_HAN if _HAN.search(said[run.a : run.a + run.size]) else _LETTERS
    return run.size >= max(least, _PART * len(said))
