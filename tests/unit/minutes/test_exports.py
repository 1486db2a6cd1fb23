"""All forms by one table."""

from __future__ import annotations

import mimetypes

import pytest

from apps.minutes.exports.registry import EXPORTS, Options
from tests.unit.minutes.samples import at, conference


def test_they_are_named_by_their_suffix() -> None:
    assert list(EXPORTS) == ["docx", "md", "vtt", "srt", "json"]
    assert mimetypes.guess_type("minutes.docx")[0] == EXPORTS["docx"].media_type


@pytest.mark.parametrize("name", EXPORTS)
def test_each_writes_what_its_options_say(name: str) -> None:
    export = EXPORTS[name]
    distributed = export.write(conference(), Options())
    assert len(distributed) > 1000
    assert len(export.write(conference(), Options(hidden=True))) > len(distributed)


def test_subtitles_begin_with_the_recording() -> None:
    assert EXPORTS["vtt"].write(conference(), Options(since=at(-7))).startswith(b"WEBVTT\n\n00:00:10.000 ")
