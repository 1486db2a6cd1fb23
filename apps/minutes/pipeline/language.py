"""In which of a conference's languages each utterance is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SHORT: Final = 1_500
"""Milliseconds: what is shorter is in the language of what its speaker says around it."""

_AROUND: Final = 2
"""Neighbours on each side that have a vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is known of an utterance's language.

    `probabilities` is empty where it was not asked for; `sure`: what it is in, whatever they say; `before`: languages
    of what the same speaker said before, the latest last.
    """

    speaker: str
    milliseconds: int
    probabilities: Mapping[str, float]
    sure: str = ""
    before: Sequence[str] = ()


def languages(heard: Sequence[Heard], among: Sequence[str]) -> list[str]:
    """One of `among`, or what was sure, for each of the utterances, which are in order of time."""
    own = [each.sure or max(among, key=lambda language: each.probabilities.get(language, 0.0)) for each in heard]
    of_speaker: dict[str, list[int]] = {}
    for number, each in enumerate(heard):
        of_speaker.setdefault(each.speaker, []).append(number)
    told = list(own)
    for numbers in of_speaker.values():
        for place, number in enumerate(numbers):
            each = heard[number]
            if each.sure or each.milliseconds >= SHORT:
                continue
            votes = _long(heard, own, numbers[:place], each.before)[-_AROUND:]
            votes += _long(heard, own, numbers[place + 1 :], ())[:_AROUND]
            # Its own vote decides between equals, and where there is no other.
            told[number] = max(Counter([*votes, own[number]]).items(), key=lambda it: (it[1], it[0] == own[number]))[0]
    return told


def _long(heard: Sequence[Heard], own: Sequence[str], numbers: Sequence[int], before: Sequence[str]) -> list[str]:
    """Languages of those that are long enough to be told by themselves, after those before."""
    return [*before, *(own[number] for number in numbers if heard[number].sure or heard[number].milliseconds >= SHORT)]
