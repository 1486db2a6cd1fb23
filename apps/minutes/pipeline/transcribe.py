"""From utterances to text: what `apps/minutes` asks an engine for, and what it does about the answers.

An engine writes something for whatever it hears. So only what has a voice, of this speaker, goes to it; what it is
unsure of, it decodes again with care; and what then still cannot have been said is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from apps.core.text import without_control_characters

from ..engines.protocol import RATE, Clip, Decoded, Engine, Piece, Samples
from .bleed import bled
from .confidence import confidence
from .language import Heard, languages
from .packing import divided, packed, packs
from .pauses import settle
from .prompt import prompt, repeats
from .result import Reason, Refused, Result, Said, Setting, Utterance
from .script import chinese
from .sentences import sentences
from .voice import voices

BEAM: Final = 5
BEAM_LIVE: Final = 1
"""Texts that are followed at once: more find better words, one is there soonest."""

MOST_COMPRESSION: Final = 2.2
LEAST_LOG_PROBABILITY: Final = -0.9
CUT_SHORT: Final = -0.4
"""Below this mean log-probability, a text that does not end like a sentence is decoded again, too."""
ENDS: Final = (".", "!", "?", "。", "！", "？", "…")
MOST_LETTERS: Final = {"zh": 12.0, "en": 30.0}
"""A second. What is beyond one of these is decoded again."""

_MOST_NO_SPEECH: Final = 0.6


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece with a voice, from `start` on, milliseconds of its utterance."""

    start: int
    samples: Samples


def transcribe(utterances: Sequence[Utterance], engine: Engine, setting: Setting, *, live: bool) -> list[Result]:
    """One result for each of the utterances, which are of one conference and in order of time.

    `live`: as fast as it goes, for what is read while people speak; else as well as it goes. Memory grows with what is
    given at once. Raises what the engine raises.
    """
    parts = [_parts(utterance) for utterance in utterances]
    told = _languages(utterances, parts, engine, setting.languages, live=live)
    prompts = {language: prompt(setting, language) for language in set(told)}
    clips = [
        (utterance.speaker, Clip(part.samples, language, prompts[language], words=not live))
        for utterance, some, language in zip(utterances, parts, told, strict=True)
        if not isinstance(some, Reason)
        for part in some
    ]
    texts = iter(_texts([clip for _, clip in clips], [speaker for speaker, _ in clips], engine, live=live))
    return [
        Refused(some)
        if isinstance(some, Reason)
        else _result(utterance.samples, [(part, next(texts)) for part in some], language)
        for utterance, some, language in zip(utterances, parts, told, strict=True)
    ]


