"""The forms in which minutes leave the system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from apps.minutes.document import Document

from . import as_json, docx, markdown, subtitles
from .as_json import Evidence


@dataclass(frozen=True, slots=True)
class Options:
    """`hidden`: also what is not distributed. `since`: when the times of subtitles begin, None for the beginning of the
    conference. `template`: a .docx to write into. `evidence`: what was signed along with the text, for JSON.
    """

    hidden: bool = False
    since: datetime | None = None
    template: Path | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """`write` raises `docx_template.TemplateError`, and nothing else of its own."""

    suffix: str
    media_type: str
    write: Callable[[Document, Options], bytes]


EXPORTS: Final = {
    each.suffix.removeprefix("."): each
    for each in (
        Export(
            ".docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            lambda document, options: docx.write(document, hidden=options.hidden, template=options.template),
        ),
        Export(
            ".md",
            "text/markdown; charset=utf-8",
            lambda document, options: markdown.write(document, hidden=options.hidden),
        ),
        Export(
            ".vtt",
            "text/vtt; charset=utf-8",
            lambda document, options: subtitles.vtt(document, hidden=options.hidden, since=options.since),
        ),
        Export(
            ".srt",
            "application/x-subrip; charset=utf-8",
            lambda document, options: subtitles.srt(document, hidden=options.hidden, since=options.since),
        ),
        Export(
            ".json",
            "application/json",
            lambda document, options: as_json.write(document, hidden=options.hidden, evidence=options.evidence),
        ),
    )
}
"""By name: the suffix without its dot."""
