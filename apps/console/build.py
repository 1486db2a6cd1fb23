"""What the front end's build left: Vite's manifest (build.manifest, https://vite.dev/guide/backend-integration)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

_MANIFEST = Path(__file__).parent / "static" / "console" / "manifest.json"
#: The pages, each with a bundle of its own.
CONSOLE = "src/main.ts"
JOIN = "src/join/main.ts"


class NotBuiltError(Exception):
    """The front end has not been built here: `make run` does it, or `npm run build` in frontend/."""


@dataclass(frozen=True, slots=True)
class Files:
    """Addresses of what the page loads. `preloads` are modules that `script` imports."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]


def built_files(entry: str) -> Files:
    """Raises NotBuiltError."""
    try:
        changed = _MANIFEST.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise NotBuiltError from error
    return _read(entry, changed)


@lru_cache(maxsize=2)
def _read(entry: str, changed: int) -> Files:
    """The files of the manifest that was written at `changed`, so that a new build is seen without a restart."""
    chunks: dict[str, dict[str, Any]] = json.loads(_MANIFEST.read_text(encoding="utf-8"))
    wanted, found = [entry], []
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.append(name)
            wanted += chunks[name].get("imports", [])
    styles = [style for name in found for style in chunks[name].get("css", [])]
    return Files(
        script=_address(chunks[entry]["file"]),
        styles=tuple(_address(style) for style in dict.fromkeys(styles)),
        preloads=tuple(_address(chunks[name]["file"]) for name in found[1:]),
    )


def _address(file: str) -> str:
    # Not through the staticfiles storage: it would give the files a second name, and the modules import each other by
    # the names that Vite gave them (which carry a hash already).
    return f"{settings.STATIC_URL}console/{file}"
