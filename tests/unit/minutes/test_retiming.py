"""Times of corrected sentences: what is unchanged keeps its own, what is new has some between, the text is as typed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.minutes.document import joined
from apps.minutes.retiming import between, cut, normalised, retimed

Sentence = list[Any]
WORDS = st.sampled_from(["we", "go", "home", "3.5", "it's", "我们", "回家", "吧", "yes", "Ünï", "“now”", "a-b"])
ENDS = st.sampled_from([".", "?", "!", "。", "？", "…", ""])
TYPED = st.lists(st.one_of(WORDS, ENDS, st.sampled_from([" ", "\n", "", "  "])), max_size=30).map("".join)


@st.composite
def sayings(draw: st.DrawFn, *, ended: bool = False) -> tuple[list[Sentence], int, int]:
    """Sentences in their order, and a passage around them."""
    at = start = draw(st.integers(0, 5000))
    sentences = []
    for number in range(draw(st.integers(1, 6))):
        at += draw(st.integers(0, 900))
        ends = at + draw(st.integers(0, 4000))
        text = draw(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
        # Of two that are alike nobody could say which one was taken out.
        text = f"{number} {text}{draw(ENDS.filter(bool))}" if ended else text + draw(ENDS)
        sentences.append([at, ends, text, draw(st.sampled_from(["good", "check", "low"]))])
        at = ends
    return sentences, start, at + draw(st.integers(1, 900))


def text_of(sentences: list[Sentence]) -> str:
    return joined(each[2] for each in sentences)


def assert_in_order(sentences: list[Sentence], start: int, end: int) -> None:
    times = [start, *(moment for each in sentences for moment in each[:2]), end]
    assert times == sorted(times)


@given(sayings(), TYPED)
@example(([[0, 0, "we go", "low"], [0, 0, "home", "low"]], 0, 1), "we stay. home. yes.")
def test_any_text_comes_out_as_typed_in_order(said: tuple[list[Sentence], int, int], typed: str) -> None:
    sentences, start, end = said
    if not normalised(typed):
        with pytest.raises(ValueError, match="no text"):
            retimed(sentences, start, end, typed)
        return
    found = retimed(sentences, start, end, typed)
    assert text_of(found) == normalised(typed)
    assert_in_order(found, start, end)
    assert all(each[2].strip() for each in found)
    assert all(each in sentences or each[3] == "good" for each in found)


@given(sayings())
def test_the_same_text_changes_nothing(said: tuple[list[Sentence], int, int]) -> None:
    sentences, start, end = said
    assert retimed(sentences, start, end, f" {text_of(sentences)}\n") == sentences


@given(sayings(ended=True), st.data())
def test_unchanged_sentences_keep_their_times(said: tuple[list[Sentence], int, int], data: st.DataObject) -> None:
    """Whatever is written in the place of others, and however many."""
    sentences, start, end = said
    at = data.draw(st.integers(0, len(sentences) - 1))
    written = data.draw(st.sampled_from(["", "Quite new words.", "Erstens; zweitens. Drittens!", "换了。两句。"]))
    typed = joined([*(each[2] for each in sentences[:at]), written, *(each[2] for each in sentences[at + 1 :])])
    if not typed:
        return
    found = retimed(sentences, start, end, typed)
    assert found[:at] == sentences[:at]
    rest = sentences[at + 1 :]
    assert found[len(found) - len(rest) :] == rest
    for each in found[at : len(found) - len(rest)]:
        assert sentences[at][0] <= each[0] <= each[1] <= sentences[at][1]


def test_words_that_are_still_there_keep_their_place() -> None:
    said = [[1000, 3000, "we go home to morrow at noon", "low"], [3000, 4000, "Yes.", "check"]]
    found = retimed(said, 1000, 4000, "We go home. Tomorrow at noon. Yes.")
    assert [each[2] for each in found] == ["We go home.", "Tomorrow at noon.", "Yes."]
    assert found[2] == said[1]
    # "at" begins at character 21 of 28, and "home" ends at 10.
    (first, second), gap = (found[0], found[1]), 2000 / 28
    assert first[0] == 1000
    assert first[1] == pytest.approx(1000 + 10 * gap, abs=2 * gap)
    assert first[1] <= second[0] < 1000 + 18 * gap
    assert second[1] == 3000


def test_what_is_put_in_has_the_pause_or_goes_with_a_neighbour() -> None:
    said = [[0, 1000, "One.", "low"], [3000, 4000, "Three.", "low"], [4000, 5000, "Four", "low"]]
    assert retimed(said, 0, 5000, "One. Two. Three. Four")[1] == [1000, 3000, "Two.", "good"]
    assert retimed(said, 0, 5000, "One. Three. And a half. Four") == [
        said[0],
        [3000, 4000, "Three. And a half.", "good"],
        said[2],
    ]
    assert retimed(said, 0, 5000, "One. Three. Four and five.")[-1] == [4000, 5000, "Four and five.", "good"]
    assert retimed(said, 0, 5000, "So: One. Three. Four")[0] == [0, 1000, "So: One.", "good"]
    assert retimed([[900, 1000, "One.", "low"]], 0, 1000, "Zero. One.") == [
        [0, 900, "Zero.", "good"],
        [900, 1000, "One.", "low"],
    ]


@given(sayings(), st.data())
def test_what_is_cut_is_still_all_there(said: tuple[list[Sentence], int, int], data: st.DataObject) -> None:
    sentences, start, end = said
    whole = text_of(sentences)
    at = data.draw(st.integers(-2, len(whole) + 2))
    if not whole[: max(0, at)].strip() or not whole[at:].strip():
        with pytest.raises(ValueError, match="nothing"):
            cut(sentences, at)
        return
    before, after = cut(sentences, at)
    assert text_of(before).replace(" ", "") == whole[:at].replace(" ", "")
    assert text_of(after).replace(" ", "") == whole[at:].replace(" ", "")
    assert_in_order([*before, *after], start, end)
    assert [each[3] for each in (*before, *after)] in (
        [each[3] for each in sentences],
        [*(each[3] for each in sentences[: len(before)]), *(each[3] for each in sentences[len(before) - 1 :])],
    )


@given(sayings(), st.data())
def test_the_halves_are_found_again_by_their_times(said: tuple[list[Sentence], int, int], data: st.DataObject) -> None:
    sentences = [[begins, begins + max(ends - begins, len(text)), text, sure] for begins, ends, text, sure in said[0]]
    for one, other in pairwise(sentences):
        shift = max(0, one[1] - other[0])
        other[0], other[1] = other[0] + shift, other[1] + shift
    whole = text_of(sentences)
    at = data.draw(st.integers(1, len(whole)))
    if not whole[at:].strip():
        return
    before, after = cut(sentences, at)
    assert between(sentences, None, before[-1][1]) == before
    assert between(sentences, after[0][0], None) == after
    assert between(sentences, None, None) == sentences


@given(sayings(), st.data())
def test_what_is_between_stays_between(said: tuple[list[Sentence], int, int], data: st.DataObject) -> None:
    sentences, start, end = said
    first = data.draw(st.integers(start, end))
    last = data.draw(st.integers(first, end))
    assert_in_order(between(sentences, first, last), first, last)


def test_very_long_texts_do_not_hold_anybody_up() -> None:
    """Each word the same: difflib alone would compare them for minutes."""
    said = [[0, 60_000, "的" * 8000 + "。", "low"], [60_000, 61_000, "好。", "low"]]
    typed = "了的" * 4000 + "。好。"
    found = retimed(said, 0, 61_000, typed)
    assert (text_of(found), found[-1]) == (typed, said[1])
