"""Everything is in the JSON, and comes back out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from apps.minutes.document import Document, shown
from apps.minutes.exports.as_json import Evidence, ExportError, digest, read, write
from tests.unit.minutes.samples import conference, documents


@given(documents)
def test_what_is_written_is_read_again(document: Document) -> None:
    assert read(write(document, hidden=True)) == replace(document, passages=tuple(shown(document, hidden=True)))


@given(documents)
def test_what_is_hidden_is_left_out(document: Document) -> None:
    distributed = replace(document, passages=tuple(shown(document)))
    assert read(write(document)) == distributed
    assert read(write(document, evidence=Evidence())) == distributed


@given(documents)
def test_it_is_written_in_one_way(document: Document) -> None:
    written = write(document, hidden=True)
    assert write(read(written), hidden=True) == written
    backwards = replace(document, passages=tuple(reversed(shown(document, hidden=True))))
    if len({each.starts_at for each in document.passages}) == len(document.passages):
        assert write(backwards, hidden=True) == written


def test_it_names_its_format_first_and_is_readable() -> None:
    text = write(conference()).decode()
    assert text.startswith('{\n  "format": "sparkle-minutes/1",\n')
    assert '"title": "第四季度预算与发布计划会议"' in text
    assert '"started_at": "2026-11-27T06:00:00Z"' in text


def test_directional_characters_are_escaped() -> None:
    document = replace(conference(), title="\u202egpj.exe")
    assert "\u202e" not in write(document).decode()
    assert read(write(document)).title == "\u202egpj.exe"


def changed(**fields: Any) -> bytes:
    return json.dumps(json.loads(write(conference())) | fields).encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", '"format"'),
        (changed(format="sparkle-minutes/2"), '"sparkle-minutes/1"'),
        (changed(title=3), "$.title"),
        (changed(passages=[{}]), "$.passages[0]"),
        (changed(passages=None), "$.passages"),
        (changed(language="de"), "$.language"),
        (changed(started_at="2026-11-27T06:00:00"), "UTC"),
        (changed(attendees=[{"name": "", "role": "", "stays": [["2026-11-27T06:00:00", None]]}]), "UTC"),
    ],
)
def test_what_is_something_else_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(ExportError) as refused:
        read(data)
    assert words in str(refused.value)


def test_the_digest_depends_on_the_evidence_and_not_on_the_one_that_is_there() -> None:
    document = conference()
    assert digest(document, Evidence()) == digest(replace(document, digest=""), Evidence())
    assert digest(document, Evidence()) != digest(replace(document, title="x"), Evidence())
