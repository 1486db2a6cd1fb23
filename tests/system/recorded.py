"""What was recorded of a meeting, as somebody hears it through the API."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import requests

from tests.contract.desk import Sound
from tests.system.stack import Api, Stack, until

MIX = ""
"""The name of nobody: the mix is theirs."""


def tracks(api: Api, conference: str, kind: str = "person") -> dict[str, list[dict[str, Any]]]:
    """By the name of who speaks in them, each one's in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for track in sorted(api.get(f"conferences/{conference}/recording/")["tracks"], key=lambda each: each["part"]):
        if track["kind"] == kind:
            found.setdefault(track["name"], []).append(track)
    return found


def utterances(api: Api, conference: str) -> list[dict[str, Any]]:
    return api.all(f"conferences/{conference}/recording/utterances/")


def fetch(api: Api, link: str, **headers: str) -> requests.Response:
    return api.session.get(f"{api.base}{link}" if link.startswith("/") else link, headers=headers, timeout=30)


def sound(api: Api, link: str) -> Sound:
    """The samples behind a link, 16,000 a second."""
    answer = fetch(api, link)
    assert answer.status_code == 200, answer.text
    with wave.open(io.BytesIO(answer.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)


def grown(api: Api, conference: str, name: str, *, by: float, kind: str = "person") -> dict[str, Any]:
    """The last track of somebody once `by` seconds more of it can be heard than now."""
    return all_grown(api, conference, [name], by=by, kind=kind)[name]


def all_grown(
    api: Api, conference: str, names: Iterable[str], *, by: float, kind: str = "person"
) -> dict[str, dict[str, Any]]:
    """The last track of each of them once `by` seconds more of all of these can be heard than now."""

    def last() -> dict[str, dict[str, Any]]:
        found = tracks(api, conference, kind)
        return {name: found[name][-1] if name in found else {"id": "", "duration_ms": 0} for name in names}

    def more(name: str, now: dict[str, Any]) -> int:
        known = before[name]["duration_ms"] if before[name]["id"] == now["id"] else 0
        return int(now["duration_ms"]) - int(known)

    def grown() -> dict[str, dict[str, Any]] | None:
        now = last()
        return now if all(more(name, track) >= by * 1000 for name, track in now.items()) else None

    names = list(names)
    before = last()
    told = ", ".join(name or "the mix" for name in names)
    found = until(grown, within=by + 15, to=f"have {by} s more of {told}")
    assert found is not None
    return found


def loudness(samples: Sound, rate: int = 16_000) -> Sound:
    """Of each tenth of a second, mean absolute."""
    size = rate // 10
    found: Sound = np.abs(samples[: len(samples) // size * size].reshape(-1, size)).mean(axis=1)
    return found


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def clear_files(stack: Stack, named: str = "*.raw") -> list[Path]:
    return list(Path(stack.told()["SPARKLE_SPOOL_DIR"]).glob(named))


def files_with(stack: Stack, piece: bytes) -> Iterator[Path]:
    """Files below the installation's directory that hold these bytes."""
    for path in stack.var.rglob("*"):
        if path.is_file() and not path.is_symlink() and piece in path.read_bytes():
            yield path


def all_sealed(api: Api, conference: str, within: float = 20) -> list[dict[str, Any]]:
    """Every track the caller may know of, once none is live."""
    deadline = time.monotonic() + within
    while True:
        found: list[dict[str, Any]] = api.get(f"conferences/{conference}/recording/")["tracks"]
        if all(track["state"] == "sealed" for track in found):
            return found
        assert time.monotonic() < deadline, [(each["name"], each["kind"], each["state"]) for each in found]
        time.sleep(0.2)
