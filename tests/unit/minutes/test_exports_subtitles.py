"""Subtitles can be read by a strict reader, in time, and lose no word."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.minutes.document import Document, shown
from apps.minutes.exports.cues import LONGEST, cues
from apps.minutes.exports.subtitles import srt, vtt
from apps.minutes.exports.words import line
from tests.unit.minutes.samples import at, conference, documents, passage, texts

TIMES = r"(\d\d+):([0-5]\d):([0-5]\d)[.,](\d{3})"


@dataclass(frozen=True)
class Cue:
    start: int
    end: int
    speaker: str
    lines: list[str]

    @property
    def text(self) -> str:
        return squeezed("".join(self.lines))


def squeezed(text: str) -> str:
    """Without the spaces, some of which are line ends in subtitles."""
    return "".join(text.split())


def read_vtt(data: bytes) -> list[Cue]:
    """A strict reader of what WebVTT allows and this project writes (w3.org/TR/webvtt1, §4)."""
    header, *blocks = data.decode().removesuffix("\n").split("\n\n")
    assert header == "WEBVTT"
    found = []
    for block in blocks:
        timing, *text = block.split("\n")
        times = re.fullmatch(rf"{TIMES.replace(',', '')} --> {TIMES.replace(',', '')}", timing)
        assert times is not None, timing
        assert text
        voice = re.fullmatch(r"<v ([^<>&\n]|&(?:amp|lt|gt);)+>(.*)", text[0])
        assert voice is not None, text[0]
        speaker = text[0][3 : voice.start(2) - 1]
        lines = [voice[2], *text[1:]]
        assert all(re.fullmatch(r"([^<>&]|&(amp|lt|gt);)+", each) for each in lines), lines
        found.append(Cue(*milliseconds(times), html.unescape(speaker), [html.unescape(each) for each in lines]))
    return found


def read_srt(data: bytes) -> list[Cue]:
    if not data:
        return []
    found = []
    for number, block in enumerate(data.decode().removesuffix("\n").split("\n\n"), 1):
        counter, timing, *lines = block.split("\n")
        times = re.fullmatch(rf"{TIMES.replace('.,', ',')} --> {TIMES.replace('.,', ',')}", timing)
        assert counter == str(number)
        assert times is not None, timing
        assert lines
        assert not set("<>{}") & set("".join(lines))
        found.append(Cue(*milliseconds(times), "", lines))
    return found


def milliseconds(times: re.Match[str]) -> tuple[int, int]:
    values = [int(each) for each in times.groups()]
    hours, minutes, seconds, rest = zip(values[:4], values[4:], strict=True)
    start, end = (((h * 60 + m) * 60 + s) * 1000 + r for h, m, s, r in zip(hours, minutes, seconds, rest, strict=True))
    return start, end


def fits(lines: list[str]) -> bool:
    """At most 42 Latin characters or 20 Chinese ones, whose mixture is in proportion."""
    wide = [sum(each >= "\u1100" and each not in "“”‘’…—" for each in line) for line in lines]
    return len(lines) <= 2 and all(20 * (len(each) - n) + 42 * n <= 840 for each, n in zip(lines, wide, strict=True))


def said_by(document: Document) -> dict[str, str]:
    """All that each speaker says, one after the other."""
    found: dict[str, str] = {}
    for each in shown(document):
        text = squeezed("".join(line(sentence.text) for sentence in each.sentences))
        found[line(each.speaker)] = found.get(line(each.speaker), "") + text
    return {speaker: text for speaker, text in found.items() if text}


def heard_from(found: list[Cue]) -> dict[str, str]:
    speakers = {each.speaker for each in found}
    return {speaker: "".join(each.text for each in found if each.speaker == speaker) for speaker in speakers}


def test_everybody_says_everything_in_order() -> None:
    document = conference()
    assert heard_from(read_vtt(vtt(document))) == said_by(document)
    assert "价格还在谈" not in vtt(document).decode()
    assert "价格还在谈" in vtt(document, hidden=True).decode()


@given(documents)
def test_no_word_is_lost_or_said_by_another(document: Document) -> None:
    heard = heard_from(read_vtt(vtt(document, since=at(-100))))
    assert {speaker: sorted(text) for speaker, text in heard.items()} == {
        speaker: sorted(text) for speaker, text in said_by(document).items()
    }


@given(documents)
def test_times_are_in_order_and_short(document: Document) -> None:
    for found in (read_vtt(vtt(document)), read_srt(srt(document))):
        assert [each.start for each in found] == sorted(each.start for each in found)
        assert all(0 <= each.start < each.end <= each.start + 1000 * LONGEST + 1 for each in found)


@given(documents)
def test_both_forms_have_the_same_times(document: Document) -> None:
    assert bool(read_vtt(vtt(document))) == bool(read_srt(srt(document)))


@given(texts | st.text(st.sampled_from("字，。a .(“”"), max_size=200), st.floats(0, 60))
def test_a_text_is_cut_into_what_can_be_read(text: str, seconds: float) -> None:
    text = line(text)
    found = list(cues(text, seconds))
    assert "".join("".join(each.lines) for each in found).replace(" ", "") == squeezed(text)
    assert all(each.start < each.end <= each.start + LONGEST + 1e-6 for each in found)
    assert all(len(each.lines) in (1, 2) and fits(list(each.lines)) for each in found)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(found))


def test_lines_end_with_clauses_and_not_within_words() -> None:
    text = "第三季度我们一共花了四百二十万元，比计划少百分之六，主要是因为两个岗位还没有招到人。"
    assert [each.lines for each in cues(text, 10)] == [
        ("第三季度我们一共花了四百二十万元，", "比计划少百分之六，"),
        ("主要是因为两个岗位还没有招到人。",),
    ]
    text = "I believe it was booked on the marketing budget, but I am not certain (2.4)."
    assert [each.lines for each in cues(text, 5)] == [
        ("I believe it was booked on the marketing", "budget, but I am not certain (2.4).")
    ]


def test_no_line_begins_with_what_closes_or_ends_with_what_opens() -> None:
    for before in range(36):
        text = "字" * before + "（“字”）" + "字" * (35 - before)
        lines = [line for each in cues(text, 5) for line in each.lines]
        assert len(lines) == 2
        assert not any(line[0] in "”）" or line[-1] in "（“" for line in lines), lines


def test_what_was_said_before_the_recording_began_is_left_out() -> None:
    document = replace(conference(), passages=(passage("A", 0, "One."), passage("B", 10, "Two, three, four.")))
    for read, write in ((read_vtt, vtt), (read_srt, srt)):
        assert [each.start for each in read(write(document))] == [0, 10_000]
        late = read(write(document, since=at(10.5)))
        assert [each.start for each in late] == [0]
        assert read(write(document, since=at(-60)))[0].start == 60_000


def test_what_overlaps_is_on_the_screen_together() -> None:
    found = {each.text: each for each in read_vtt(vtt(conference()))}
    asked, answered = found["Sorry,couldIasksomethingabouttravel?"], found["当然可以，请说。"]
    assert asked.speaker == "Ann Taylor"
    assert answered.speaker == "李娜"
    assert answered.start < asked.end


@pytest.mark.parametrize(("language", "name"), [("zh-hans", "王伟："), ("en", "王伟: ")])
def test_a_passage_of_subrip_begins_with_who_speaks(language: str, name: str) -> None:
    spoken = passage("王伟", 0, "好。", "开始。")
    found = read_srt(srt(replace(conference("en" if language == "en" else "zh-hans"), passages=(spoken,))))
    assert [each.lines for each in found] == [[f"{name}好。"], ["开始。"]]


def test_a_name_is_nothing_but_a_name() -> None:
    spoken = passage("<b>&\nX --> Y</v>", 0, "<c.red>{\\an8}&amp; 1 --> 2")
    document = replace(conference(), passages=(spoken,))
    assert read_vtt(vtt(document)) == [Cue(0, 1820, "<b>& X --> Y</v>", ["<c.red>{\\an8}&amp; 1 --> 2"])]
    assert read_srt(srt(document))[0].lines[0].startswith("＜b＞& X --＞ Y＜/v＞")


def test_hours_go_on_counting() -> None:
    late = passage("A", 0, "One.")
    moved = timedelta(hours=101, minutes=59, seconds=59.5)
    sentence = replace(late.sentences[0], starts_at=at(0) + moved, ends_at=at(1) + moved)
    document = replace(conference(), passages=(replace(late, sentences=(sentence,)),))
    assert b"101:59:59.500 --> 102:00:00.500" in vtt(document)
