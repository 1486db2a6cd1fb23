"""Work that runs at once as far as it goes without waiting, and costs a task only where it waits. Python 3.12 has eager
tasks for this.
"""

from __future__ import annotations

import types
from asyncio import CancelledError
from collections.abc import Awaitable, Generator
from functools import partial
from typing import Any

Steps = Generator[Any, None, None]


def start(work: Awaitable[None]) -> Awaitable[None] | None:
    """Run until it first waits. None: it is done; else what is left, a failure too, for a task to await."""
    steps = work.__await__()
    try:
        waits_for = next(steps)
    except StopIteration:
        return None
    except (Exception, CancelledError) as error:
        return _failure(error)
    return _rest(steps, waits_for)


@types.coroutine
def _failure(error: BaseException) -> Steps:
    yield from ()
    raise error


@types.coroutine
def _rest(steps: Steps, waits_for: Any) -> Steps:
    """As `yield from` would go on."""
    while True:
        try:
            yield waits_for
        except BaseException as error:
            step = partial(steps.throw, error)
        else:
            step = partial(next, steps)
        try:
            waits_for = step()
        except StopIteration:
            return
