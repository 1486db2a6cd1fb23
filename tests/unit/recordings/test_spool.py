"""The spool is in memory, one process works on it, and what is let go is gone."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.recordings.sealing.spool import Spool, SpoolRefused, let_go

from .recording import in_memory


@pytest.fixture
def memory() -> Iterator[Path]:
    with in_memory() as directory:
        yield directory


@pytest.fixture
def disk() -> Iterator[Path]:
    # /tmp may be in memory; the repository is not.
    with tempfile.TemporaryDirectory(prefix=".spool-", dir=Path(__file__).parent) as directory:
        yield Path(directory)


def test_it_is_made_for_its_owner_only(memory: Path) -> None:
    Spool(memory / "deep" / "spool")
    assert (memory / "deep" / "spool").stat().st_mode & 0o777 == 0o700


def test_one_on_a_disk_is_refused(disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SpoolRefused, match="SPARKLE_SPOOL_DIR"):
        Spool(disk / "spool")
    Spool(disk / "spool", may_be_on_disk=True)
    assert "ON A DISK" in caplog.text


def test_one_that_others_may_enter_is_refused(memory: Path) -> None:
    memory.chmod(0o755)
    with pytest.raises(SpoolRefused, match="SPARKLE_SPOOL_DIR"):
        Spool(memory)
    memory.chmod(0o770)
    Spool(memory)


def test_one_process_holds_it(memory: Path) -> None:
    first, second = Spool(memory), Spool(memory)
    assert first.hold()
    assert first.hold()
    assert not second.hold()
    assert subprocess.run(["flock", "--nonblock", memory / "lock", "true"]).returncode == 1
    first.release()
    assert second.hold()
    second.release()


def test_what_is_let_go_is_zeros_and_takes_no_memory(memory: Path) -> None:
    path = memory / "growing"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"x" * 40_000)
        descriptor = os.open(path, os.O_RDWR)
        try:
            let_go(descriptor, 0, 32_768)
            writer.write(b"y" * 10)
            let_go(descriptor, 5, 5)
        finally:
            os.close(descriptor)
    assert path.read_bytes() == bytes(32_768) + b"x" * (40_000 - 32_768) + b"y" * 10
    assert path.stat().st_blocks * 512 <= 8192


def test_what_cannot_be_let_go_is_an_error(memory: Path) -> None:
    path = memory / "closed"
    path.write_bytes(b"x")
    with path.open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        let_go(file.fileno(), 0, 1)


def test_an_alarm_when_it_is_nearly_full(
    memory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(memory)
    state = os.statvfs(memory)

    def full(share: float) -> None:
        fields = list(state)
        fields[4] = int(state.f_blocks * (1 - share))
        monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))

    full(0.69)
    spool.watch()
    assert not caplog.records
    full(0.71)
    for _ in range(3):
        spool.watch()
    assert len(caplog.records) == 1
    assert "full to 71 %" in caplog.text
