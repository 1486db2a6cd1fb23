"""Whisper with whisperx's forced alignment: when each word was said. For workers with a GPU. No framework.

Of whisperx (3.8) only the alignment is used. Its own decoding takes batches without temperature fallback, tells nothing
of compression and silence, has one prompt for all, times from a detector of voices alone and, where it finds the
language itself, calls Chinese English. So clips are decoded as faster-whisper does, in the language that was found, and
the pipeline's guards see what they need.

With a model's folder nothing comes from a hub: models for the alignment are its folders `align-zh` and `align-en`
(wav2vec2, as transformers saves them). Where one is missing, its language has the times that Whisper tells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .faster_whisper import FasterWhisper
from .folder import is_folder
from .protocol import Clip, Decoded, Piece, Samples

log = logging.getLogger(__name__)

Word = Mapping[str, Any]
"""As whisperx tells it: `word`, and where it could be found in the sound `start` and `end`, seconds."""


class WholeText:
    """What stands for nltk's splitter of sentences, which is a download of its own: a piece is one sentence here."""

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


class Whisperx(FasterWhisper):
    """As FasterWhisper is made; pieces are single words where they could be aligned."""

    name = "whisperx"

    def __init__(self, model: str, *, device: str = "cuda", threads: int = 1) -> None:
        super().__init__(model, device=device, threads=threads)
        from whisperx import alignment

        # `align` looks for nltk's data before each text; where they are missing it downloads them, or fails.
        alignment.nltk_load = lambda _path: WholeText()
        self._alignment: Any = alignment
        self._device = device
        self._folder = Path(model) if is_folder(model) else None
        self._aligners: dict[str, Any] = {}

    def transcribe(self, clips: Sequence[Clip], *, beam: int, careful: bool = False) -> list[Decoded]:
        # What is aligned here is not to come as words already.
        asked = [replace(clip, words=clip.words and self._aligner(clip.language) is None) for clip in clips]
        found = super().transcribe(asked, beam=beam, careful=careful)
        return [self._aligned(clip, text) for clip, text in zip(clips, found, strict=True)]

    def _aligned(self, clip: Clip, text: Decoded) -> Decoded:
        aligner = self._aligner(text.language) if text.pieces else None
        if aligner is None:
            return text
        pieces = [
            part for piece in text.pieces for part in by_words(piece, self._words_of(piece, clip.samples, aligner))
        ]
        return replace(text, pieces=tuple(pieces))

    def _words_of(self, piece: Piece, samples: Samples, aligner: Any) -> list[Word]:
        """One piece at a time: of several, `align` leaves out those that it finds no place for, and is no faster."""
        segment = {"start": piece.start / 1000, "end": piece.end / 1000, "text": piece.text}
        model, metadata = aligner
        told = self._alignment.align([segment], model, metadata, samples, self._device)
        words: list[Word] = told["word_segments"]
        return words

    def _aligner(self, language: str) -> Any:
        """The model and what `align` wants to know of it, loaded once; None: there is none for the language."""
        if language not in self._aligners:
            self._aligners[language] = self._load(language)
        return self._aligners[language]

    def _load(self, language: str) -> Any:
        folder = self._folder / f"align-{language}" if self._folder else None
        if folder and not folder.is_dir():
            log.warning("No alignment of words in %s: there is no folder %s", language, folder)
            return None
        return self._alignment.load_align_model(language, self._device, model_name=str(folder) if folder else None)


def by_words(piece: Piece, words: Sequence[Word]) -> list[Piece]:
    """The piece, cut where its words begin; together they have its text, and none is outside of it in time.

    What has no time (a number, a foreign word, what whisperx left out) stays with the word before it. Without any time
    the piece stays whole.
    """
    found = list(_places(piece, words))
    if not found:
        return [piece]
    found[0] = (0, *found[0][1:])
    ends = [place for place, _, _ in found[1:]] + [len(piece.text)]
    pieces: list[Piece] = []
    now = piece.start
    for (place, start, end), over in zip(found, ends, strict=True):
        begin = min(max(now, start), piece.end)
        now = min(max(begin, end), piece.end)
        pieces.append(Piece(begin, now, piece.text[place:over]))
    return pieces


def _places(piece: Piece, words: Sequence[Word]) -> Iterator[tuple[int, int, int]]:
    """Where in the text each word with a time begins, the blank before it included, and its milliseconds."""
    looked = 0
    for word in words:
        place = piece.text.find(word["word"], looked)
        if place < 0:
            continue
        looked = place + len(word["word"])
        start, end = word.get("start"), word.get("end")
        if start is not None and end is not None:
            blank = place > 0 and piece.text[place - 1].isspace()
            yield place - blank, round(start * 1000), round(end * 1000)