def _parts(utterance: Utterance) -> list[_Part] | Reason:
    """What of an utterance is its speaker's voice; at least one part."""
    found = voices(utterance.samples)
    if not found:
        return Reason.NO_SPEECH
    own = [
        _Part(start * 1000 // RATE, utterance.samples[start:end])
        for start, end in found
        if not bled(utterance.samples[start:end], [other[start:end] for other in utterance.others])
    ]
    return own or Reason.BLEED


def _languages(
    utterances: Sequence[Utterance],
    parts: Sequence[list[_Part] | Reason],
    engine: Engine,
    among: Sequence[str],
    *,
    live: bool,
) -> list[str]:
    """Of each utterance; the engine is asked only where there is a question."""
    asked = {
        number: max(some, key=lambda part: len(part.samples)).samples
        for number, some in enumerate(parts)
        if len(among) > 1 and not isinstance(some, Reason) and not utterances[number].language
    }
    clips = list(asked.values())
    lengths = [len(samples) * 1000 // RATE for samples in clips]
    together = packs(lengths, [utterances[number].speaker for number in asked])
    alone = range(len(clips)) if live else {pack[0] for pack in together if len(pack) == 1}
    answers = dict(zip(asked, engine.detect_language(clips, among, soon=alone), strict=True)) if asked else {}
    return languages(
        [
            Heard(
                speaker=utterance.speaker,
                # What is refused has no vote, like what is short.
                milliseconds=utterance.milliseconds if number in asked else 0,
                probabilities=answers.get(number, {}),
                sure=utterance.language,
                before=utterance.spoken_before,
            )
            for number, utterance in enumerate(utterances)
        ],
        among,
    )


def _texts(clips: Sequence[Clip], speakers: Sequence[str], engine: Engine, *, live: bool) -> list[Decoded | Reason]:
    """What each clip says, or why it says nothing.

    What is doubtful is heard again by itself, with care and without the prompt, which can be what misled the engine.
    """
    first, lost = _first(clips, speakers, engine, live=live)
    echoes = {number for number, clip in enumerate(clips) if repeats(first[number].text, clip.prompt)}
    again = echoes | lost
    wrong = [number for number, clip in enumerate(clips) if number in again or _doubtful(clip, first[number])]
    cut = [number for number, text in enumerate(first) if not live and number not in wrong and _cut_short(text)]
    careful = engine.transcribe(
        [*(replace(clips[number], prompt="") for number in wrong), *(clips[number] for number in cut)],
        beam=BEAM,
        careful=True,
    )
    second = dict(zip([*wrong, *cut], careful, strict=True))
    for number in cut:
        if second[number].log_probability <= first[number].log_probability:
            del second[number]
    return [
        _judged_echo(clip, text, second[number]) if number in echoes else _judged(clip, second.get(number, text))
        for number, (clip, text) in enumerate(zip(clips, first, strict=True))
    ]


def _first(
    clips: Sequence[Clip], speakers: Sequence[str], engine: Engine, *, live: bool
) -> tuple[list[Decoded], set[int]]:
    """What each clip says at first sight, and the numbers of those of which nothing can be said yet."""
    if live:
        return engine.transcribe(clips, beam=BEAM_LIVE), set()
    alike = [(speaker, clip.language) for speaker, clip in zip(speakers, clips, strict=True)]
    together = packs([clip.milliseconds for clip in clips], alike)
    of_packs = [[clips[number] for number in pack] for pack in together]
    texts = engine.transcribe([packed(some) for some in of_packs], beam=BEAM)
    found: dict[int, Decoded] = {}
    lost: set[int] = set()
    for pack, some, text in zip(together, of_packs, texts, strict=True):
        for number, own in zip(pack, divided(text, some), strict=True):
            found[number] = own or replace(text, pieces=())
            if own is None:
                lost.add(number)
    return [found[number] for number in range(len(clips))], lost


def _doubtful(clip: Clip, text: Decoded) -> bool:
    return _loops(clip, text) or (bool(text.pieces) and text.log_probability < LEAST_LOG_PROBABILITY)


def _cut_short(text: Decoded) -> bool:
    """Whether it may end before its speaker did, as in a short window it sometimes does: without a full stop, and the
    engine was not sure. Most often it is a sentence that pauses.
    """
    return text.log_probability < CUT_SHORT and text.text.rstrip()[-1:] not in ENDS


def _loops(clip: Clip, text: Decoded) -> bool:
    letters = sum(letter.isalnum() for letter in text.text)
    return text.compression > MOST_COMPRESSION or letters * RATE > MOST_LETTERS[clip.language] * len(clip.samples)


def _judged(clip: Clip, text: Decoded) -> Decoded | Reason:
    if _loops(clip, text):
        return Reason.LOOP
    unsure = text.log_probability < LEAST_LOG_PROBABILITY and text.no_speech > _MOST_NO_SPEECH
    return text if any(letter.isalnum() for letter in text.text) and not unsure else Reason.NO_SPEECH


def _judged_echo(clip: Clip, text: Decoded, unprompted: Decoded) -> Decoded | Reason:
    """A text that repeats the prompt was said if it is heard without the prompt, too; then its spelling is better."""
    heard = _judged(clip, unprompted)
    if isinstance(heard, Reason) or heard.log_probability < LEAST_LOG_PROBABILITY:
        return Reason.PROMPT_ECHO
    return _judged(clip, text) if repeats(heard.text, clip.prompt) else heard


def _result(samples: Samples, texts: Sequence[tuple[_Part, Decoded | Reason]], language: str) -> Result:
    """Of the parts of one utterance. A part that says nothing does not spoil the others."""
    good = [(part, _whole(text)) for part, text in texts if not isinstance(text, Reason)]
    if not good:
        return Refused(next(text for _, text in texts if isinstance(text, Reason)))
    pieces = [piece for part, text in good for piece in _placed(part, text.pieces, language)]
    found = settle(sentences(pieces), samples)
    if language == "zh":
        found = [replace(sentence, text=chinese(sentence.text)) for sentence in found]
    weights = [len(text.text) for _, text in good]
    sure = sum(text.log_probability * weight for (_, text), weight in zip(good, weights, strict=True)) / sum(weights)
    return Said(tuple(found), language, sure, confidence(sure))


def _whole(text: Decoded) -> Decoded:
    """Without halves of characters, which engines leave where they stop in the middle of one, and without what is no
    text.
    """
    kept = (without_control_characters(piece.text.replace("\ufffd", "")) for piece in text.pieces)
    return replace(text, pieces=tuple(replace(piece, text=each) for piece, each in zip(text.pieces, kept, strict=True)))


def _placed(part: _Part, pieces: Sequence[Piece], language: str) -> list[Piece]:
    """By the clock of the utterance. Where a part begins and ends, its voice says better than the engine, which likes
    whole seconds. An English piece begins with a blank, also where the engine left it out.
    """
    starts = [0, *(piece.start for piece in pieces[1:])]
    ends = [*(piece.end for piece in pieces[:-1]), len(part.samples) * 1000 // RATE]
    return [
        Piece(
            part.start + start,
            part.start + end,
            piece.text if language == "zh" or piece.text[:1].isspace() else f" {piece.text}",
        )
        for piece, start, end in zip(pieces, starts, ends, strict=True)
    ]
