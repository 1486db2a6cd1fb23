"""Sentences and their times, from an engine's pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.engines.protocol import Piece
from apps.minutes.pipeline.sentences import sentences


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in sentences([Piece(0, 1000, text)])]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (" We agree. Shall we go on? Yes!", ["We agree.", "Shall we go on?", "Yes!"]),
        ("好的。我们开始！谁先说？", ["好的。", "我们开始！", "谁先说？"]),
        ("我们开始.谁先说?", ["我们开始.", "谁先说?"]),
        (" Mr. Dashwood paid 3.5 million to J. Smith at 9 a.m. on Monday.", None),
        (" The file is on www.example.org now.", None),
        (" No. I disagree.", ["No.", "I disagree."]),
        (" He said “Stop.” Then he left...", ["He said “Stop.”", "Then he left..."]),
        (" Wait… what?!", ["Wait…", "what?!"]),
        (" without an end", ["without an end"]),
        (" ... Well.", ["Well."]),
        (" Well. ... !", ["Well."]),
        ("。", []),
        ("  ", []),
        ("", []),
    ],
)
def test_where_they_end(text: str, wanted: list[str] | None) -> None:
    assert texts(text) == ([text.strip()] if wanted is None else wanted)


def test_times_are_those_of_the_pieces() -> None:
    found = sentences([Piece(100, 900, " One."), Piece(1500, 2500, " Two"), Piece(2500, 3000, " three.")])
    assert [(each.start, each.end, each.text) for each in found] == [(100, 900, "One."), (1500, 3000, "Two three.")]


def test_within_a_piece_letters_take_alike_long() -> None:
    found = sentences([Piece(1000, 5000, " 一二三。四。")])
    assert [(each.start, each.end) for each in found] == [(1000, 4000), (4000, 5000)]


pieces = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 2000), st.text(alphabet='ab 好1.?。！"A', min_size=1, max_size=12)),
    max_size=8,
)


@given(pieces)
def test_no_letter_is_lost_and_time_runs_forward(told: list[tuple[int, int, str]]) -> None:
    now, given_pieces = 0, []
    for pause, length, text in told:
        given_pieces.append(Piece(now + pause, now + pause + length, text))
        now += pause + length
    found = sentences(given_pieces)
    letters = [letter for _, _, text in told for letter in text if letter.isalnum()]
    assert [letter for sentence in found for letter in sentence.text if letter.isalnum()] == letters
    times = [time for sentence in found for time in (sentence.start, sentence.end)]
    assert times == sorted(times)
    assert all(0 <= time <= now for time in times)
    assert all(sentence.text == sentence.text.strip() and sentence.text for sentence in found)
