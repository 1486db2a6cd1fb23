"""A conference of three people in two languages, and documents of any kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from apps.minutes.document import Attendee, Confidence, Document, Language, Passage, Sentence

BEGIN = datetime(2026, 11, 27, 6, 0, tzinfo=UTC)
"""14:00 in Shanghai."""

PLAY = "https://conference.example.com/c/0193/recording/?t="


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def passage(speaker: str, start: float, *texts: str, unsure: Sequence[Confidence] = (), **more: Any) -> Passage:
    """Sentences of a Chinese or an English speaker's pace, one after the other; `unsure`: how sure the first are."""
    sentences = []
    begin = start
    for number, text in enumerate(texts):
        end = begin + sum(0.25 if character >= "⺀" else 0.07 for character in text)
        confidence: Confidence = unsure[number] if number < len(unsure) else "good"
        sentences.append(Sentence(text, at(begin), at(end), f"{PLAY}{begin:.2f}-{end:.2f}", confidence))
        begin = end
    identity = UUID(int=0x0193_0000_0000_7000_8000_0000_0000_0000 + round(start * 100))
    return Passage(identity, speaker, at(start), at(begin), tuple(sentences), **more)


def conference(language: Language = "zh-hans") -> Document:
    """Two decisions, three tasks, doubt, overlap, and one passage that is not distributed."""
    wang, ann, li = "王伟", "Ann Taylor", "李娜"
    passages = (
        passage(wang, 3, "大家好，我们开始吧。", "今天主要讨论三个问题：预算、人员和下个季度的发布计划。"),
        passage(wang, 16, "先请李娜介绍一下预算的情况。"),
        passage(
            li,
            22,
            "好的。",
            "第三季度我们一共花了四百二十万元，比计划少百分之六，主要是因为两个岗位还没有招到人。",
            "差旅费用也比去年同期低了不少。",
        ),
        passage(ann, 47, "Sorry, could I ask something about travel?", overlaps=True),
        passage(li, 47.5, "当然可以，请说。", overlaps=True),
        passage(
            ann,
            52,
            "Does that include the visit to Shenzhen in September?",
            "I believe it was booked on the marketing budget, but I am not certain.",
            unsure=("good", "check"),
        ),
        passage(li, 66, "包括的，那次算在我们部门。", "具体数字我会后发给你。", unsure=("good", "low")),
        passage(wang, 75, "那么预算就按李娜的方案通过，第四季度总额不超过四百五十万元。", mark="decision"),
        passage(wang, 88, "接下来说人员。", "王芳下个月调到上海，她的位置需要尽快补上。"),
        passage(
            wang, 97, "李娜请在十二月五日之前把招聘需求写好。", mark="task", task_person=li, task_due=date(2026, 12, 5)
        ),
        passage(li, 108, "没问题。"),
        passage(
            ann,
            112,
            "On the release: the new version is ready for internal testing, and the two open defects are small.",
            "We could ship on the fifteenth of December if everybody agrees.",
            "Otherwise the next window is in January, after the holidays.",
        ),
        passage(wang, 131, "十五号可以，我没有意见。", unsure=("check",), overlaps=True),
        passage(li, 131.4, "我也同意。", overlaps=True),
        passage(ann, 135, "Then we ship version 2.4 on 15 December.", mark="decision"),
        passage(
            ann,
            140,
            "I will send the release notes to everybody by Friday.",
            mark="task",
            task_person=ann,
            task_due=date(2026, 12, 4),
        ),
        passage(wang, 147, "这个先不要写进纪要：价格还在谈。", hidden=True),
        passage(wang, 158, "客户那边的通知，还需要有人负责。", mark="task"),
        passage(wang, 166, "今天就到这里，谢谢大家。"),
    )
    notices = {
        "zh-hans": "14:01:10 至 14:01:25 之间录音暂停，没有文字。",
        "en": "From 14:01:10 to 14:01:25 nothing was recorded.",
    }
    return Document(
        conference=UUID("01930000-0000-7000-8000-000000000001"),
        title={"zh-hans": "第四季度预算与发布计划会议", "en": "Budget and release plan, fourth quarter"}[language],
        started_at=BEGIN,
        ended_at=at(3725),
        time_zone="Asia/Shanghai",
        language=language,
        agenda={
            "zh-hans": "一、第三季度预算执行情况\n二、人员安排\n三、2.4 版本发布计划",
            "en": "1. Spending in the third quarter\n2. Staff\n3. Release of version 2.4",
        }[language],
        attendees=(
            Attendee(wang, "chair", ((at(0), at(3725)),)),
            Attendee(li, "member", ((at(2), at(1440)), (at(1510), at(3725)))),
            Attendee(ann, "participant", ((at(40), at(3600)),)),
            Attendee("陈静", "participant"),
        ),
        passages=passages,
        version=3,
        signed_by=wang,
        signed_at=datetime(2026, 11, 27, 9, 30, tzinfo=UTC),
        digest="5b1f0c8e" * 8,
        notices=(notices[language],),
        summary={
            "zh-hans": "会议通过了第四季度预算（不超过四百五十万元），并确定 2.4 版本于十二月十五日发布。",
            "en": "The budget of the fourth quarter was approved, and version 2.4 will be released on 15 December.",
        }[language],
    )


