"""Sound in browsers: a microphone that hears a tone, and what a page hears."""

from __future__ import annotations

import shutil
import tempfile
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.conftest import ARGUMENTS
from tests.live.tones import tone

#: A page's script from its start: keeps its `connections`; `level(hertz)` and `energy()` are of what they bring.
LISTEN = Path(__file__).with_name("sound.js").read_text()
#: The join page's microphone without what takes a tone for noise or for an echo, as its reader may choose.
UNCHANGED = """localStorage.setItem("sparkle.sound", '{"echoCancellation": false, "noiseSuppression": false}');"""
HEARD, SILENT = -50, -70
"""dB. A tone that is heard is at some -20, what is not there below -100."""
RATE = 48_000


@contextmanager
def with_microphone(chromium: Browser, hertz: int) -> Iterator[Browser]:
    """A Chromium of its own, whose microphone hears a tone."""
    with tempfile.TemporaryDirectory() as directory:
        sound = Path(directory) / "tone.wav"
        with wave.open(str(sound), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(tone(hertz, RATE).tobytes())
        pretence = [f"--use-file-for-fake-audio-capture={sound}", "--autoplay-policy=no-user-gesture-required"]
        path = shutil.which("chromium")
        browser = chromium.browser_type.launch(executable_path=path, args=[*ARGUMENTS, *pretence])
        try:
            yield browser
        finally:
            browser.close()


def hears(page: Page, *tones: int) -> None:
    """Wait until these tones are heard, all of them in one moment."""
    page.wait_for_function("([tones, above]) => tones.every((hertz) => level(hertz) > above)", arg=[list(tones), HEARD])


def does_not_hear(page: Page, *tones: int) -> None:
    """Wait until none of these tones is heard."""
    page.wait_for_function(
        "([tones, below]) => tones.every((hertz) => level(hertz) < below)", arg=[list(tones), SILENT]
    )
