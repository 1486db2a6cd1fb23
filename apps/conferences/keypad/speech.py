"""The sound files of what is said about keys."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from apps.conferences.services.announce import CannotSpeak, spoken
from apps.switch.prompts import number, sound

from .acts import Answer, Name, Number, Phrase, Prompt

logger = logging.getLogger(__name__)

_HAN = re.compile(r"[\u3400-\u9fff]")


def sounds(answer: Answer) -> list[str]:
    """As `Play` takes them, one after the other. A name that is said for the first time takes some milliseconds."""
    return [path for phrase in answer.phrases for path in _sounds(phrase, answer.language)]


def _sounds(phrase: Phrase, language: str) -> Iterable[str]:
    match phrase:
        case Prompt(name):
            return [sound(language, name)]
        case Number(value):
            return number(language, value)
        case Name(text):
            try:
                # A Chinese name is not for an English voice, whatever the language of the conference.
                return [str(spoken(text, "zh-hans" if _HAN.search(text) else language))]
            except CannotSpeak as error:
                logger.warning("a name is left out: %s", error.__cause__)
                return []
