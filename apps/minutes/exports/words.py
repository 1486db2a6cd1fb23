"""What all forms for reading share: a document's own words in its language, times in its zone, texts made safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from apps.core.text import without_control_characters
from apps.minutes.document import Attendee, Document, Paragraph, Passage, Sentence, gap


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence ready to be shown: what stands before it (a space or nothing), its text, its link or ""."""

    before: str
    text: str
    link: str
    sentence: Sentence


class Words:
    """Used within `translation.override(document.language)`."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._zone = ZoneInfo(document.time_zone)

    @property
    def title(self) -> str:
        return line(self.document.title)

    @property
    def kind(self) -> str:
        whisper = line(self.document.whisper)
        return _("Minutes of the whisper “%(title)s”") % {"title": whisper} if whisper else _("Minutes")

    def day(self, day: date) -> str:
        return format_date(day, pgettext("minutes, date", "j F Y"))

    def clock(self, time: datetime) -> str:
        return f"{time.astimezone(self._zone):%H:%M:%S}"

    def moment(self, time: datetime) -> str:
        return f"{self.day(time.astimezone(self._zone))} {self._minute(time)}"

    def span(self, begin: datetime, end: datetime | None) -> str:
        """From when to when, with the day where that is not the day of the conference's beginning."""
        if end is None:
            return _("from %(time)s on") % {"time": self._minute_of_day(begin)}
        return f"{self._minute_of_day(begin)}–{self._minute_of_day(end)}"

    def stays(self, attendee: Attendee) -> str:
        between = pgettext("minutes, between the items of a list", ", ")
        return between.join(self.span(*stay) for stay in attendee.stays) or _("absent")

    def role(self, attendee: Attendee) -> str:
        """The role's name; a role that is not known here, as it is."""
        roles = {
            "owner": pgettext("minutes, role", "Owner"),
            "manager": pgettext("minutes, role", "Manager"),
            "chair": pgettext("minutes, role", "Chair"),
            "member": pgettext("minutes, role", "Member"),
            "participant": pgettext("minutes, role", "Participant"),
            "guest": pgettext("minutes, role", "Guest"),
        }
        return roles.get(attendee.role) or line(attendee.role)

    def facts(self) -> list[tuple[str, str]]:
        """What stands above everything: when, how, who led it, and how final this is."""
        document = self.document
        between = pgettext("minutes, between the items of a list", ", ")
        chairs = between.join(line(each.name) for each in document.attendees if each.role == "chair")
        facts = [
            (_("Time"), self._when()),
            (_("Held as"), _("Telephone conference")),
            (pgettext("minutes, role", "Chair"), chairs),
            (_("Version"), "" if document.version is None else str(document.version)),
            (_("Status"), self._status()),
        ]
        return [(name, value) for name, value in facts if value]

    def mark(self, paragraph: Paragraph) -> str:
        return {"": "", "decision": _("Decision"), "task": _("Task")}[paragraph.passages[0].mark]

    def remarks(self, paragraph: Paragraph) -> list[str]:
        """What else is to be known of a paragraph."""
        remarks = []
        if any(passage.overlaps for passage in paragraph.passages):
            remarks.append(_("while others spoke"))
        if any(passage.hidden for passage in paragraph.passages):
            remarks.append(_("not distributed"))
        return remarks

    def task(self, passage: Passage) -> tuple[str, str]:
        """Who is to do it, and until when."""
        still = pgettext("minutes, of a task", "open")
        return line(passage.task_person) or still, self.day(passage.task_due) if passage.task_due else still

    def digest(self, digest: str) -> str:
        return _("Digest of the signed version: %(digest)s") % {"digest": digest}

    def _when(self) -> str:
        document = self.document
        local = document.started_at.astimezone(self._zone)
        weekday = format_date(local, pgettext("minutes, date with weekday", "l, j F Y"))
        offset = local.utcoffset() or timedelta()
        hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
        zone = f"UTC{'-' if offset < timedelta() else '+'}{hours}" + (f":{minutes:02}" if minutes else "")
        return f"{weekday} {self.span(document.started_at, document.ended_at)} ({zone})"

    def _status(self) -> str:
        document = self.document
        if document.signed_at is None:
            return _("Draft, not signed off")
        names = {"name": line(document.signed_by), "time": self.moment(document.signed_at)}
        return _("Signed off by %(name)s, %(time)s") % names

    def _minute(self, time: datetime) -> str:
        return f"{time.astimezone(self._zone):%H:%M}"

    def _minute_of_day(self, time: datetime) -> str:
        local = time.astimezone(self._zone)
        same = local.date() == self.document.started_at.astimezone(self._zone).date()
        return self._minute(time) if same else f"{self.day(local)} {self._minute(time)}"


def said(passages: Iterable[Passage]) -> Iterator[Said]:
    """What is said in these, sentence by sentence; one of which nothing can be shown is left out."""
    before = ""
    for passage in passages:
        for sentence in passage.sentences:
            if text := line(sentence.text):
                yield Said(gap(before, text), text, safe_link(sentence.link), sentence)
                before = text


def line(text: str) -> str:
    """On one line, without what is invisible and could deceive."""
    return without_control_characters(text).strip()


def lines(text: str) -> list[str]:
    """The lines of a text that are not empty."""
    return [each for each in map(str.strip, without_control_characters(text, multiline=True).split("\n")) if each]


def safe_link(link: str) -> str:
    """An address of the web, with everything percent-encoded that a format could take for its own; else ""."""
    if not link.startswith(("https://", "http://")):
        return ""
    try:
        host = urlsplit(link).hostname
    except ValueError:
        return ""
    return quote(link, safe="!#$%&'*+,-./:;=?@[]_~") if host else ""
