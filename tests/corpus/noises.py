"""Eight sounds of a line in which nobody says anything."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.corpus.sound import RATE, Sound, clipped, silence

#: Pairs of frequencies, hertz: ITU-T Q.23.
_KEYS: Final = {
    key: (low, high)
    for low, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for high, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}
_CHORDS: Final = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
"""C, A minor, F, G."""

Wave = NDArray[np.float64]


def noises(seconds: float = 30.0) -> dict[str, Sound]:
    """By name, each so long. The same at each call."""
    count = round(seconds * RATE)
    time = np.arange(count) / RATE
    chance = np.random.default_rng(5)
    white = chance.normal(0, 1, count)
    return {
        "silence": silence(seconds),
        "white noise": _at(white, -35),
        "mains hum": _at(sum((np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 8)), np.zeros(count)), -30),
        "ringing": _at(np.sin(2 * np.pi * 425 * time) * (time % 5 < 1), -20),
        "keys": _at(_keys("15908#723*46", time), -20),
        "music": _at(_music(time), -20),
        "clicks": _at(_clicks(count, chance), -40),
        "breath": _at(_breath(white, time), -35),
    }


def _at(wave: Wave, decibels: float) -> Sound:
    return clipped(wave * (32768 * 10 ** (decibels / 20) / np.sqrt((wave**2).mean())))


def _keys(keys: str, time: Wave) -> Wave:
    """A key each 0.4 s, held for 0.15 s."""
    number, within = np.divmod(time, 0.4)
    pairs = np.array([_KEYS[key] for key in keys])[number.astype(int) % len(keys)]
    both: Wave = np.sin(2 * np.pi * pairs * time[:, None]).sum(axis=1)
    return both * (within < 0.15)


def _music(time: Wave) -> Wave:
    """A chord each second, plucked, with overtones."""
    number, within = np.divmod(time, 1.0)
    chords = np.array(_CHORDS)[number.astype(int) % len(_CHORDS)]
    overtones = (np.sin(2 * np.pi * n * chords * time[:, None]).sum(axis=1) / n**2 for n in range(1, 6))
    plucked: Wave = np.minimum(within * 50, 1) * np.exp(-1.5 * within)
    return sum(overtones, np.zeros(time.size)) * plucked


def _clicks(count: int, chance: np.random.Generator) -> Wave:
    """About three a second, each fading within 2 ms."""
    places = (chance.random(count) < 3 / RATE) * chance.choice((-1.0, 1.0), count)
    return np.convolve(places, np.exp(-np.arange(RATE // 500) / 8))[:count]


def _breath(white: Wave, time: Wave) -> Wave:
    """A fan that rushes, and somebody who breathes near the microphone, each 3.5 s."""
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(white.size, 1 / RATE)
    rush = np.fft.irfft(spectrum / (1 + (frequencies / 400) ** 2), white.size)
    air = np.fft.irfft(spectrum * np.exp(-(((frequencies - 1200) / 700) ** 2)), white.size)
    breaths: Wave = np.maximum(np.sin(2 * np.pi * time / 3.5), 0) ** 2
    return rush + 2 * air * breaths
