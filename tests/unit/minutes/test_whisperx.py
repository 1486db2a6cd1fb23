"""What whisperx's alignment tells of words becomes pieces. The alignment itself needs 8 GB of packages and a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.engines.faster_whisper import FasterWhisper
from apps.minutes.engines.protocol import Clip, Decoded, Piece
from apps.minutes.engines.whisperx import Whisperx, WholeText, Word, by_words

from .speech import say


def word(text: str, start: float | None = None, end: float | None = None) -> Word:
    timed = {} if start is None else {"start": start, "end": end}
    return {"word": text, **timed}


def cut(piece: Piece, *words: Word) -> list[tuple[int, int, str]]:
    return [(each.start, each.end, each.text) for each in by_words(piece, words)]


def test_words_become_pieces_with_their_blanks() -> None:
    piece = Piece(0, 2000, " We agree. Fine.")
    told = [word("We", 0.1, 0.3), word("agree.", 0.4, 0.9), word("Fine.", 1.5, 1.9)]
    assert cut(piece, *told) == [(100, 300, " We"), (400, 900, " agree."), (1500, 1900, " Fine.")]


def test_chinese_is_aligned_by_characters() -> None:
    piece = Piece(500, 1500, "我们开始。")
    told = [word(letter, 0.5 + n / 5, 0.7 + n / 5) for n, letter in enumerate("我们开始")] + [word("。")]
    assert [text for _, _, text in cut(piece, *told)] == ["我", "们", "开", "始。"]


def test_what_has_no_time_stays_with_the_word_before_it() -> None:
    piece = Piece(0, 2000, " In 1998 we met.")
    told = [word("In", 0.1, 0.2), word("1998"), word("we", 1.2, 1.4), word("met.", 1.4, 1.9)]
    assert cut(piece, *told) == [(100, 200, " In 1998"), (1200, 1400, " we"), (1400, 1900, " met.")]


def test_the_first_word_may_have_none() -> None:
    assert cut(Piece(0, 900, " 42 people."), word("42"), word("people.", 0.4, 0.8)) == [(400, 800, " 42 people.")]


@pytest.mark.parametrize("told", [[], [word("None"), word("of"), word("these")], [word("elsewhere", 0.1, 0.2)]])
def test_without_any_time_the_piece_stays_whole(told: list[Word]) -> None:
    piece = Piece(0, 900, " None of these.")
    assert by_words(piece, told) == [piece]


def test_whatever_it_tells_nothing_is_before_or_after_the_piece_or_runs_back() -> None:
    piece = Piece(1000, 2000, " a b c")
    assert cut(piece, word("a", 0.2, 0.9), word("b", 1.8, 1.5), word("c", 1.2, 9.0)) == [
        (1000, 1000, " a"),
        (1800, 1800, " b"),
        (1800, 2000, " c"),
    ]


class HalfInstalled(Whisperx):
    """With the real model, and without whisperx; `aligned` are the languages of which there is an alignment."""

    def __init__(self, model: Path) -> None:
        FasterWhisper.__init__(self, str(model))
        self.aligned: set[str] = set()

    def _aligner(self, language: str) -> Any:
        return language if language in self.aligned else None

    def _aligned(self, clip: Clip, text: Decoded) -> Decoded:
        return text


def test_where_words_are_not_aligned_whisper_tells_them(model: Path) -> None:
    """Else what is heard together could not be divided again; and words one by one could not be aligned."""
    engine = HalfInstalled(model)
    clip = Clip(say("Please send me the report before noon."), "en", words=True)
    [by_whisper] = engine.transcribe([clip], beam=1)
    assert [piece.text for piece in by_whisper.pieces] == [f" {word}" for word in by_whisper.text.split()]
    engine.aligned = {"en"}
    [to_be_aligned] = engine.transcribe([clip], beam=1)
    assert [piece.text.strip() for piece in to_be_aligned.pieces] == ["Please send me the report before noon."]


times = st.none() | st.floats(0, 5, allow_nan=False)


@given(
    st.lists(st.tuples(st.text(alphabet="ab好", min_size=1, max_size=4), times, times), max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_no_letter_is_lost(told: list[tuple[str, float | None, float | None]], left_out: list[bool]) -> None:
    piece = Piece(700, 3000, "".join(f" {text}" for text, _, _ in told) + ".")
    words: list[dict[str, Any]] = [
        {"word": text, "start": start, "end": end}
        for (text, start, end), out in zip(told, left_out, strict=False)
        if not out
    ]
    pieces = by_words(piece, words)
    assert "".join(each.text for each in pieces) == piece.text
    bounds = [time for each in pieces for time in (each.start, each.end)]
    assert bounds == sorted(bounds)
    assert all(piece.start <= time <= piece.end for time in bounds)


def test_a_piece_is_not_cut_before_it_is_aligned() -> None:
    assert WholeText().span_tokenize("One. Two.") == [(0, 9)]
