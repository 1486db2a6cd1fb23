"""A model's folder is checked before it is loaded, and what is wrong is told by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from apps.minutes.engines.folder import check_model, is_folder

FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).write_text("something")
    return tmp_path


def test_a_whole_one_is_well(model: Path) -> None:
    assert check_model(model) == []
    (model / "vocabulary.txt").rename(model / "vocabulary.json")
    assert check_model(model) == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    [problem] = check_model(model)
    assert name in problem
    assert "missing" in problem
    assert str(model) in problem


def test_an_empty_file_and_a_pointer_are_told(model: Path) -> None:
    (model / "model.bin").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (model / "config.json").write_bytes(b"")
    pointer, empty = check_model(model)
    assert "Git LFS" in pointer
    assert "model.bin" in pointer
    assert "config.json is empty" in empty


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_told(model: Path) -> None:
    (model / "model.bin").chmod(0)
    [problem] = check_model(model)
    assert "cannot be read" in problem


def test_no_folder_is_told(tmp_path: Path) -> None:
    [problem] = check_model(tmp_path / "elsewhere")
    assert "elsewhere is no folder" in problem


def test_names_of_a_hub_are_no_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_folder("large-v3-turbo")
    assert not is_folder("owner/name")
    assert is_folder("/not/there")
    assert is_folder("./not-there")
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert is_folder("owner/name"), "it is there"
