from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole system with the pocket switch. Tests may kill any of its processes: it has to come back."""
    with running_stack(switch="pocket") as running:
        yield running
