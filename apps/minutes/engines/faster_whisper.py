"""Whisper by faster-whisper (CTranslate2): the engine of a CPU, and of a GPU without word alignment. No framework.

Its own `transcribe` puts speech together to windows of 30 s. Clips that the caller cut, decoded in batches and short
ones in a window of 12 s, take half the time, lose no sentence and have exact times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any, Final, TypeVar

import ctranslate2
import faster_whisper
import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from .protocol import RATE, Clip, Decoded, Piece, Samples, compression_of

BATCH: Final = 8
"""Clips that are decoded at once."""
WINDOW: Final = 30
"""Seconds that the model was made for."""
SHORT_WINDOW: Final = 12
"""Seconds that are enough for a clip below SHORT_CLIP. In one of 10 s the model cuts texts short, or repeats itself."""
SHORT_CLIP: Final = 10_000
"""Milliseconds."""
LANGUAGE_WINDOW: Final = 5
"""Seconds, a clip's first, by which its language is told, as sure, where a short window is not needed anyway."""

#: What is tried, one after the other, where a first text came out badly: certain first, then ever more by chance.
_TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_CANDIDATES: Final = 5
#: Of a text that needs no further try. whisper's own are 2.4 and -1.0.
_MOST_COMPRESSION: Final = 2.2
_LEAST_LOG_PROBABILITY: Final = -0.9
#: No speech has more tokens a second, times included; what repeats itself does, and would go on to the model's limit.
_TOKENS_A_SECOND: Final = 16
_TOKENS_MORE: Final = 24
_LONGEST_PROMPT: Final = 223
_SECONDS_A_TIME: Final = 0.02
_FRAMES_A_SECOND: Final = 100
_LEAST: Final = 1e-6
_SEED: Final = 1

_Item = TypeVar("_Item")


