"""Files that hold secrets. Standard library only: also used before there are Django or its settings."""

from __future__ import annotations

import os
from pathlib import Path


def private_write(path: Path, text: str) -> None:
    """Write a file that only its owner reads; a reader sees the old content or the new, never a part."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    part.rename(path)
