"""A speech model as a folder, checked before it is loaded. Standard library only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: What a Whisper model in CTranslate2's form consists of; of a line, any one.
_FILES: Final = (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt"))
_POINTER: Final = b"version https://git-lfs"


def is_folder(model: str) -> bool:
    """Whether a model's name is that of a folder, and not one that a hub knows (`large-v3-turbo`, `owner/name`)."""
    return Path(model).is_dir() or Path(model).is_absolute() or model.startswith(("./", "../"))


def check_model(folder: Path) -> list[str]:
    """What is wrong with it, a sentence each; nothing: it looks like a model. Nothing is loaded."""
    if not folder.is_dir():
        return [f"{folder} is no folder, or may not be entered"]
    wrong: list[str] = []
    for names in _FILES:
        there = [folder / name for name in names if (folder / name).is_file()]
        if not there:
            wrong.append(f"{' or '.join(names)} is missing in {folder}")
            continue
        try:
            with there[0].open("rb") as file:
                begin = file.read(len(_POINTER))
        except OSError as error:
            wrong.append(f"{there[0]} cannot be read: {error.strerror}")
            continue
        if begin == _POINTER:
            wrong.append(f"{there[0]} is a pointer of Git LFS and not the file: run git lfs pull there")
        elif not begin:
            wrong.append(f"{there[0]} is empty")
    return wrong