class FasterWhisper:
    """`model`: a folder in CTranslate2's form, and then nothing else is read, or a name that the Hugging Face hub has.

    `device`: `cpu` (integers of 8 bit, on `threads` threads) or `cuda` (floats of 16 bit). Raises what CTranslate2 and
    the hub raise: RuntimeError, ValueError, OSError.
    """

    name = "faster-whisper"

    def __init__(self, model: str, *, device: str = "cpu", threads: int = 1) -> None:
        self.model = Path(model).name
        # What is drawn by chance is the same in each process that is asked the same.
        ctranslate2.set_random_seed(_SEED)
        loaded = faster_whisper.WhisperModel(
            model,
            device=device,
            compute_type="float16" if device == "cuda" else "int8",
            cpu_threads=threads,
            local_files_only=Path(model).is_dir(),
        )
        self._whisper: Any = loaded.model
        self._words: Any = loaded.hf_tokenizer
        self._longest = loaded.max_length
        # By the model itself: a folder without preprocessor_config.json says nothing of large-v3's 128 bands.
        self._spectrum = FeatureExtractor(feature_size=self._whisper.n_mels)
        # Of clips of which the language was told last, by id, and the clips: encoding is most of the work.
        self._encoded: dict[int, tuple[npt.NDArray[np.float32], Samples]] = {}

    def detect_language(
        self, clips: Sequence[Samples], among: Sequence[str], *, soon: Container[int] = ()
    ) -> list[dict[str, float]]:
        if len(among) == 1 or not self._whisper.is_multilingual:
            only = among[0] if len(among) == 1 else "en"
            return [{language: float(language == only) for language in among} for _ in clips]
        found: dict[int, dict[str, float]] = {}
        self._encoded = {}
        kept = [n for n, clip in enumerate(clips) if n in soon and _is_short(clip) and self._whisper.device == "cpu"]
        others = [number for number in range(len(clips)) if number not in kept]
        for numbers, window in ((kept, SHORT_WINDOW), (others, LANGUAGE_WINDOW)):
            for some in _batches(numbers):
                encoded = self._encode([clips[number] for number in some], window)
                for number, each in zip(some, self._whisper.detect_language(encoded), strict=True):
                    told = dict(each)
                    weights = {language: told.get(f"<|{language}|>", 0.0) for language in among}
                    total = sum(weights.values()) or 1.0
                    found[number] = {language: weight / total for language, weight in weights.items()}
                if numbers is kept:
                    rows = np.asarray(encoded)
                    self._encoded |= {id(clips[n]): (row, clips[n]) for n, row in zip(some, rows, strict=True)}
        return [found[number] for number in range(len(clips))]

    def transcribe(self, clips: Sequence[Clip], *, beam: int, careful: bool = False) -> list[Decoded]:
        texts: dict[int, Decoded] = {}
        # What is decoded at once has one prompt and one window.
        alike: defaultdict[tuple[str, str, int, bool], list[int]] = defaultdict(list)
        for number, clip in enumerate(clips):
            window = SHORT_WINDOW if _is_short(clip.samples) and not careful else WINDOW
            alike[clip.language, clip.prompt, window, clip.words].append(number)
        for (language, prompt, window, _), numbers in alike.items():
            words = Tokenizer(self._words, self._whisper.is_multilingual, task="transcribe", language=language)
            start = self._start(words, prompt)
            # Alike in length, too: the longest of a batch has all of it wait.
            numbers.sort(key=lambda number: len(clips[number].samples))
            for some in _batches(numbers):
                batch = [clips[number] for number in some]
                if careful:
                    decoded = [self._try(words, start, clip, beam) for clip in batch]
                else:
                    encoded = self._encode([clip.samples for clip in batch], window)
                    decoded = self._decode(words, start, encoded, batch, beam_size=beam)
                texts |= dict(zip(some, decoded, strict=True))
        return [texts[number] for number in range(len(clips))]

    def _try(self, words: Tokenizer, start: list[int], clip: Clip, beam: int) -> Decoded:
        """The first text that is well, else the most probable, one that does not repeat itself before one that does."""
        encoded = self._encode([clip.samples], WINDOW)
        tries: list[Decoded] = []
        for temperature in _TEMPERATURES:
            how: dict[str, Any] = {"beam_size": beam}
            if temperature:
                how = {
                    "beam_size": 1,
                    "num_hypotheses": _CANDIDATES,
                    "sampling_topk": 0,
                    "sampling_temperature": temperature,
                }
            [found] = self._decode(words, start, encoded, [clip], **how)
            tries.append(found)
            if found.compression <= _MOST_COMPRESSION and found.log_probability >= _LEAST_LOG_PROBABILITY:
                return found
        return max(tries, key=lambda each: (each.compression <= _MOST_COMPRESSION, each.log_probability))

    def _decode(
        self, words: Tokenizer, start: list[int], encoded: Any, clips: Sequence[Clip], **how: Any
    ) -> list[Decoded]:
        seconds = max(clip.milliseconds for clip in clips) / 1000
        results = self._whisper.generate(
            encoded,
            [start] * len(clips),
            max_length=min(self._longest, len(start) + _TOKENS_MORE + int(_TOKENS_A_SECOND * seconds)),
            suppress_tokens=list(get_suppressed_tokens(words, [-1]) or ()),
            return_scores=True,
            return_no_speech_prob=True,
            **how,
        )
        found = [_decoded(words, result, clip) for result, clip in zip(results, clips, strict=True)]
        return self._by_words(words, encoded, found, clips) if clips[0].words else found

    def _by_words(
        self, words: Tokenizer, encoded: Any, texts: Sequence[Decoded], clips: Sequence[Clip]
    ) -> list[Decoded]:
        """When each word was said: by which frames the decoder looked at for it (openai/whisper, timing.py)."""
        # A text has to have something, here; for what has nothing, nothing is made of it.
        tokens = [words.encode(text.text) or words.encode(" .") for text in texts]
        frames = [max(1, clip.milliseconds * _FRAMES_A_SECOND // 1000) for clip in clips]
        aligned = self._whisper.align(encoded, list(words.sot_sequence), tokens, frames)
        return [
            replace(text, pieces=tuple(_words(words, told, each, clip.milliseconds))) if text.pieces else text
            for text, told, each, clip in zip(texts, tokens, aligned, clips, strict=True)
        ]

    def _start(self, words: Tokenizer, prompt: str) -> list[int]:
        """What the model is told that it has written so far."""
        before = words.encode(f" {prompt.strip()}")[-_LONGEST_PROMPT:] if prompt.strip() else []
        return [words.sot_prev, *before, *words.sot_sequence] if before else list(words.sot_sequence)

    def _encode(self, clips: Sequence[Samples], window: int) -> Any:
        if window == SHORT_WINDOW and all(id(clip) in self._encoded for clip in clips):
            return ctranslate2.StorageView.from_array(np.stack([self._encoded[id(clip)][0] for clip in clips]))
        frames = window * _FRAMES_A_SECOND
        spectra = np.zeros((len(clips), self._whisper.n_mels, frames), dtype=np.float32)
        for spectrum, samples in zip(spectra, clips, strict=True):
            bands: npt.NDArray[np.float32] = self._spectrum(samples[: window * RATE])[:, :-1][:, :frames]
            spectrum[:, : bands.shape[1]] = bands
        return self._whisper.encode(ctranslate2.StorageView.from_array(spectra))


def _is_short(clip: Samples) -> bool:
    return len(clip) * 1000 < SHORT_CLIP * RATE


def _decoded(words: Tokenizer, result: Any, clip: Clip) -> Decoded:
    tokens = result.sequences_ids[0]
    pieces = tuple(_pieces(words, tokens, clip.milliseconds))
    return Decoded(
        pieces,
        clip.language,
        # The score is the mean without the end's token, whose probability is in the sum.
        log_probability=float(result.scores[0]) * len(tokens) / (len(tokens) + 1),
        compression=compression_of("".join(piece.text for piece in pieces)),
        no_speech=float(result.no_speech_prob),
    )


def _pieces(words: Tokenizer, tokens: Sequence[int], end: int) -> Iterator[Piece]:
    """The text between the times that the model writes into it. What has no end ends with the clip, as it must."""
    first = words.timestamp_begin
    start, since = 0, 0
    for place, token in enumerate([*tokens, first + int(end / 1000 / _SECONDS_A_TIME) + 1]):
        if token < first:
            continue
        time = max(start, min(end, round((token - first) * _SECONDS_A_TIME * 1000)))
        text = words.decode(list(tokens[since:place]))
        if text.strip():
            yield Piece(start, time, text)
        start, since = time, place + 1


def _words(words: Tokenizer, tokens: list[int], told: Any, end: int) -> Iterator[Piece]:
    """Each with the blank before it and the punctuation after it, which lasts as long as the pause that it stands for:
    a word ends with its letters.
    """
    starts: dict[int, int] = {}
    for token, frame in told.alignments:
        starts.setdefault(token, min(end, round(frame * _SECONDS_A_TIME * 1000)))
    text, begin, over, sure = "", 0, end, list[float]()
    first = 0
    for own in words.split_to_word_tokens(tokens)[1]:
        word, now = words.decode(own), starts.get(first, end)
        if _has_letters(text):
            over = min(over, now)
            if _has_letters(word):
                yield Piece(begin, max(begin, over), text, fmean(sure))
                text, begin, over, sure = "", max(begin, now), end, []
        text += word
        sure += [log(max(probability, _LEAST)) for probability in told.text_token_probs[first : first + len(own)]]
        first += len(own)
    if text:
        yield Piece(begin, max(begin, over), text, fmean(sure))


def _has_letters(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def _batches(of: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(of), BATCH):
        yield of[start : start + BATCH]
