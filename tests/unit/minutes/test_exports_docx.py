"""The Word document opens, says what was said, and leads to the audio."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from django.utils import translation
from docx.document import Document as Docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.hyperlink import Hyperlink
from docx.text.paragraph import Paragraph
from hypothesis import given, settings

from apps.minutes.document import Document, paragraphs
from apps.minutes.exports.docx import write
from apps.minutes.exports.docx_template import LARGEST, LARGEST_UNPACKED, TemplateError
from apps.minutes.exports.words import line, said
from tests.unit.minutes.samples import NASTY, conference, documents


def opened(data: bytes) -> Docx:
    return docx.Document(BytesIO(data))


def spoken(file: Docx) -> list[Paragraph]:
    return [each for each in file.paragraphs if named(each) in ("Minutes Text", "Minutes Marked")]


def named(paragraph: Paragraph) -> str:
    assert paragraph.style is not None
    return str(paragraph.style.name)


def sentences(file: Docx, paragraph: Paragraph) -> Iterator[tuple[str, str]]:
    """Each run of a paragraph with where it leads to."""
    for each in paragraph.iter_inner_content():
        if each.text.strip():
            yield each.text, each.address if isinstance(each, Hyperlink) else ""


@settings(max_examples=40)
@given(documents)
def test_every_sentence_is_there_once_in_order_with_its_link(document: Document) -> None:
    file = opened(write(document))
    wanted = paragraphs(document)
    found = spoken(file)
    assert len(found) == len(wanted)
    for paragraph, each in zip(found, wanted, strict=True):
        assert list(sentences(file, paragraph)) == [(one.text, one.link) for one in said(each.passages)]


@settings(max_examples=20)
@given(documents)
def test_all_of_it_is_xml_and_leads_to_nothing_else(document: Document) -> None:
    data = write(document, hidden=True)
    links = {each.link for paragraph in paragraphs(document, hidden=True) for each in said(paragraph.passages)}
    with zipfile.ZipFile(BytesIO(data)) as packed:
        for name in packed.namelist():
            if name.endswith((".xml", ".rels")):
                ET.fromstring(packed.read(name))
    relations = opened(data).part.rels.values()
    assert {each.target_ref for each in relations if each.is_external} == links - {""}
    assert all(each.reltype.endswith("/hyperlink") for each in relations if each.is_external)


def text_of(file: Docx) -> str:
    return "\n".join(each.text or "" for each in file.element.body.iter(qn("w:t")))


@pytest.mark.parametrize("text", NASTY)
def test_a_text_is_nothing_but_text_wherever_it_stands(text: str) -> None:
    document = conference()
    harmful = replace(
        document,
        title=text,
        whisper=text,
        agenda=text,
        summary=text,
        notices=(text,),
        signed_by=text,
        attendees=(replace(document.attendees[0], name=text, role=text),),
        passages=(replace(document.passages[9], speaker=text, task_person=text),),
    )
    file = opened(write(harmful))
    assert file.paragraphs[0].text == line(text)
    assert [cell.text for cell in file.tables[1].rows[1].cells][:2] == [line(text), line(text)]
    assert file.tables[2].rows[1].cells[2].text == line(text)
    assert file.core_properties.title == line(text)


def test_decisions_and_tasks_are_tables() -> None:
    file = opened(write(conference()))
    _facts, people, decided, agreed = ([[cell.text for cell in row.cells] for row in each.rows] for each in file.tables)
    assert people[0] == ["姓名", "角色", "在会时间"]
    assert people[2] == ["李娜", "成员", "14:00–14:24、14:25–15:02"]
    assert people[4] == ["陈静", "参会人", "未到会"]
    assert decided[1] == ["1", "那么预算就按李娜的方案通过，第四季度总额不超过四百五十万元。", "王伟", "14:01:15"]
    assert [row[2:] for row in agreed[1:]] == [
        ["李娜", "2026年12月5日"],
        ["Ann Taylor", "2026年12月4日"],
        ["待定", "待定"],
    ]


def test_its_words_are_of_its_language() -> None:
    chinese, english = text_of(opened(write(conference()))), text_of(opened(write(conference("en"))))
    for word, other in {
        "会议纪要": "Minutes",
        "发言记录": "What was said",
        "与他人同时发言": "while others spoke",
    }.items():
        assert word in chinese
        assert word not in english
        assert other in english
        assert other not in chinese


def footer(file: Docx) -> str:
    return "".join(each.text or "" for each in file.sections[0].footer._element.iter(qn("w:t")))


def test_pages_are_a4_with_title_and_numbers() -> None:
    file = opened(write(conference("en")))
    section = file.sections[0]
    assert section.page_width is not None
    assert section.page_height is not None
    assert (round(section.page_width.cm, 1), round(section.page_height.cm, 1)) == (21.0, 29.7)
    assert section.header.paragraphs[0].text == "Budget and release plan, fourth quarter · Minutes"
    assert footer(file).split() == ["Page", "1", "of", "1"]
    fields = [each.get(qn("w:instr")) for each in section.footer._element.iter(qn("w:fldSimple"))]
    assert fields == ["PAGE", "NUMPAGES"]
    assert "第" in footer(opened(write(conference())))


def styles_used(file: Docx) -> set[str]:
    return {each.get(qn("w:val")) for each in file.element.body.iter(qn("w:rStyle"))}


def test_doubt_is_marked_and_explained_where_there_is_any() -> None:
    document = conference("en")
    file = opened(write(document))
    doubtful = [each.text for each in file.element.body.iter(qn("w:t")) if each.getparent().xpath("w:rPr/w:rStyle")]
    assert "probably wrong" in doubtful
    low = file.element.body.xpath('//w:r[w:rPr/w:rStyle/@w:val="MinutesLow"]/w:t')
    assert [each.text for each in low] == ["probably wrong", "具体数字我会后发给你。"]
    sure = opened(write(replace(document, passages=document.passages[:4])))
    assert not {"MinutesLow", "MinutesCheck"} & styles_used(sure)
    assert "Listen before" not in text_of(sure)


def test_chinese_has_its_fonts() -> None:
    with zipfile.ZipFile(BytesIO(write(conference()))) as packed:
        styles, fonts = packed.read("word/styles.xml").decode(), packed.read("word/fontTable.xml").decode()
    assert 'w:eastAsia="SimSun"' in styles
    assert 'w:eastAsia="SimHei"' in styles
    assert '<w:altName w:val="宋体"/>' in fonts


def test_nothing_of_the_library_is_left_in_it() -> None:
    with zipfile.ZipFile(BytesIO(write(conference()))) as packed:
        assert not any("thumbnail" in name or "customXml" in name for name in packed.namelist())
        assert b"python-docx" not in packed.read("docProps/core.xml")


def test_what_is_hidden_is_left_out() -> None:
    assert "价格还在谈" not in text_of(opened(write(conference())))
    shown = opened(write(conference(), hidden=True))
    assert "价格还在谈" in text_of(shown)
    assert "不分发" in text_of(shown)


def test_long_titles_and_names_are_no_hindrance() -> None:
    document = replace(conference(), title="长" * 300, signed_by="名" * 300)
    assert opened(write(document)).paragraphs[0].text == "长" * 300


def test_minutes_of_nothing_say_so() -> None:
    file = opened(write(replace(conference("en"), passages=())))
    assert "Nothing that was said is recorded here." in text_of(file)
    assert "Decisions" not in text_of(file)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """As an organisation has it: a letterhead, its own heading, A5."""
    file = docx.Document()
    file.sections[0].page_width = Cm(14.8)
    file.sections[0].header.paragraphs[0].text = "Sparkle GmbH"
    heading = file.styles["Heading 1"]
    heading.element.set(qn("w:styleId"), "1")
    text = file.styles.add_style("Minutes Text", WD_STYLE_TYPE.PARAGRAPH)
    text.font.size = Pt(7)
    text.element.set(qn("w:styleId"), "2")
    file.add_paragraph("Before")
    file.add_paragraph("{{minutes}}")
    file.add_paragraph("After")
    path = tmp_path / "template.docx"
    file.save(str(path))
    return path


def test_a_template_gives_pages_header_styles_and_place(template: Path) -> None:
    file = opened(write(conference(), template=template))
    texts = [each.text for each in file.paragraphs]
    assert (texts[0], texts[1], texts[-1]) == ("Before", "第四季度预算与发布计划会议", "After")
    assert "{{minutes}}" not in texts
    assert file.sections[0].header.paragraphs[0].text == "Sparkle GmbH"
    assert footer(file) == ""
    width = file.sections[0].page_width
    assert width is not None
    assert round(width.cm, 1) == 14.8
    heading = next(each for each in file.paragraphs if each.text == "发言记录")
    assert heading.style is not None
    assert heading.style.style_id == "1"
    text = spoken(file)[0].style
    assert text is not None
    assert text.font.size == Pt(7)
    assert file.styles["Minutes Marked"].base_style == file.styles["Minutes Text"]


def test_without_the_mark_the_minutes_come_at_the_end(template: Path) -> None:
    file = docx.Document(str(template))
    mark = next(each for each in file.paragraphs if each.text == "{{minutes}}")
    mark.text = "Middle"
    file.save(str(template))
    found = opened(write(conference(), template=template))
    assert [each.text for each in found.paragraphs][:4] == ["Before", "Middle", "After", "第四季度预算与发布计划会议"]
    assert found.element.body[-1].tag == qn("w:sectPr")


def repacked(path: Path, **changed: bytes) -> None:
    """The same package with other contents of some parts."""
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()} | changed
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)


def with_macros(path: Path) -> None:
    repacked(path, **{"word/vbaProject.bin": b""})


def macro_enabled(path: Path) -> None:
    with zipfile.ZipFile(path) as packed:
        types = packed.read("[Content_Types].xml")
    old = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    repacked(
        path, **{"[Content_Types].xml": types.replace(old, b"application/vnd.ms-word.document.macroEnabled.main+xml")}
    )


def packed_too_well(path: Path) -> None:
    repacked(path, **{"word/big.bin": bytes(LARGEST_UNPACKED * 1_000_000)})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(b"{\\rtf1}"), "no Word document"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "no Word document"),
        (lambda path: path.write_bytes(b"PK" + bytes(LARGEST * 1_000_000)), "larger than 10 MB"),
        (lambda path: repacked(path, **{"word/document.xml": b"<x"}), "no Word document"),
        (lambda path: repacked(path, **{"[Content_Types].xml": b""}), "no Word document"),
        (with_macros, "macros"),
        (macro_enabled, "macros"),
        (packed_too_well, "larger than 100 MB"),
    ],
)
def test_a_bad_template_is_refused_in_words(template: Path, spoil: Any, words: str) -> None:
    spoil(template)
    with translation.override("en"), pytest.raises(TemplateError) as refused:
        write(conference(), template=template)
    assert words in str(refused.value)


def test_a_workbook_is_no_template(template: Path) -> None:
    with zipfile.ZipFile(template) as packed:
        types = packed.read("[Content_Types].xml")
    workbook = types.replace(b"wordprocessingml.document.main", b"spreadsheetml.sheet.main")
    repacked(template, **{"[Content_Types].xml": workbook})
    with translation.override("zh-hans"), pytest.raises(TemplateError, match="模板不是 Word 文档"):
        write(conference("en"), template=template)
