"""Minutes as JSON, everything in it: the one form that can be read back, and verified once it is signed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from apps.core.text import BIDI
from apps.minutes.chain import Control, Track, is_erased, plain, signed, withheld
from apps.minutes.document import Document, shown

FORMAT: Final = "sparkle-minutes/1"
"""Goes up when a reader of the old one would misread what is written."""

_ESCAPED: Final = {ord(each): f"\\u{ord(each):04x}" for each in BIDI}


class ExportError(ValueError):
    """This is not what `write` makes. The text says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was signed along with the text."""

    tracks: tuple[Track, ...] = ()
    control: tuple[Control, ...] = ()


def write(document: Document, *, hidden: bool = False, evidence: Evidence | None = None) -> bytes:
    """The document; with `evidence` it can be verified (`chain.verify_export`), and hashes stand for hidden passages.

    Passages in the order in which they began, times in UTC. UTF-8, indented by two.
    """
    whole = _whole(document)
    passages = whole["passages"]
    if evidence is not None:
        whole["signed"] = signed(whole, evidence.tracks, evidence.control)
        if not hidden:
            whole["passages"] = [withheld(each) if each["hidden"] else each for each in passages]
    elif not hidden:
        whole["passages"] = [each for each in passages if not each["hidden"]]
    return _written(whole)


def distributed(kept: Mapping[str, Any]) -> bytes:
    """A signed document that was kept, as `write` would write it, with hashes in place of hidden passages."""
    passages = [withheld(each) if each.get("hidden") else each for each in kept["passages"]]
    order = [*Document.__dataclass_fields__, "signed"]
    whole = {name: kept[name] for name in ("format", *order) if name in kept}
    return _written(whole | {"passages": passages})


def _written(whole: Mapping[str, Any]) -> bytes:
    # Outside of strings JSON has none of these; within them they could make a file look like another one.
    return (json.dumps(whole, ensure_ascii=False, indent=2).translate(_ESCAPED) + "\n").encode()


def digest(document: Document, evidence: Evidence) -> str:
    """The end of the hash chain: what a version's `digest` has to be. The document's own does not count."""
    found: str = signed(_whole(document), evidence.tracks, evidence.control)["chain"][-1]
    return found


def read(data: bytes) -> Document:
    """What was written, without what was left out. ExportError: it is something else."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ExportError(f"This is no JSON: {error}") from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise ExportError(f'"format" has to be "{FORMAT}"')
    passages = whole.get("passages")
    if isinstance(passages, list):
        whole["passages"] = [each for each in passages if not (_withheld(each) or is_erased(each))]
    try:
        document = msgspec.convert(whole, Document)
    except msgspec.ValidationError as error:
        raise ExportError(str(error)) from None
    if any(time.tzinfo is None for time in _times(document)):
        raise ExportError("Each time needs its offset from UTC, such as Z")
    return document


def _withheld(passage: Any) -> bool:
    return isinstance(passage, dict) and set(passage) == {"withheld"}


def _whole(document: Document) -> dict[str, Any]:
    whole = replace(document, passages=tuple(shown(document, hidden=True)))
    return {"format": FORMAT, **plain(asdict(whole))}


def _times(document: Document) -> Iterator[datetime]:
    times: Iterable[datetime | None] = (
        document.started_at,
        document.ended_at,
        document.signed_at,
        *(time for attendee in document.attendees for stay in attendee.stays for time in stay),
        *(time for passage in document.passages for time in (passage.starts_at, passage.ends_at)),
        *(
            time
            for passage in document.passages
            for said in passage.sentences
            for time in (said.starts_at, said.ends_at)
        ),
    )
    return (time for time in times if time is not None)
