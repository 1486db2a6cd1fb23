"""Work that begins at once, and what is left of it where it has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from apps.conferences.live import eager

from .client import run


def test_what_need_not_wait_is_done_at_once() -> None:
    done = []

    async def work() -> None:
        done.append("all of it")

    assert eager.start(work()) is None
    assert done == ["all of it"]


def test_a_task_does_what_is_left() -> None:
    async def scenario() -> None:
        gates = [asyncio.Event(), asyncio.Event()]
        done = []

        async def work() -> None:
            for number, gate in enumerate(gates):
                done.append(number)
                await gate.wait()
            done.append(len(gates))

        left = eager.start(work())
        assert left is not None
        assert done == [0]
        for gate in gates:
            gate.set()
        await asyncio.create_task(_awaited(left))
        assert done == [0, 1, 2]

    run(scenario())


def test_a_failure_is_for_whoever_awaits() -> None:
    async def work() -> None:
        raise ConnectionError

    left = eager.start(work())
    assert left is not None
    with pytest.raises(ConnectionError):
        run(_awaited(left))


def test_what_goes_wrong_while_it_waits_reaches_it() -> None:
    async def scenario() -> None:
        met: list[type[BaseException]] = []

        async def work(waits_for: asyncio.Future[None]) -> None:
            try:
                await waits_for
            except (ConnectionError, asyncio.CancelledError) as error:
                met.append(type(error))

        failing, cancelled = (asyncio.get_running_loop().create_future() for _ in range(2))
        left = [eager.start(work(each)) for each in (failing, cancelled)]
        tasks = [asyncio.create_task(_awaited(each)) for each in left if each is not None]
        failing.set_exception(ConnectionError())
        await tasks[0]
        tasks[1].cancel()
        await tasks[1]
        assert met == [ConnectionError, asyncio.CancelledError]

    run(scenario())


async def _awaited(left: Awaitable[None]) -> None:
    await left
