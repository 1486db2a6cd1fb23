"""What a number is: its kind and its one way of being written. Standard library and phonenumbers only.

Sources: ITU-T E.164; phonenumbers' metadata for the region; extensions are 2 to 10 digits of our own.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers


class NumberKind(enum.StrEnum):
    EXTENSION = "extension"
    MOBILE = "mobile"
    LANDLINE = "landline"

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        return [(kind.value, kind.value) for kind in cls]


class InvalidNumber(ValueError):  # noqa: N818 - it says what is wrong, which is no programming error
    """`code` is stable: empty, characters, extension, not_a_number."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Number:
    """`value` is 2 to 10 digits for an extension, E.164 (`+8613800138000`) for the rest."""

    kind: NumberKind
    value: str


_WRITTEN = re.compile(r"[0-9+()\-. \u00a0\uff0b\uff08\uff09\uff0d]{1,40}\Z")
_EXTENSION = re.compile(r"[0-9]{2,10}\Z")
_LOOSE = str.maketrans("０１２３４５６７８９＋（）－．　", "0123456789+()-. ")


@lru_cache(maxsize=10_000)  # the same people are called again and again, hundreds at a time
def parse_number(written: str, kind: NumberKind | None = None, region: str = "CN") -> Number:
    """Read a number as a person wrote it; `region` is for those without a country code.

    Without `kind`, what is a valid public number is one, and other runs of 2 to 7 digits are extensions. Full-width
    digits and signs are read as plain ones. Raises InvalidNumber.
    """
    text = written.translate(_LOOSE).strip()
    if not text:
        raise InvalidNumber("empty")
    if not _WRITTEN.match(text):
        raise InvalidNumber("characters")
    digits = re.sub(r"[^0-9+]", "", text)
    if kind is NumberKind.EXTENSION or (kind is None and re.fullmatch(r"[0-9]{2,7}", digits)):
        if not _EXTENSION.match(digits):
            raise InvalidNumber("extension")
        return Number(NumberKind.EXTENSION, digits)
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber("not_a_number") from error
    its_type = phonenumbers.number_type(parsed)
    if its_type == phonenumbers.PhoneNumberType.UNKNOWN:  # of all that no plan of numbers knows
        raise InvalidNumber("not_a_number")
    mobile = its_type == phonenumbers.PhoneNumberType.MOBILE
    value = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Number(NumberKind.MOBILE if mobile else NumberKind.LANDLINE, value)


def called(number: str) -> str:
    """What somebody dialled, or who a network says is calling, in the one way of being written; as it is where it is no
    number.
    """
    written = f"+{number[2:]}" if number.startswith("00") else number
    try:
        return parse_number(written).value
    except InvalidNumber:
        return number


def masked(number: str) -> str:
    """Enough of a number to recognise it by: `138****8000`; of an internal one all."""
    digits = number.removeprefix("+86")
    return digits if len(digits) < 8 else f"{digits[:-8]}****{digits[-4:]}"
