"""The table of scripted people."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from freeswitch.pocket.people import People, PeopleError
from tests.unit.pocket.running import TABLE, running, sentences


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        ("8001", "says", "speech"),
        ("8001", "rings", (1.0, 4.0)),
        ("+8613800138000", "says", "speech"),
        ("13800009486", "fails", "USER_BUSY"),
        ("9107", "frequency", 700),
        ("9003", "hangs_up_after", 3),
        ("9702", "fails_first", 2),
        ("9815", "rings", 15),
        ("9408", "answers", False),
    ],
)
def test_a_number_decides_who_answers(number: str, field: str, value: object) -> None:
    assert getattr(People(TABLE, sentences()).find(number), field) == value


@pytest.mark.parametrize(
    "table",
    [
        "[[person]]\nnumber = '1'\n",
        "[[person]]\nnumber = '('\n",
        "[[person]]\nnumber = ''\nsays = 'poems'\n",
        "[[person]]\nnumber = ''\nsings = true\n",
        "[[person]]\nrings = 1\n",
    ],
)
def test_a_wrong_table_is_refused(table: str, tmp_path: Path) -> None:
    path = tmp_path / "people.toml"
    path.write_text(table)
    with pytest.raises(PeopleError):
        People(path, sentences())


def test_busy_at_first_then_there() -> None:
    async def scene() -> None:
        async with running() as pocket:
            call = "originate {}loopback/9702/rehearsal &park()"
            replies = [await pocket.api(call) for _ in range(3)]
            assert replies[:2] == ["-ERR USER_BUSY\n"] * 2
            assert replies[2].startswith("+OK")

    asyncio.run(scene())


def test_a_broken_connection_has_its_cause() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("loopback/9500/rehearsal")
            await pocket.until(lambda: leg.cause is not None, "it broke")
            assert leg.cause == "MEDIA_TIMEOUT"
            assert not pocket.switch.rooms

    asyncio.run(scene())


def test_somebody_is_hung_up_and_falls_silent() -> None:
    async def scene() -> None:
        async with running() as pocket:
            leg = await pocket.join("loopback/9200/rehearsal")
            await pocket.until(lambda: leg.voice is not None, "it speaks")
            assert await pocket.api(f"uuid_kill {leg.uuid}") == "+OK\n"
            await pocket.until(lambda: leg.script is not None and leg.script.done(), "the script ended")
            assert leg.voice is None
            assert not pocket.switch.legs

    asyncio.run(scene())
