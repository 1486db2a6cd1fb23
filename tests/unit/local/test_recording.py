"""Where `make run` keeps what is recorded, and its keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.recordings.sealed.keys import KeyRing
from apps.recordings.sealing.spool import Spool
from sparkle.local import recording
from sparkle.local.recording import recording_environment
from sparkle.local.supervise import StartError


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPARKLE_SPOOL_DIR", "SPARKLE_RECORDING_KEYS_FILE", "SPARKLE_RECORDING_KEYS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[dict[str, str]]:
    told = recording_environment(tmp_path)
    yield told
    for file in (directory := Path(told["SPARKLE_SPOOL_DIR"])).iterdir():
        file.unlink()
    directory.rmdir()


def test_the_spool_is_in_memory_and_nobody_elses(told: dict[str, str], tmp_path: Path) -> None:
    Spool(Path(told["SPARKLE_SPOOL_DIR"]))
    (tmp_path / "other").mkdir()
    other = recording_environment(tmp_path / "other")["SPARKLE_SPOOL_DIR"]
    Path(other).rmdir()
    assert other != told["SPARKLE_SPOOL_DIR"]


def test_keys_are_made_once(told: dict[str, str], tmp_path: Path) -> None:
    file = Path(told["SPARKLE_RECORDING_KEYS_FILE"])
    text = file.read_text()
    assert KeyRing.read(file).current == "first"
    assert file.stat().st_mode & 0o777 == 0o400
    assert recording_environment(tmp_path) == told
    assert file.read_text() == text


def test_what_is_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKLE_SPOOL_DIR", "/somewhere")
    monkeypatch.setenv("SPARKLE_RECORDING_KEYS", "text")
    assert recording_environment(tmp_path) == {"SPARKLE_SPOOL_DIR": "/somewhere"}


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_MEMORY", tmp_path)
    directory = Path(recording_environment(tmp_path)["SPARKLE_SPOOL_DIR"])
    directory.rmdir()
    (tmp_path / "theirs").mkdir()
    directory.symlink_to(tmp_path / "theirs")
    with pytest.raises(StartError, match="SPARKLE_SPOOL_DIR"):
        recording_environment(tmp_path)
