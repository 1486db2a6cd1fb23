"""What the supervised programs print: on the terminal behind a coloured name, and in `log/<name>.log`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

OWN_NAME = "sparkle"
# A log is set aside as `<name>.log.1` when it has grown to this size (bytes).
LARGEST_LOG = 10_000_000
_LONGEST_LINE = 64 * 1024
_COLOURS = (36, 32, 35, 33, 34, 96, 92, 95, 93, 94)


class Output:
    """The terminal and the log files of one supervisor."""

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._files: dict[str, BinaryIO] = {}
        width = max(map(len, [OWN_NAME, *names]))
        coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._prefixes = {OWN_NAME: f"{OWN_NAME:<{width}} | ".encode()}
        for number, name in enumerate(names):
            prefix = f"{name:<{width}} | "
            colour = _COLOURS[number % len(_COLOURS)]
            self._prefixes[name] = (f"\x1b[{colour}m{prefix}\x1b[0m" if coloured else prefix).encode()

    def say(self, text: str) -> None:
        """A line of the supervisor itself."""
        self._line(OWN_NAME, text.encode())

    async def copy(self, name: str, source: asyncio.StreamReader) -> None:
        """Copy a program's lines until its output ends."""
        rest = b""
        while block := await source.read(_LONGEST_LINE):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._line(name, line)
        if rest:
            self._line(name, rest)

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _line(self, name: str, line: bytes) -> None:
        sys.stdout.buffer.write(self._prefixes[name] + line + b"\n")
        sys.stdout.buffer.flush()
        file = self._files.get(name)
        if file is None or file.tell() > LARGEST_LOG:
            file = self._files[name] = self._open(name)
        file.write(line + b"\n")

    def _open(self, name: str) -> BinaryIO:
        if name in self._files:
            self._files[name].close()
        path = self._directory / f"{name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG:
            path.rename(path.with_name(f"{name}.log.1"))
        return path.open("ab", buffering=0)
