"""Text to speech, for announcements (web process) and for the scripted people of the pocket switch.

Standard library, numpy and the shared library that `espeakng-loader` carries; no framework. The C interface is that of
espeak-ng 1.52, speak_lib.h. espeak is one global machine, so a lock serialises it; a sentence takes a few milliseconds.
"""

from __future__ import annotations

import ctypes
import threading
import wave
from pathlib import Path
from typing import Any, Final

import espeakng_loader
import numpy as np
import numpy.typing as npt

SAMPLE_RATE: Final = 16_000
"""Samples a second of everything that this module makes, mono, signed 16 bit."""

Samples = npt.NDArray[np.int16]

_VOICES: Final = {"zh": "cmn", "en": "en-us"}

# speak_lib.h
_OUTPUT_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_POSITION_CHARACTER: Final = 1
_RATE, _PITCH = 1, 3

_lock = threading.Lock()
_machine: tuple[ctypes.CDLL, int] | None = None

# typedef int (t_espeak_callback)(short *wav, int numsamples, espeak_EVENT *events)
_CallbackType = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class SpeechError(Exception):
    """The synthesiser refused: an unknown language or voice, or a broken installation."""


def _load() -> tuple[ctypes.CDLL, int]:
    """The library and its own sample rate; loaded once a process."""
    global _machine
    if _machine is None:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        rate = library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), _DONT_EXIT
        )
        if rate <= 0:
            raise SpeechError(f"espeak-ng does not start: {rate}")
        _machine = library, rate
    return _machine


def _resample(samples: Samples, rate: int) -> Samples:
    """To SAMPLE_RATE, through a low-pass filter first so that nothing above its half folds down."""
    if rate == SAMPLE_RATE or not len(samples):
        return samples
    taps = np.arange(-32, 33)
    cut = min(1.0, SAMPLE_RATE / rate) * 0.95
    low_pass = np.sinc(cut * taps) * np.hamming(len(taps)) * cut
    smooth = np.convolve(samples.astype(np.float64), low_pass, mode="same")
    count = len(samples) * SAMPLE_RATE // rate
    resampled = np.interp(np.arange(count) * (rate / SAMPLE_RATE), np.arange(len(samples)), smooth)
    clipped: Samples = np.clip(resampled, -32768, 32767).astype(np.int16)
    return clipped


def speak(text: str, language: str, *, variant: str = "", speed: int = 165, pitch: int = 50) -> Samples:
    """`text` as sound. The same calls in the same order of a new process give the same samples.

    `language` is a tag that begins with zh or en (`zh-CN`); `variant` one of espeak's voice variants (`f2`, `m3`);
    `speed` in words a minute, 80 to 450; `pitch` 0 to 99. Raises SpeechError.
    """
    base = _VOICES.get(language.split("-")[0].lower())
    if base is None:
        raise SpeechError(f"no voice for the language {language!r}; there are {', '.join(sorted(_VOICES))}")
    voice = f"{base}+{variant}" if variant else base
    pieces: list[bytes] = []

    def collect(wav: Any, count: int, _events: int | None) -> int:
        if wav and count > 0:
            pieces.append(ctypes.string_at(wav, count * 2))
        return 0

    callback = _CallbackType(collect)
    data = text.encode()
    with _lock:
        library, rate = _load()
        library.espeak_SetSynthCallback(callback)
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SpeechError(f"espeak-ng has no voice {voice!r}")
        library.espeak_SetParameter(_RATE, speed, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        status = library.espeak_Synth(
            data, ctypes.c_size_t(len(data) + 1), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        library.espeak_Synchronize()
    if status != 0:
        raise SpeechError(f"espeak-ng refuses the text: {status}")
    return _resample(np.frombuffer(b"".join(pieces), dtype=np.int16), rate)


def synthesise(text: str, language: str, path: Path) -> None:
    """Write `text`, spoken, to `path` as a WAV file (16 kHz, mono, 16 bit); its folder must exist.

    The file appears whole or not at all. Raises SpeechError and OSError.
    """
    write_wav(path, speak(text, language))


def write_wav(path: Path, samples: Samples) -> None:
    """Put `samples`, at SAMPLE_RATE, into a WAV file that appears whole or not at all. Raises OSError."""
    partial = path.with_name(path.name + ".part")
    with wave.open(str(partial), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    partial.replace(path)
