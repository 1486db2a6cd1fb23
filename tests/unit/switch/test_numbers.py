"""What people write as a number, and what is read."""

from __future__ import annotations

import re
from contextlib import suppress

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.switch.numbers import InvalidNumber, Number, NumberKind, parse_number

MOBILE = Number(NumberKind.MOBILE, "+8613800138000")
LANDLINE = Number(NumberKind.LANDLINE, "+861065551234")
FULL_WIDTH = str.maketrans("0123456789+()-. ", "０１２３４５６７８９＋（）－．　")


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "86 138 0013 8000",
        "8613800138000",
        "+86 138 0013 8000",
        "008613800138000",
        "１３８００１３８０００",
        "＋８６　１３８－００１３－８０００",
        "(+86)13800138000",
        "138\u00a00013\u00a08000",
        "  13800138000\n",
    ],
)
def test_a_mobile_is_read_however_it_is_written(written: str) -> None:
    assert parse_number(written) == MOBILE


@pytest.mark.parametrize(
    "written", ["010-65551234", "01065551234", "(010) 6555 1234", "（０１０）６５５５－１２３４", "+86 10 6555 1234"]
)
def test_a_landline_is_read_with_its_area_code(written: str) -> None:
    assert parse_number(written) == LANDLINE


@pytest.mark.parametrize("written", ["8001", "８００１", "80-01", " 8001 ", "110", "10086", "95588", "1234567"])
def test_short_runs_of_digits_are_extensions(written: str) -> None:
    """Also 110 and 10086: an internal number wins, and a public short code cannot be called in a conference."""
    digits = re.sub("[^0-9]", "", written.replace("８００１", "8001"))
    assert parse_number(written) == Number(NumberKind.EXTENSION, digits)


@pytest.mark.parametrize("written", ["110", "10086", "+86110", "+8610086"])
@pytest.mark.parametrize("kind", [NumberKind.MOBILE, NumberKind.LANDLINE])
def test_a_short_code_is_no_mobile_and_no_landline(written: str, kind: NumberKind) -> None:
    with pytest.raises(InvalidNumber, match="not_a_number"):
        parse_number(written, kind)


def test_a_number_of_another_country_and_another_region() -> None:
    assert parse_number("+1 650-253-0000").value == "+16502530000"
    assert parse_number("020 7946 0958", region="GB") == Number(NumberKind.LANDLINE, "+442079460958")


def test_the_kind_decides_where_the_digits_could_be_either() -> None:
    assert parse_number("4008001234") == Number(NumberKind.LANDLINE, "+864008001234")
    assert parse_number("4008001234", NumberKind.EXTENSION) == Number(NumberKind.EXTENSION, "4008001234")


@pytest.mark.parametrize(
    ("written", "kind", "code"),
    [
        ("", None, "empty"),
        (" \u3000\t", None, "empty"),
        ("8001,8002", None, "characters"),
        ("8001 转 12", None, "characters"),
        ("8001\n8002", None, "characters"),
        ("1" * 41, None, "characters"),
        ("1", NumberKind.EXTENSION, "extension"),
        ("12345678901", NumberKind.EXTENSION, "extension"),
        ("+8001", NumberKind.EXTENSION, "extension"),
        ("1", None, "not_a_number"),
        ("--", None, "not_a_number"),
        ("+", None, "not_a_number"),
        ("65551234", None, "not_a_number"),  # a landline without its area code
        ("1380013800", None, "not_a_number"),
        ("138001380000", None, "not_a_number"),
        ("138+00138000", None, "not_a_number"),
    ],
)
def test_what_is_wrong_is_named(written: str, kind: NumberKind | None, code: str) -> None:
    with pytest.raises(InvalidNumber) as refused:
        parse_number(written, kind)
    assert refused.value.code == code


@pytest.mark.parametrize("inserted", [*"\r\n\0\x1b${}[]'\"|,\\`;&<>%/:@*#~^=!?_", "\u2028", "\u202e", "壹"])
def test_nothing_that_the_event_socket_would_read_passes(inserted: str) -> None:
    for written in (f"80{inserted}01", f"13800{inserted}138000", f"{inserted}8001{inserted}8"):
        with pytest.raises(InvalidNumber):
            parse_number(written)


def test_digits_of_other_scripts_are_refused() -> None:
    for digits in ("٨٠٠١", "८००१", "𝟖𝟎𝟎𝟏"):
        with pytest.raises(InvalidNumber, match="characters"):
            parse_number(digits)


@given(
    st.text() | st.text(alphabet="0123456789+-() .０１８＋（）－", max_size=20), st.none() | st.sampled_from(NumberKind)
)
def test_the_result_has_one_form_whatever_is_written(written: str, kind: NumberKind | None) -> None:
    with suppress(InvalidNumber):
        number = parse_number(written, kind)
        form = r"[0-9]{2,10}" if number.kind is NumberKind.EXTENSION else r"\+[1-9][0-9]{6,14}"
        assert re.fullmatch(form, number.value, re.ASCII)
        assert parse_number(number.value, number.kind) == number


@given(st.integers(13000000000, 19999999999).map(str))
def test_full_width_country_code_and_dashes_change_nothing(digits: str) -> None:
    valid = phonenumbers.is_valid_number(phonenumbers.parse(digits, "CN"))
    for written in (
        digits,
        digits.translate(FULL_WIDTH),
        f"86{digits}",
        f"+86 {digits[:3]}-{digits[3:7]}-{digits[7:]}",
    ):
        if valid:
            assert parse_number(written).value == f"+86{digits}"
        else:
            with pytest.raises(InvalidNumber):
                parse_number(written)
