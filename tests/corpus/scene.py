"""Three people in one conference: each one's own sound, on one clock, and who says what when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.corpus.english import librivox, studio
from tests.corpus.lines import echo, telephone
from tests.corpus.mandarin import MEETING, say
from tests.corpus.sound import RATE, Sentence, Sound, Speech, joined, mixed

PAUSE: Final = 0.9
"""Seconds between one person and the next."""
OVERLAP: Final = 1.2
"""Seconds for which two speak at once."""
ECHO: Final = -32.0
"""dB: so much softer is the first person in the second one's microphone."""


@dataclass(frozen=True)
class Person:
    """`samples` are what their microphone has, of the whole scene; `sentences` are theirs alone, in order."""

    name: str
    samples: Sound
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True)
class Scene:
    people: tuple[Person, ...]

    @property
    def seconds(self) -> float:
        return self.people[0].samples.size / RATE

    @property
    def said(self) -> list[tuple[Person, Sentence]]:
        """Everything, in order of its start."""
        pairs = [(person, sentence) for person in self.people for sentence in person.sentences]
        return sorted(pairs, key=lambda pair: pair[1].start)


def three_people() -> Scene:
    """Lin speaks Mandarin. Grant speaks English and has Lin's echo in his microphone. Ellen speaks English from a
    telephone of 8 kHz. Twice somebody begins while another one still speaks. About 50 s.
    """
    chinese = [say(text) for text in MEETING]
    read = librivox()
    phone = studio("conf-waitforleader", "conf-onlyperson", "vm-nobox", "cannot-complete-as-dialed")
    lin, grant, ellen = range(3)
    turns = [
        (lin, chinese[0], PAUSE),
        (grant, read[1], PAUSE),
        (ellen, phone[0], PAUSE),
        (lin, chinese[3], PAUSE),
        (grant, read[2], -OVERLAP),
        (ellen, phone[1], PAUSE),
        (lin, joined([chinese[6], chinese[7]], 0.7), PAUSE),
        (ellen, phone[2], -OVERLAP),
        (lin, chinese[13], PAUSE),
        (grant, read[4], PAUSE),
        (ellen, phone[3], PAUSE),
    ]
    voices, sentences, length = _laid_out(turns)
    clear = [mixed(length, sounds) for sounds in voices]
    heard = [
        clear[lin],
        mixed(length, [(0, clear[grant]), (0, echo(clear[lin], ECHO))]),
        telephone(clear[ellen]),
    ]
    return Scene(
        tuple(Person(*each) for each in zip(("Lin", "Grant", "Ellen"), heard, map(tuple, sentences), strict=True))
    )


def _laid_out(
    turns: Sequence[tuple[int, Speech, float]],
) -> tuple[list[list[tuple[float, Sound]]], list[list[Sentence]], int]:
    """Of each person the sounds with the times of their beginnings, and the sentences; and how long it all is, in
    samples. A turn is who speaks, what, and after how many seconds the next one begins.
    """
    voices: list[list[tuple[float, Sound]]] = [[], [], []]
    sentences: list[list[Sentence]] = [[], [], []]
    at = PAUSE
    for who, speech, pause in turns:
        cut = joined([speech], 0.0)  # without what is silent around it
        voices[who].append((at, cut.samples))
        sentences[who] += [sentence.later(at) for sentence in cut.sentences]
        at += cut.seconds + pause
    return voices, sentences, round(at * RATE)
