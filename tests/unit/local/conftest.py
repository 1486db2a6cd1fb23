from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A temporary directory that every account can enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="sparkle-local-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)
