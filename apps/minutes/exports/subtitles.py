"""Minutes as subtitles: WebVTT (w3.org/TR/webvtt1) with a voice for each speaker, and SubRip (SRT), which has none.

Both can be played with the recording; what overlaps is on the screen together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import translation
from django.utils.translation import gettext as _

from apps.minutes.document import Document, shown

from .cues import cues
from .words import line

_VTT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# SubRip cannot escape anything: look-alikes of what players take for markup, or for times.
_SRT: Final = str.maketrans({"<": "＜", ">": "＞", "{": "｛", "}": "｝"})


@dataclass(frozen=True, slots=True)
class _Cue:
    """`start` and `end` in milliseconds."""

    start: int
    end: int
    speaker: str
    lines: tuple[str, ...]


def vtt(document: Document, *, hidden: bool = False, since: datetime | None = None) -> bytes:
    """WebVTT. Times count from `since`, such as the beginning of a recording, else from that of the conference; what
    was over by then is left out.
    """
    blocks = ["WEBVTT"]
    for cue in _cues(document, hidden, since, named=False):
        text = "\n".join(each.translate(_VTT) for each in cue.lines)
        voice = f"<v {cue.speaker.translate(_VTT)}>" if cue.speaker else ""
        blocks.append(f"{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{voice}{text}")
    return ("\n\n".join(blocks) + "\n").encode()


def srt(document: Document, *, hidden: bool = False, since: datetime | None = None) -> bytes:
    """SubRip, as `vtt`; each passage begins with who speaks."""
    blocks = []
    for number, cue in enumerate(_cues(document, hidden, since, named=True), 1):
        text = "\n".join(each.translate(_SRT) for each in cue.lines)
        blocks.append(f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{text}\n")
    return "\n".join(blocks).encode()


def _cues(document: Document, hidden: bool, since: datetime | None, *, named: bool) -> list[_Cue]:
    """In the order in which they begin."""
    with translation.override(document.language):
        found = list(_unordered(document, hidden, since or document.started_at, named=named))
    return sorted(found, key=lambda cue: cue.start)


def _unordered(document: Document, hidden: bool, since: datetime, *, named: bool) -> Iterator[_Cue]:
    for passage in shown(document, hidden=hidden):
        speaker = line(passage.speaker)
        name = speaker if named else ""
        for sentence in passage.sentences:
            text = line(sentence.text)
            if name and text:
                text = _("%(speaker)s: %(text)s") % {"speaker": name, "text": text}
                name = ""
            offset = (sentence.starts_at - since).total_seconds()
            for cue in cues(text, (sentence.ends_at - sentence.starts_at).total_seconds()):
                start, end = round(1000 * (offset + cue.start)), round(1000 * (offset + cue.end))
                if end > 0:
                    yield _Cue(max(start, 0), max(end, start + 1), speaker, cue.lines)


def _time(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"
