"""From a number to the gateways that lead to it, and to what is dialled there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import pytest

from apps.switch.routing import Way, ways_to

SPACE = UUID(int=1)


def key(name: str) -> UUID:
    return uuid5(SPACE, name)


def way(name: str, **fields: Any) -> Way:
    values = {"handles": frozenset({"mobile", "landline"}), "template": f"sofia/gateway/{name}/{{number}}"} | fields
    return Way(id=key(name), name=name, **values)


def trunk(name: str, **fields: Any) -> Way:
    return way(name, template="", trunk=f"gw-{name}-2", **fields)


def dialled(
    ways: list[Way],
    number: str = "+8613800138000",
    kind: str = "mobile",
    standing: Mapping[UUID, str | None] | None = None,
) -> list[str]:
    return [text for _, text in ways_to(ways, kind, number, "pbx.example.cn", standing or {})]


def test_the_longest_prefix_goes_first_then_the_priority_then_the_name() -> None:
    found = dialled(
        [
            way("b"),
            way("a"),
            way("urgent", priority=-1),
            way("china", prefix="+86", priority=9),
            way("carrier", prefix="+86138", priority=99),
            way("abroad", prefix="+1"),
        ]
    )
    names = [text.split("/")[2] for text in found]
    assert names == ["carrier", "china", "urgent", "a", "b"]


def test_a_gateway_serves_the_kinds_that_it_handles() -> None:
    inside = way("inside", handles=frozenset({"extension"}), template="sofia/internal/{number}%{domain}")
    assert dialled([inside, way("trunk")], "7001", "extension") == ["sofia/internal/7001%pbx.example.cn"]
    assert dialled([inside, way("trunk")]) == ["sofia/gateway/trunk/+8613800138000"]
    assert dialled([inside], kind="landline") == []


@pytest.mark.parametrize("template", ["sofia/gateway/x/{nummer}", "sofia/{number", "null/{number} &park", "{0}"])
def test_a_dial_string_that_cannot_be_filled_is_left_out(template: str) -> None:
    assert dialled([way("bad", template=template), way("good")]) == ["sofia/gateway/good/+8613800138000"]


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        ("+8613800138000", "013800138000"),
        ("+862155550000", "02155550000"),
        ("+862112345678", "12345678"),
        ("+14155550100", "0014155550100"),
        ("8001", "8001"),
    ],
)
def test_the_longest_beginning_of_a_number_says_how_it_is_written(number: str, wanted: str) -> None:
    rules = {"+": "00", "+86": "0", "+86211": "1"}
    assert way("a", rules=rules).rewritten(number) == wanted


def test_a_trunk_is_called_by_the_name_that_serves_now() -> None:
    assert dialled([trunk("a")]) == ["sofia/gateway/gw-a-2/+8613800138000"]
    assert dialled([trunk("a")], standing={key("a"): "gw-a-1"}) == ["sofia/gateway/gw-a-1/+8613800138000"]


def test_who_is_down_is_passed_over_unless_all_are() -> None:
    both = [trunk("a"), trunk("b", priority=20)]
    assert dialled(both, standing={key("a"): None, key("b"): "gw-b-1"}) == ["sofia/gateway/gw-b-1/+8613800138000"]
    down = {key("a"): None, key("b"): None}
    assert [text.split("/")[2] for text in dialled(both, standing=down)] == ["gw-a-2", "gw-b-2"]


def test_the_number_shown_is_fixed_or_ends_with_the_owners_extension() -> None:
    assert way("a", caller_number="+862155550000").shown("8001") == "+862155550000"
    assert way("a", caller_number="+86215555", owner_number=True).shown("8001") == "+862155558001"
