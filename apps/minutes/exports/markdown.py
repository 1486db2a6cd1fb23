"""Minutes as Markdown: CommonMark with the tables of GitHub's (github.github.com/gfm, §4.10).

Every text of others is escaped, so that it is nothing but text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from apps.minutes.document import Document, Paragraph, Passage, decisions, paragraphs, tasks

from .words import Words, line, lines, said

_INLINE: Final = re.compile(r"[\\`*_\[\]|~$#]|(?<=w)\.|:(?=/)")
_AT_START: Final = re.compile(r"(\d*)([-+=.)])")
_UNSURE: Final = {"good": "", "check": " (?)", "low": " (??)"}


def write(document: Document, *, hidden: bool = False) -> bytes:
    with translation.override(document.language):
        return ("\n\n".join(_blocks(document, hidden)) + "\n").encode()


def _blocks(document: Document, hidden: bool) -> Iterator[str]:
    words = Words(document)
    yield f"# {escaped(words.title)}"
    yield f"**{escaped(words.kind)}**"
    yield _table(("", ""), ((escaped(name), escaped(value)) for name, value in words.facts()))
    yield from (f"> {escaped(line(notice))}" for notice in document.notices)
    if document.attendees:
        yield _heading(_("Attendance"))
        yield _table(
            (_("Name"), _("Role"), _("In the conference")),
            ((escaped(line(each.name)), escaped(words.role(each)), words.stays(each)) for each in document.attendees),
        )
    for heading, text in ((_("Agenda"), document.agenda), (_("Summary"), document.summary)):
        if texts := lines(text):
            yield _heading(heading)
            yield from map(escaped, texts)
    if decided := decisions(document, hidden=hidden):
        yield _heading(_("Decisions"))
        rows = ((_said([each]), escaped(line(each.speaker)), words.clock(each.starts_at)) for each in decided)
        yield _table((_("Decision"), _("Said by"), _("Time")), rows)
    if agreed := tasks(document, hidden=hidden):
        yield _heading(_("Tasks"))
        yield _table(
            (_("Task"), _("Who"), _("Due")), ((_said([each]), *map(escaped, words.task(each))) for each in agreed)
        )
    spoken = paragraphs(document, hidden=hidden)
    yield _heading(_("What was said"))
    if not spoken:
        yield _("Nothing that was said is recorded here.")
    if any(each.confidence != "good" for paragraph in spoken for each in paragraph.sentences):
        yield "*" + _("(?) recognised with some doubt, (??) probably wrong: listen before you rely on it.") + "*"
    for paragraph in spoken:
        yield _head(words, paragraph)
        yield _said(paragraph.passages)
    if document.digest:
        yield words.digest(f"`{line(document.digest)}`")


def _heading(text: str) -> str:
    return f"## {text}"


def _head(words: Words, paragraph: Paragraph) -> str:
    found = (words.clock(paragraph.starts_at), words.mark(paragraph), *words.remarks(paragraph))
    return f"**{escaped(line(paragraph.speaker))}** {' · '.join(filter(None, found))}"


def _said(passages: Sequence[Passage]) -> str:
    whole = ""
    for each in said(passages):
        text = escaped(each.text, start=not whole and not each.link)
        shown = f"[{text}]({each.link.replace('&', '&amp;')})" if each.link else text
        whole += each.before + shown + _UNSURE[each.sentence.confidence]
    return whole


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def escaped(text: str, *, start: bool = True) -> str:
    """A line as Markdown that shows just that; `start`: a line of the file begins with it."""
    text = _INLINE.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    found = _AT_START.match(text) if start else None
    return f"{found[1]}\\{text[found.end() - 1 :]}" if found else text
