"""What is read: passages in order, put together where they read as one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given

from apps.minutes.document import (
    PARAGRAPH,
    PAUSE,
    Document,
    Passage,
    decisions,
    joined,
    paragraphs,
    shown,
    tasks,
    text_of,
    width,
)
from tests.unit.minutes.samples import conference, documents, passage


def read(*passages: Passage, hidden: bool = False) -> list[str]:
    document = replace(conference(), passages=passages)
    return [f"{each.speaker}: {joined(map(text_of, each.passages))}" for each in paragraphs(document, hidden=hidden)]


def test_a_short_pause_is_within_a_paragraph_and_a_long_one_ends_it() -> None:
    first = passage("A", 0, "One.", "Two.")
    seconds = (first.ends_at - first.starts_at).total_seconds()
    assert read(first, passage("A", seconds + 3.9, "Three.")) == ["A: One. Two. Three."]
    assert read(first, passage("A", seconds + 4, "Three.")) == ["A: One. Two.", "A: Three."]


def test_who_begins_between_parts_what_another_says() -> None:
    spoken = passage("A", 0, "好，" * 8), passage("A", 5, "就这样。"), passage("B", 4.5, "等一下。")
    assert read(*spoken) == ["A: " + "好，" * 8, "B: 等一下。", "A: 就这样。"]


def test_a_decision_and_a_task_stand_alone() -> None:
    texts = ["A: 一。", "A: 二。", "A: 三。", "A: 四。"]
    spoken = [passage("A", number, f"{text}。") for number, text in enumerate("一二三四")]
    assert read(*spoken) == ["A: 一。二。三。四。"]
    spoken[1], spoken[2] = replace(spoken[1], mark="decision"), replace(spoken[2], mark="task")
    assert read(*spoken) == texts


def test_a_hidden_passage_is_read_only_when_asked_for() -> None:
    spoken = passage("A", 0, "一。"), passage("B", 1, "二。", hidden=True), passage("A", 2, "三。")
    assert read(*spoken) == ["A: 一。三。"]
    assert read(*spoken, hidden=True) == ["A: 一。", "B: 二。", "A: 三。"]


def test_a_paragraph_is_no_longer_than_can_be_read() -> None:
    assert len(read(*(passage("A", 10.0 * number, "字" * 40) for number in range(30)))) == 2
    assert len(read(*(passage("A", 2.0 * number, "x" * 39) for number in range(31)))) == 2
    assert read(passage("A", 0, "字" * 700)) == ["A: " + "字" * 700]


def test_decisions_and_tasks_leave_out_what_is_hidden() -> None:
    document = conference()
    assert [text_of(each) for each in decisions(document)] == [
        "那么预算就按李娜的方案通过，第四季度总额不超过四百五十万元。",
        "Then we ship version 2.4 on 15 December.",
    ]
    assert [each.task_person for each in tasks(document)] == ["李娜", "Ann Taylor", ""]
    all_hidden = replace(document, passages=tuple(replace(each, hidden=True) for each in document.passages))
    assert decisions(all_hidden) == tasks(all_hidden) == []
    assert len(tasks(all_hidden, hidden=True)) == 3


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["你好。", "再见。"], "你好。再见。"),
        (["Hello.", "Bye."], "Hello. Bye."),
        (["Hello.", "你好。", "Bye."], "Hello. 你好。Bye."),
        (["他说：“好。”", "“走吧！”"], "他说：“好。”“走吧！”"),
        (["He said “no…”", "“Why?”"], "He said “no…” “Why?”"),
        (["OK", "，好"], "OK，好"),
        (["One. ", "Two."], "One. Two."),
        (["", "One.", "", "Two."], "One. Two."),
        ([], ""),
    ],
)
def test_spaces_are_where_they_belong(texts: list[str], whole: str) -> None:
    assert joined(texts) == whole


@given(documents)
def test_every_passage_is_in_one_paragraph_in_the_order_in_which_they_began(document: Document) -> None:
    for hidden in (False, True):
        found = paragraphs(document, hidden=hidden)
        order = [each for paragraph in found for each in paragraph.passages]
        assert order == shown(document, hidden=hidden)
        assert sorted(map(id, order)) == sorted(id(each) for each in document.passages if hidden or not each.hidden)
        assert all(before.starts_at <= after.starts_at for before, after in pairwise(order))


@given(documents)
def test_what_is_put_together_reads_as_one(document: Document) -> None:
    for paragraph in paragraphs(document):
        assert {each.speaker for each in paragraph.passages} == {paragraph.speaker}
        if len(paragraph.passages) > 1:
            assert not any(each.mark for each in paragraph.passages)
            assert sum(width(text_of(each)) for each in paragraph.passages) <= PARAGRAPH
        for count in range(1, len(paragraph.passages)):
            ended = max(each.ends_at for each in paragraph.passages[:count])
            assert paragraph.passages[count].starts_at - ended < PAUSE
