"""Single ranges of bytes (RFC 9110 §14)."""

from __future__ import annotations

import re

from apps.recordings.errors import RangeNotSatisfiable

_RANGE = re.compile(r"([0-9]*)-([0-9]*)")
_MOST_DIGITS = 18


def asked_range(header: str | None, length: int) -> tuple[int, int] | None:
    """First byte, and the one after the last, of what a `Range` asks of so many bytes. None where the whole is the
    answer: without the header, for another unit, for what is no range, and for several ranges, which a server may
    answer so. Raises RangeNotSatisfiable.
    """
    unit, _, ranges = (header or "").partition("=")
    found = [each for part in ranges.split(",") if (each := part.strip(" \t"))]
    if unit.lower() != "bytes" or len(found) != 1:
        return None
    match = _RANGE.fullmatch(found[0])
    if match is None or match[0] == "-" or max(map(len, match.groups())) > _MOST_DIGITS:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is None:
        first, last = max(0, length - (last or 0)), None
    if last is not None and last < first:
        return None
    if first >= length:
        raise RangeNotSatisfiable(length)
    return first, length if last is None else min(last + 1, length)
