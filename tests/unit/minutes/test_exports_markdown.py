"""Markdown shows what was said, and nothing in a text becomes anything but text."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.minutes.document import Document, paragraphs
from apps.minutes.exports.markdown import escaped, write
from apps.minutes.exports.words import line, said
from tests.unit.minutes.samples import NASTY, conference, documents, texts

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(data: bytes) -> Iterator[Token]:
    for token in READER.parse(data.decode()):
        yield from (token, *(token.children or ()))


def links(data: bytes) -> list[tuple[str, str]]:
    """Each link's text and address, in order."""
    found: list[tuple[str, str]] = []
    within = False
    for token in tokens(data):
        if token.type == "link_open":
            found.append(("", str(token.attrs["href"])))
        within = token.type == "link_open" or (within and token.type != "link_close")
        if within and token.type in ("text", "text_special"):
            found[-1] = found[-1][0] + token.content, found[-1][1]
    return found


def dialogue(data: bytes) -> bytes:
    """What comes after the last heading of the second level: in none of the texts is a heading."""
    return data[data.rindex(b"\n## ") :]


@settings(max_examples=40)
@given(documents)
def test_every_sentence_is_there_once_in_order_with_its_link(document: Document) -> None:
    wanted = [
        (each.text, each.link) for paragraph in paragraphs(document) for each in said(paragraph.passages) if each.link
    ]
    assert [(html.unescape(text), link) for text, link in links(dialogue(write(document)))] == [
        (html.unescape(text), link) for text, link in wanted
    ]


@settings(max_examples=40)
@given(documents)
def test_nothing_but_what_this_project_writes_is_markup(document: Document) -> None:
    found = {token.type for token in tokens(write(document, hidden=True))}
    assert not found & {
        *("html_block", "html_inline", "fence", "code_block", "image", "s_open", "hr"),
        *("bullet_list_open", "ordered_list_open"),
    }
    assert sum(token.type == "code_inline" for token in tokens(write(document))) == bool(document.digest)
    headings = [token.tag for token in tokens(write(document)) if token.type == "heading_open"]
    assert headings.count("h1") == 1


@given(texts)
def test_an_escaped_text_reads_as_itself(text: str) -> None:
    text = line(text)
    shown = "".join(token.content for token in tokens(escaped(text).encode()) if token.type in ("text", "text_special"))
    assert shown == text
    assert not set("<>") & set(escaped(text))  # some readers take half a tag for one


@pytest.mark.parametrize("text", NASTY)
def test_what_would_do_harm_does_none_wherever_it_stands(text: str) -> None:
    document = conference()
    sentence = replace(document.passages[0].sentences[0], text=text)
    spoken = replace(document.passages[0], speaker=text, sentences=(sentence,))
    harmful = replace(
        document,
        title=text,
        agenda=text,
        summary=text,
        notices=(text,),
        signed_by=text,
        attendees=(replace(document.attendees[0], name=text, role=text),),
        passages=(spoken, *(replace(spoken, mark=mark, task_person=text) for mark in ("decision", "task"))),
    )
    data = write(harmful)
    assert {link for _, link in links(data)} == {sentence.link}
    assert not any(token.type in ("html_block", "html_inline", "image", "fence") for token in tokens(data))
    cells = [sum(each.type == "td_open" for each in row) for row in rows(data)]
    assert cells == [*[2] * 4, 3, 3, 3]


def rows(data: bytes) -> Iterator[list[Token]]:
    row: list[Token] = []
    within = False
    for token in tokens(data):
        within = within or token.type == "tbody_open"
        row = [] if token.type == "tr_open" else [*row, token]
        if within and token.type == "tr_close":
            yield row
        within = within and token.type != "tbody_close"


def test_a_link_to_anything_but_the_web_is_none() -> None:
    document = conference()
    for link in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "https://", "https://[", "file:///etc"):
        sentence = replace(document.passages[0].sentences[0], link=link)
        changed = replace(document, passages=(replace(document.passages[0], sentences=(sentence,)),))
        assert links(write(changed)) == []
        assert sentence.text in write(changed).decode()


def test_an_address_cannot_end_its_link() -> None:
    document = conference()
    link = "https://a.example/?b=(c) d)[e](<f>|&copy;&amp;g"
    sentence = replace(document.passages[0].sentences[0], link=link)
    changed = replace(document, passages=(replace(document.passages[0], sentences=(sentence,)),))
    assert links(write(changed)) == [
        (sentence.text, "https://a.example/?b=%28c%29%20d%29[e]%28%3Cf%3E%7C&copy;&amp;g".replace("[e]", "%5Be%5D"))
    ]


def test_doubt_is_marked_and_explained_where_there_is_any() -> None:
    document = conference("en")
    text = write(document).decode()
    assert text.count(" (?)\n") + text.count(" (?)[") == 2
    assert text.count(" (??)\n") == 1
    assert "(??) probably wrong" in text
    sure = replace(document, passages=document.passages[:4])
    assert "(?" not in write(sure).decode()


def test_what_is_hidden_is_left_out() -> None:
    assert "价格还在谈" not in write(conference()).decode()
    assert "价格还在谈" in write(conference(), hidden=True).decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "zh-hans",
            ["会议纪要", "2026年11月27日（星期五） 14:00–15:02", "未到会", "待定", "14:24、14:25"],
        ),
        ("en", ["**Minutes**", "Friday, 27 November 2026 14:00–15:02 (UTC+8)", "absent", "open", "14:00–14:24, 14:25"]),
    ],
)
def test_its_words_are_of_its_language(language: str, words: list[str]) -> None:
    text = write(conference("en" if language == "en" else "zh-hans")).decode()
    assert all(each in text for each in words)
