"""What the switch says to callers by itself: names, texts and sound files. No framework.

The texts are in `freeswitch/prompts/`. A node has each as `sounds/LANGUAGE/NAME.wav` in its home, and FreeSWITCH finds
such a path there by itself, in the dialplan and in rooms (its `sounds_dir`; sound-prefix in rooms/room.xml).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
import wave
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from .speech import SAMPLE_RATE, Samples, speak, write_wav

LANGUAGES: Final = ("zh-hans", "en")
RATES: Final = (8_000, 16_000, 48_000)
"""Samples a second that a recording may have."""

LOUDNESS: Final = -20.0
"""Of what is synthesised, in dB below full scale: RMS of what is not a pause. As people speak on the telephone."""

_TEXTS: Final = Path(__file__).resolve().parents[2] / "freeswitch" / "prompts"
_MADE: Final = ".made.json"
_MADE_BY: Final = 1
"""Another number makes all anew: for when the synthesis here changes."""

_FULL: Final = 32_768
_PEAK: Final = 0.89 * _FULL  # -1 dB
_QUIET: Final = 0.01
"""Of the peak: what is below for a while is a pause."""
_AROUND: Final = 0.02
"""Seconds left at both ends of a part of a number."""


class RecordingProblem(ValueError):  # noqa: N818 - the text says what is wrong
    """An administrator's recording cannot be used; the text names the file and says what would be right."""


def sound(language: str, name: str) -> str:
    """The file of a sentence, below the node's sounds. Raises KeyError: nobody but this program names them."""
    _texts(language)[name]
    return f"{language}/{name}.wav"


def number(language: str, n: int) -> list[str]:
    """The files that say how many, 0 to 1000, one after the other."""
    if not 0 <= n <= 1000:
        raise ValueError(f"no words for {n}")
    parts = _chinese(n) if language == "zh-hans" else _english(n)
    return [sound(language, f"number-{part}") for part in parts]


def digits(language: str, text: str) -> list[str]:
    """The files that spell digits, one by one. In Chinese, 1 is then yāo."""
    spoken = text.replace("1", "o") if language == "zh-hans" else text
    return [sound(language, f"number-{'one' if digit == 'o' else digit}") for digit in spoken]


def _chinese(n: int) -> list[str]:
    """两 stands before what is counted; 十 alone is ten, within a hundred it is 一十."""
    if n == 1000:
        return ["1", "1000"]
    if n < 10:
        return ["two" if n == 2 else str(n)]
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    parts = [str(hundreds), "100"] if hundreds else []
    if tens:
        parts += ["10"] if tens == 1 and not hundreds else [str(tens), "10"]
    elif ones:
        parts.append("0")
    return parts + ([str(ones)] if ones else [])


def _english(n: int) -> list[str]:
    if n == 1000:
        return ["1", "1000"]
    hundreds, rest = divmod(n, 100)
    parts = [str(hundreds), "100"] if hundreds else []
    if rest > 20 and rest % 10:
        parts += [str(rest - rest % 10), str(rest % 10)]
    elif rest or not hundreds:
        parts.append(str(rest))
    return parts


@cache
def _texts(language: str) -> Mapping[str, str]:
    with (_TEXTS / f"{language}.toml").open("rb") as file:
        tables: dict[str, dict[str, str]] = tomllib.load(file)
    return tables["sentences"] | {f"number-{part}": text for part, text in tables["numbers"].items()}


def prepare_prompts(folder: Path, recordings: Path | None = None) -> None:
    """Put all prompts into `folder`: the files of `recordings` (same names), and what is missing there synthesised.

    What is there already and has not changed is left alone. A file appears whole or not at all, so that a running
    switch may use the folder. Raises RecordingProblem before anything is written, SpeechError and OSError.
    """
    own = check_recordings(recordings)
    stamps = folder / _MADE
    made = json.loads(stamps.read_text(encoding="utf-8")) if stamps.exists() else {}
    fresh: dict[str, str] = {}
    for language, name in _all():
        path = sound(language, name)
        recording, text = own.get(path), _texts(language)[name]
        fresh[path] = _stamp(recording.read_bytes() if recording else f"{_MADE_BY} {text}".encode())
        file = folder / path
        if made.get(path) == fresh[path] and file.exists():
            continue
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if recording:
            part = file.with_name(f"{file.name}.part")
            shutil.copyfile(recording, part)
            part.replace(file)
        else:
            write_wav(file, _spoken(text, language, close=name.startswith("number-")))
    for path in made.keys() - fresh.keys():
        (folder / path).unlink(missing_ok=True)
    if fresh != made:
        stamps.write_text(json.dumps(fresh, indent=1), encoding="utf-8")


def check_recordings(recordings: Path | None) -> dict[str, Path]:
    """An administrator's own prompts by their path below `sounds`. Raises RecordingProblem."""
    known = {sound(language, name) for language, name in _all()}
    found: dict[str, Path] = {}
    for language in LANGUAGES:
        for file in sorted(recordings.glob(f"{language}/*")) if recordings else ():
            path = f"{language}/{file.name}"
            if path not in known:
                raise RecordingProblem(f"{file}: there is no prompt of this name; see {_TEXTS / language}.toml")
            _check_format(file)
            found[path] = file
    return found


def _check_format(file: Path) -> None:
    wanted = f"{file}: write a WAV file, PCM of 16 bit, one channel, at {', '.join(map(str, RATES))} Hz"
    try:
        with file.open("rb") as raw, wave.open(raw) as recording:
            form = recording.getnchannels(), recording.getsampwidth()
            rate, frames = recording.getframerate(), recording.getnframes()
    except (wave.Error, EOFError, OSError) as error:
        raise RecordingProblem(f"{wanted}; it is none: {error}") from error
    if form != (1, 2) or rate not in RATES or not frames:
        raise RecordingProblem(f"{wanted}; it has {form[0]} of {8 * form[1]} bit at {rate} Hz, {frames} samples")


def _all() -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        for name in _texts(language):
            yield language, name


def _stamp(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


@cache
def _spoken(text: str, language: str, *, close: bool) -> Samples:
    """A text at LOUDNESS, without a pause before it or after it; `close`: almost cut off."""
    said = speak(text, language).astype(np.float64)
    loud = np.flatnonzero(np.abs(said) > _QUIET * np.abs(said).max(initial=0.0))
    around = int(_AROUND * SAMPLE_RATE) * (1 if close else 5)
    said = said[max(loud[0] - around, 0) : loud[-1] + around]
    frames = said[: len(said) // 320 * 320].reshape(-1, 320)
    levels = np.sqrt((frames**2).mean(axis=1))
    active = frames[levels > 10 * _QUIET * levels.max()]
    gain = 10 ** (LOUDNESS / 20) * _FULL / np.sqrt((active**2).mean())
    # Single peaks are rounded off, which is not heard, before the whole is made softer.
    louder: Samples = np.clip(gain * said, -_PEAK, _PEAK).astype(np.int16)
    return louder
