"""Minutes as a Word document that an office would send: every sentence leads to its audio.

The look is that of the styles (`styles.xml`); an organisation's template brings its own, with its header, its footer
and its pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _
from docx.document import Document as Docx
from docx.oxml.ns import qn

from apps.minutes.document import Document, Paragraph, Passage, decisions, paragraphs, tasks

from .docx_template import blank, opened, style_ids
from .docx_xml import Element, Writer
from .words import Words, line, lines, said

MARK: Final = "{{minutes}}"
"""The paragraph of a template in whose place the minutes come; without it they come at the end."""

_PROPERTY: Final = 255
"""The most characters that the library takes for a property of the file."""
_RESULTS: Final = (5, 36, 14, 14)
_STYLES: Final = {"good": "Minutes Link", "check": "Minutes Check", "low": "Minutes Low"}


def write(document: Document, *, hidden: bool = False, template: Path | None = None) -> bytes:
    """`template`: a .docx to write into. `docx_template.TemplateError`: it cannot be used."""
    file = opened(template) if template else blank()
    with translation.override(document.language):
        minutes = _Minutes(document, Writer(style_ids(file), file.part.rels), hidden)
        _put(file, list(minutes.blocks()))
        if not template:
            minutes.frame(file)
        _describe(file, document)
        whole = BytesIO()
        file.save(whole)
    return whole.getvalue()


def _put(file: Docx, blocks: Sequence[Element]) -> None:
    body = file.element.body
    mark = next((each._p for each in file.paragraphs if each.text.strip() == MARK), None)
    if mark is None:
        place = next(body.iterchildren(qn("w:sectPr")), None)
        place = len(body) if place is None else body.index(place)
    else:
        place = body.index(mark)
        body.remove(mark)
    body[place:place] = blocks


def _describe(file: Docx, document: Document) -> None:
    properties = file.core_properties
    properties.title = line(document.title)[:_PROPERTY]
    properties.author = properties.last_modified_by = line(document.signed_by)[:_PROPERTY]
    properties.comments = properties.keywords = properties.subject = ""
    made = (document.signed_at or document.ended_at or document.started_at).astimezone(UTC)
    properties.created = properties.modified = made.replace(tzinfo=None)
    properties.revision = document.version or 1


class _Minutes:
    def __init__(self, document: Document, writer: Writer, hidden: bool) -> None:
        self._document = document
        self._hidden = hidden
        self._words = Words(document)
        self._paragraphs = paragraphs(document, hidden=hidden)
        self._run, self._paragraph, self._table = writer.run, writer.paragraph, writer.table
        self._writer = writer

    def blocks(self) -> Iterator[Element]:
        document, words = self._document, self._words
        yield self._paragraph("Title", words.title)
        yield self._paragraph("Subtitle", words.kind)
        facts = ((self._label(name), self._cell(value)) for name, value in words.facts())
        yield self._table((1, 4), (), facts)
        yield from (self._paragraph("Minutes Note", line(notice)) for notice in document.notices)
        yield from self._attendance()
        for heading, text in ((_("Agenda"), document.agenda), (_("Summary"), document.summary)):
            if texts := lines(text):
                yield self._paragraph("Heading 1", heading)
                yield from (self._paragraph("Normal", each) for each in texts)
        yield from self._results()
        yield self._paragraph("Heading 1", _("What was said"))
        yield from self._legend()
        for paragraph in self._paragraphs:
            yield self._head(paragraph)
            marked = paragraph.passages[0].mark
            yield self._paragraph("Minutes Marked" if marked else "Minutes Text", *self._said(paragraph.passages))
        if document.digest:
            yield self._paragraph("Minutes Note", words.digest(line(document.digest)))

    def frame(self, file: Docx) -> None:
        """The title above each page but the first, numbers below."""
        section = file.sections[0]
        numbers = _("Page %(page)s of %(pages)s") % {"page": "\x01", "pages": "\x02"}
        _replace(section.header, self._paragraph("Header", f"{self._words.title} · {self._words.kind}"))
        _replace(section.first_page_header, self._paragraph("Normal"))
        for footer in (section.footer, section.first_page_footer):
            _replace(footer, self._writer.page_of_pages("Footer", numbers))

    def _attendance(self) -> Iterator[Element]:
        if people := self._document.attendees:
            yield self._paragraph("Heading 1", _("Attendance"))
            rows = (
                map(self._cell, (line(each.name), self._words.role(each), self._words.stays(each))) for each in people
            )
            yield self._table((3, 2, 5), (_("Name"), _("Role"), _("In the conference")), (list(row) for row in rows))

    def _results(self) -> Iterator[Element]:
        if decided := decisions(self._document, hidden=self._hidden):
            yield self._paragraph("Heading 1", _("Decisions"))
            rows = (
                [
                    self._cell(str(number)),
                    self._words_of(each),
                    *map(self._cell, (line(each.speaker), self._clock(each))),
                ]
                for number, each in enumerate(decided, 1)
            )
            yield self._table(_RESULTS, (_("No."), _("Decision"), _("Said by"), _("Time")), rows)
        if agreed := tasks(self._document, hidden=self._hidden):
            yield self._paragraph("Heading 1", _("Tasks"))
            rows = (
                [self._cell(str(number)), self._words_of(each), *map(self._cell, self._words.task(each))]
                for number, each in enumerate(agreed, 1)
            )
            yield self._table(_RESULTS, (_("No."), _("Task"), _("Who"), _("Due")), rows)

    def _legend(self) -> Iterator[Element]:
        sentences = [each for paragraph in self._paragraphs for each in said(paragraph.passages)]
        if not sentences:
            yield self._paragraph("Minutes Note", _("Nothing that was said is recorded here."))
        if any(each.link for each in sentences):
            yield self._paragraph("Minutes Note", _("Click on a sentence to hear it."))
        found = {each.sentence.confidence for each in sentences}
        names = {"check": _("recognised with some doubt"), "low": _("probably wrong")}
        samples = [self._run(name, _STYLES[key]) for key, name in names.items() if key in found]
        if samples:
            between = [each for sample in samples for each in (self._run("  "), sample)]
            yield self._paragraph("Minutes Note", _("Listen before you rely on it:"), *between)

    def _head(self, paragraph: Paragraph) -> Element:
        found = [
            (line(paragraph.speaker), "Minutes Name"),
            (self._words.clock(paragraph.starts_at), "Minutes Time"),
            (self._words.mark(paragraph), "Minutes Tag"),
            *((remark, "Minutes Time") for remark in self._words.remarks(paragraph)),
        ]
        runs = [self._run(f"{text}  ", style) for text, style in found if text]
        return self._paragraph("Minutes Speaker", *runs)

    def _said(self, passages: Sequence[Passage]) -> Iterator[Element]:
        for each in said(passages):
            if each.before:
                yield self._run(each.before)
            run = self._run(each.text, _STYLES[each.sentence.confidence])
            tip = self._words.clock(each.sentence.starts_at)
            yield self._writer.link(each.link, tip, run) if each.link else run

    def _words_of(self, passage: Passage) -> Element:
        return self._paragraph("Minutes Cell", *self._said([passage]))

    def _clock(self, passage: Passage) -> str:
        return self._words.clock(passage.starts_at)

    def _cell(self, text: str) -> Element:
        return self._paragraph("Minutes Cell", text)

    def _label(self, text: str) -> Element:
        return self._paragraph("Minutes Label", text)


def _replace(part: Any, paragraph: Element) -> None:
    """Let a header or a footer hold just this."""
    part.is_linked_to_previous = False
    part._element[:] = [paragraph]
