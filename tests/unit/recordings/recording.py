"""A node that records: its rows, its spool in memory, and a switch that writes."""

from __future__ import annotations

import base64
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from django.conf import LazySettings
from django.utils import timezone

from apps.conferences.models import Conference
from apps.core.ids import new_id
from apps.recordings import keys
from apps.recordings.models import Track
from apps.recordings.places import clear_file, sealed_file
from apps.recordings.sealed.files import OpenFile
from apps.recordings.sealed.header import FRAME_SIZE
from apps.recordings.sealed.keys import WrappedKey
from apps.recordings.sealed.reader import Reader
from apps.recordings.sealing import sealer
from apps.recordings.sealing.sealer import Sealer
from apps.recordings.sealing.spool import Spool
from apps.switch.models import Node
from tests.factories import add_participant, make_conference, make_node, make_user

RATE = 16_000
FRAME = FRAME_SIZE
KEYS = f"first {base64.b64encode(bytes(range(32))).decode()}"
MEMORY = Path("/dev/shm")


@contextmanager
def in_memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sparkle-test-", dir=MEMORY) as directory:
        yield Path(directory)


class Recording:
    """A node, a conference on it, and what is recorded there."""

    def __init__(self, settings: LazySettings) -> None:
        self.node = make_node()
        self.conference: Conference = make_conference(make_user("owner"), node=self.node)
        self.spool = Path(settings.SPARKLE_SPOOL_DIR)
        self.person = add_participant(self.conference)
        self._parts = count(1)

    def sealer(self) -> Sealer:
        return Sealer(self.node.name, Spool(self.spool))

    def track(self, *, rate: int = RATE, channels: int = 1, on: Node | None = None, **fields: Any) -> Tap:
        """What somebody says, of which the switch has told that it records it."""
        track = Track.objects.create(
            id=new_id(),
            conference=self.conference,
            node=on or self.node,
            part=next(self._parts),
            rate=rate,
            channels=channels,
            **{
                "requested_at": timezone.now(),
                "kind": Track.Kind.PERSON,
                "participant": self.person,
                "leg": uuid4(),
                "started_at": timezone.now(),
                **fields,
            },
        )
        return Tap(track)

    def clear_bytes(self) -> int:
        """Of memory that the spool takes."""
        return sum(path.stat().st_blocks * 512 for path in self.spool.glob("*.raw"))


class Tap:
    """The switch, as far as one track goes: it writes samples, and says when it has closed the file."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.clear = clear_file(track.pk)
        self.sealed = sealed_file(track.conference_id, track.pk)
        self.written = bytearray()
        self._random = Random(int(track.pk))

    def noise(self, size: int) -> None:
        """So many bytes of which no two frames are alike."""
        self.write(self._random.randbytes(size))

    def write(self, samples: bytes) -> None:
        with self.clear.open("ab") as file:
            file.write(samples)
        self.written += samples

    def speak(self, samples: np.ndarray[Any, Any]) -> None:
        self.write(np.clip(samples, -32768, 32767).astype("<i2").tobytes())

    def end(self, ago: float = 0) -> None:
        Track.objects.filter(pk=self.track.pk).update(ended_at=timezone.now() - timedelta(seconds=ago))

    def row(self) -> Track:
        return Track.objects.get(pk=self.track.pk)

    def reader(self, *, live: bool = False) -> Reader:
        row = self.row()
        key = keys.key_provider().unwrap(row.pk, WrappedKey(row.key_id, bytes(row.sealed_key)))
        return Reader(OpenFile(os.open(self.sealed, os.O_RDONLY)), key, frames=row.frames if live else None)

    def utterances(self) -> list[tuple[int, int]]:
        return list(self.track.utterances.order_by("start").values_list("start", "end"))

    def is_sealed(self) -> bool:
        """Whether all that was written can be heard, and is nowhere in the clear."""
        row, reader = self.row(), self.reader()
        assert row.state == Track.State.SEALED
        assert (row.length, row.frames) == (reader.length, reader.frames)
        assert reader.read(0, reader.length) == self.written
        assert not self.clear.exists()
        return True


@pytest.fixture
def recording(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> Iterator[Recording]:
    monkeypatch.delenv("SPARKLE_RECORDING_KEYS_FILE", raising=False)
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", KEYS)
    keys.key_provider.cache_clear()
    with in_memory() as spool:
        settings.SPARKLE_SPOOL_DIR = spool
        settings.SPARKLE_RECORDINGS_DIR = tmp_path / "recordings"
        yield Recording(settings)
    keys.key_provider.cache_clear()
    shutil.rmtree(tmp_path / "recordings", ignore_errors=True)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again in the next round."""
    monkeypatch.setattr(sealer, "_PAUSE", 0.0)
    monkeypatch.setattr(sealer, "_BETWEEN_SWEEPS", 0.0)


def until_done(sealing: Sealer, rounds: int = 20) -> None:
    for _ in range(rounds):
        if not sealing.round():
            return
    raise AssertionError("tracks are still live")


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
