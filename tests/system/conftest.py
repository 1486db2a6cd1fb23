from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.stack import Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole system with the pocket switch. Tests may kill any of its processes: it has to come back."""
    var = tmp_path_factory.mktemp("system")
    for directory in (var, *var.parents):
        if directory.owner() == var.owner() and directory != directory.parent:
            directory.chmod(directory.stat().st_mode | 0o755)  # PostgreSQL of a root's run is another account's
        if directory.name.startswith("pytest-of-"):
            break
    running = Stack(var)
    try:
        yield running.start()
    finally:
        running.stop()
