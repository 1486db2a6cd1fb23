"""How far a text is from what was said, and a passage's time from when it was said."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import jiwer

from tests.corpus.sound import Sentence

#: A Chinese character by itself, or a word of anything else.
_TOKEN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff]+(?:'\w+)?")
#: The engine writes some words as people say them and some in figures or short: 第1个 is said as 第一个.
_FIGURE: Final = re.compile(r"(?<=[\u4e00-\u9fff])\d(?=[\u4e00-\u9fff])")
_HAN_FIGURES: Final = "零一二三四五六七八九"
_SAME: Final = {
    "1": "one",
    "2": "two",
    "mr": "mister",
    "dialled": "dialed",
}
_NOWHERE: Final = float("inf")


@dataclass(frozen=True)
class Errors:
    """Words or characters that are wrong, missing or too many, of so many that were said."""

    wrong: int
    said: int

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.wrong + other.wrong, self.said + other.said)

    @property
    def percent(self) -> float:
        return 100 * self.wrong / self.said


@dataclass(frozen=True)
class Passage:
    """What somebody is said to have said, from `start` on, seconds."""

    start: float
    text: str


def tokens(text: str) -> list[str]:
    """Chinese characters and other words, without case, punctuation and width."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    words = _TOKEN.findall(_FIGURE.sub(lambda figure: _HAN_FIGURES[int(figure[0])], plain))
    return [_SAME.get(word, word) for word in words]


def errors(said: str, written: str) -> Errors:
    """Word errors of English, character errors of Chinese, and both of what has both."""
    true, found = tokens(said), tokens(written)
    if not found:
        return Errors(len(true), len(true))
    counts = jiwer.process_words(" ".join(true), " ".join(found))
    return Errors(counts.substitutions + counts.deletions + counts.insertions, len(true))


def start_errors(said: Sequence[Sentence], written: Sequence[Passage]) -> list[float]:
    """Of each sentence, by how many seconds the passage begins too late in which its first word that was understood is:
    where one would hear it from. Infinite where none was understood. Both are of one voice, in order of time.
    """
    true = [(word, number) for number, sentence in enumerate(said) for word in tokens(sentence.text)]
    found = [(word, number) for number, passage in enumerate(written) for word in tokens(passage.text)]
    late = [_NOWHERE] * len(said)
    if not found:
        return late
    aligned = jiwer.process_words(" ".join(word for word, _ in true), " ".join(word for word, _ in found))
    for chunk in aligned.alignments[0]:
        if chunk.type != "equal":
            continue
        for step in range(chunk.ref_end_idx - chunk.ref_start_idx):
            number, passage = true[chunk.ref_start_idx + step][1], found[chunk.hyp_start_idx + step][1]
            if late[number] == _NOWHERE:
                late[number] = written[passage].start - said[number].start
    return late