#: What somebody might be called, or be heard to say, to do harm.
NASTY = (
    "[Klick](javascript:alert(1))",
    "<script>alert('&amp;')</script>",
    "<img src=x onerror=alert(1)> `code` **bold** __b__ ~~s~~ | cell | \\",
    "]]> & < > \" ' -->",
    "00:00:01.000 --> 00:00:02.000",
    "a\x00b\x08c\x0bd\x1be\ufffef\uffffg",
    "line\none\r\ntwo\u2028three\x85four",
    "\u202etxt.exe\u2066 \u200f",
    '=HYPERLINK("http://evil.example")',
    "https://evil.example/ www.evil.example <b>{\\an8}",
    "# heading",
    "1. list",
    "- list",
    "> quote",
    "{{minutes}}",
    "    code",
)

NAMES = ("王伟", "Ann Taylor", "李娜", *NASTY)

texts = st.sampled_from(NASTY) | st.text(max_size=40) | st.sampled_from(["好。", "Yes.", "我们开始吧，", "3 May "])
names = st.sampled_from(NAMES)
moments = st.builds(
    lambda microseconds, zone: at(microseconds / 1e6).astimezone(zone),
    st.integers(-10_000_000, 600_000_000),
    st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-3, minutes=-30))]),
)
CONFIDENCES: tuple[Confidence, ...] = ("good", "check", "low")
links = st.just("") | st.builds(lambda number: f"{PLAY}{number}", st.integers(0, 10**6))


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    begin, end = sorted((draw(moments), draw(moments)))
    confidence: Confidence = draw(st.sampled_from(CONFIDENCES))
    return Sentence(draw(texts), begin, min(end, begin + timedelta(seconds=30)), draw(links), confidence)


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    begin = draw(moments)
    return Passage(
        id=draw(st.uuids()),
        speaker=draw(names),
        starts_at=begin,
        ends_at=begin + timedelta(seconds=draw(st.integers(0, 30))),
        sentences=tuple(draw(st.lists(sentences(), max_size=3))),
        mark=draw(st.sampled_from(("", "", "decision", "task"))),
        task_person=draw(names),
        task_due=draw(st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1))),
        hidden=draw(st.booleans()),
        edited=draw(st.booleans()),
        overlaps=draw(st.booleans()),
    )


attendees = st.builds(
    Attendee,
    name=names,
    role=st.sampled_from(("chair", "member", "<b>")),
    stays=st.lists(st.tuples(moments, st.none() | moments), max_size=2).map(tuple),
)

documents = st.builds(
    Document,
    conference=st.uuids(),
    title=texts,
    started_at=st.just(BEGIN),
    time_zone=st.sampled_from(("Asia/Shanghai", "America/St_Johns")),
    language=st.sampled_from(("zh-hans", "en")),
    whisper=texts,
    ended_at=st.none() | moments,
    agenda=texts,
    attendees=st.lists(attendees, max_size=3).map(tuple),
    passages=st.lists(passages(), max_size=6).map(tuple),
    version=st.none() | st.integers(1, 9),
    signed_by=texts,
    signed_at=st.none() | moments,
    digest=st.just("") | st.just("0f" * 32),
    notices=st.lists(texts, max_size=2).map(tuple),
    summary=texts,
)
