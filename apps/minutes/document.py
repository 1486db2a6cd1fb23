"""The document of minutes: who said what, as it is read, exported and signed. Standard library only.

Times are aware datetimes. Names of people are the document's own: whoever makes it keeps two people of one name apart
("王伟 (2)"), since what they said is put together by name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

Confidence = Literal["good", "check", "low"]
"""How sure the engine was: nothing to do, worth a look, probably wrong. What a person wrote is good."""

Mark = Literal["", "decision", "task"]
Language = Literal["zh-hans", "en"]

PAUSE: Final = timedelta(seconds=4)
"""From here on silence ends a paragraph."""

PARAGRAPH: Final = 1200
"""The most that passages are put together to, in Latin characters; one of Chinese counts two."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`link`: the absolute address of the page that plays exactly these words, "" where there is none."""

    text: str
    starts_at: datetime
    ends_at: datetime
    link: str = ""
    confidence: Confidence = "good"


@dataclass(frozen=True, slots=True)
class Passage:
    """What one person said without a break: an utterance, or what an editor made of some.

    `task_person` and `task_due` belong to a task; both may be open ("", None). `hidden`: not in what is distributed.
    `edited`: a person wrote or changed it. `overlaps`: somebody else spoke meanwhile.
    """

    id: UUID
    speaker: str
    starts_at: datetime
    ends_at: datetime
    sentences: tuple[Sentence, ...]
    mark: Mark = ""
    task_person: str = ""
    task_due: date | None = None
    hidden: bool = False
    edited: bool = False
    overlaps: bool = False


@dataclass(frozen=True, slots=True)
class Attendee:
    """`role`: a key, such as "chair". `stays`: from when to when they were in; to None: they still are."""

    name: str
    role: str
    stays: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """`whisper`: its title where these are the minutes of one, else "". `ended_at` None: it goes on. `time_zone`: the
    IANA name of that in which times are shown. `language`: of the document's own words, not of what was said.
    `version`: of a kept one; `signed_by` and `signed_at`: who signed it off; `digest`: the end of its hash chain, hex,
    or "". `notices`: what the reader should know, as sentences in the document's language.
    """

    conference: UUID
    title: str
    started_at: datetime
    time_zone: str
    language: Language
    whisper: str = ""
    ended_at: datetime | None = None
    agenda: str = ""
    attendees: tuple[Attendee, ...] = ()
    passages: tuple[Passage, ...] = ()
    version: int | None = None
    signed_by: str = ""
    signed_at: datetime | None = None
    digest: str = ""
    notices: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Passages of one person that are read in one go; never empty."""

    passages: tuple[Passage, ...]

    @property
    def speaker(self) -> str:
        return self.passages[0].speaker

    @property
    def starts_at(self) -> datetime:
        return self.passages[0].starts_at

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return tuple(sentence for passage in self.passages for sentence in passage.sentences)


def shown(document: Document, *, hidden: bool = False) -> list[Passage]:
    """The passages in the order in which they began; the hidden ones only when asked for."""
    passages = (passage for passage in document.passages if hidden or not passage.hidden)
    return sorted(passages, key=lambda passage: passage.starts_at)


def paragraphs(document: Document, *, hidden: bool = False) -> list[Paragraph]:
    """What was said, passages put together where they read as one.

    They are while one person speaks on, pausing for less than `PAUSE`, nobody else having begun meanwhile, up to
    `PARAGRAPH`. A decision or a task stands alone. A passage is never cut.
    """
    found: list[list[Passage]] = []
    for passage in shown(document, hidden=hidden):
        if found and _goes_on(found[-1], passage):
            found[-1].append(passage)
        else:
            found.append([passage])
    return [Paragraph(tuple(passages)) for passages in found]


def decisions(document: Document, *, hidden: bool = False) -> list[Passage]:
    return [passage for passage in shown(document, hidden=hidden) if passage.mark == "decision"]


def tasks(document: Document, *, hidden: bool = False) -> list[Passage]:
    return [passage for passage in shown(document, hidden=hidden) if passage.mark == "task"]


def text_of(passage: Passage) -> str:
    return joined(sentence.text for sentence in passage.sentences)


def joined(texts: Iterable[str]) -> str:
    """These in a row, with the spaces that belong between them."""
    whole = ""
    for text in texts:
        whole += gap(whole, text) + text
    return whole


def gap(before: str, after: str) -> str:
    """What belongs between two texts: nothing between Chinese ones, else a space.

    Curly quotes, dashes and dots are of both scripts (Unicode Annex 11, "ambiguous"): what they stand beside decides.
    """
    left = next((each for each in reversed(before) if not _of_both(each)), "")
    right = next((each for each in after if not _of_both(each)), "")
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return ""
    return "" if _wide(left) or (_wide(right) and not right.isalnum()) else " "


def width(text: str) -> int:
    """How much room a text takes, in Latin characters; one of Chinese takes two."""
    return sum(1 + _wide(each) for each in text)


def _goes_on(before: Sequence[Passage], passage: Passage) -> bool:
    last = before[-1]
    return (
        passage.speaker == last.speaker
        and not passage.mark
        and not last.mark
        and passage.starts_at - max(each.ends_at for each in before) < PAUSE
        and sum(width(text_of(each)) for each in (*before, passage)) <= PARAGRAPH
    )


def _wide(character: str) -> bool:
    return character != "" and unicodedata.east_asian_width(character) in "WF"


def _of_both(character: str) -> bool:
    return unicodedata.east_asian_width(character) == "A" and not character.isalnum()
