"""Whether signed minutes are what was signed: of themselves, and against files, log and database. It tells in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.core.errors import Problem
from apps.core.models import AuditEntry
from apps.recordings.errors import OUT_OF_REACH
from apps.recordings.models import Track

from .chain import is_erased, verify_export
from .evidence import control_of, digest_of, hashes
from .models import SignedVersion
from .services.signing import SIGNED


@dataclass(slots=True)
class Findings:
    """`wrong`: what does not fit. `unknown`: what could not be looked at. `notes`: what has its reasons."""

    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify_version(version: SignedVersion) -> Findings:
    found = Findings()
    verdict = verify_export(json.dumps(version.document).encode(), version.digest)
    if not verdict.ok:
        found.wrong.append(verdict.reason)
    if verdict.erased:
        found.notes.append(f"{verdict.erased} passages were erased since.")
    _against_log(version, found)
    facts = version.document.get("signed")
    if isinstance(facts, dict):
        _against_control(version, facts, found)
        for track in facts.get("tracks", []):
            _against_file(track, found)
    return found


def verify_file(data: bytes) -> tuple[Findings, SignedVersion | None]:
    """An exported file, and the version here that it is one of, if there is one."""
    found = Findings()
    verdict = verify_export(data)
    if not verdict.ok:
        found.wrong.append(verdict.reason)
        return found, None
    if verdict.withheld:
        found.notes.append(f"{verdict.withheld} passages are not distributed; there are hashes in their place.")
    version = SignedVersion.objects.filter(digest=verdict.digest).select_related("minutes__conference").first()
    if version is not None:
        there = sum(map(is_erased, version.document["passages"]))
        # Those of a file that was exported before are still in it.
        if verdict.erased > there:
            found.wrong.append(f"{verdict.erased} passages are said to be erased, {there} were.")
        elif there:
            found.notes.append(f"{there} passages were erased here since, {verdict.erased} of them in this file.")
    elif verdict.erased:
        found.unknown.append(f"{verdict.erased} passages are said to be erased; only its own system knows.")
    return found, version


def _against_log(version: SignedVersion, found: Findings) -> None:
    """The log cannot be changed, so a version that was written anew does not fit it."""
    entries = AuditEntry.objects.filter(object_type="minutes", object_id=str(version.minutes_id), action=SIGNED)
    told = [each.detail.get("digest") for each in entries if each.detail.get("version") == version.number]
    if told != [version.digest]:
        found.wrong.append("The log tells of another digest: this version is not the one that was signed.")


def _against_control(version: SignedVersion, facts: Mapping[str, Any], found: Findings) -> None:
    """Each entry that was signed is still there, in its order; what came later does not matter."""
    there = iter(hashes(control_of(version.minutes)))
    gone = [number for number, entry in enumerate(facts.get("control", []), 1) if entry not in there]
    if gone:
        found.wrong.append(f"The log of the conference does not have control entry {gone[0]} any more as it was.")


def _against_file(signed: Mapping[str, Any], found: Findings) -> None:
    key, name = signed.get("id"), signed.get("speaker") or signed.get("kind")
    what = f"Track {key} ({name})"
    track = Track.objects.filter(pk=UUID(str(key))).select_related("node").first()
    if track is None:
        found.wrong.append(f"{what} is not there any more.")
        return
    try:
        now = digest_of(track)
    except OUT_OF_REACH as problem:
        found.unknown.append(f"{what} cannot be read now: {problem.code}.")
        return
    except Problem as problem:
        found.wrong.append(f"{what} cannot be read: {problem.code}.")
        return
    if now == signed.get("sha256"):
        return
    if track.state == Track.State.ERASED:
        found.notes.append(f"{what} was erased since.")
    else:
        found.wrong.append(f"{what} is not the file that was signed.")


def versions(conference: UUID | None) -> Iterator[SignedVersion]:
    rows = SignedVersion.objects.select_related("minutes__conference", "minutes__whisper")
    if conference is not None:
        rows = rows.filter(minutes__conference=conference)
    yield from rows.order_by("signed_at", "pk").iterator(chunk_size=50)
