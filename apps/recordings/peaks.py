"""How loud a track is, for drawing: the loudest sample of each tenth of a second, ten numbers a second.

They tell when somebody spoke, so they are kept as the track is: sealed, beside it, with its data key and in its format
(docs/sealed-format.md), as ten samples a second of one channel. Its writer has a salt of its own, so no nonce repeats.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .audio import SAMPLE
from .errors import StillRecorded
from .files import keep_file, open_file
from .models import Track
from .places import PEAKS
from .replay import data_key, open_clip
from .sealed.errors import SealProblem
from .sealed.files import Memory
from .sealed.header import Header
from .sealed.reader import Reader
from .sealed.writer import Writer

logger = logging.getLogger(__name__)

PER_SECOND: Final = 10
FLOOR_DB: Final = 60.0
"""What is so far below full scale is drawn as nothing: room noise on a good line is there."""

_FULL: Final = 32_767
_FRAME: Final = 1 << 12
Samples = NDArray[np.int16]


def loudest(pieces: Iterable[memoryview], rate: int, channels: int) -> Samples:
    """The greatest |sample| of all channels in each tenth of a second, the last one perhaps not whole; -32768 counts
    as 32767. A rate that ten does not divide loses what is beyond the tenth's whole samples: at most 9 in a second.
    """
    window = max(1, rate // PER_SECOND) * channels
    found: list[Samples] = []
    rest: Samples = np.empty(0, dtype=np.int16)
    odd = b""
    for piece in pieces:
        data = odd + bytes(piece)
        odd = data[len(data) // SAMPLE * SAMPLE :]
        samples = np.frombuffer(data, dtype="<i2", count=len(data) // SAMPLE)
        # Not abs() alone: that of -32768 is itself.
        rest = np.concatenate([rest, np.abs(np.maximum(samples, -_FULL))])
        whole = len(rest) // window * window
        found.append(rest[:whole].reshape(-1, window).max(axis=1, initial=0))
        rest = rest[whole:]
    if len(rest):
        found.append(rest.max(keepdims=True))
    return np.concatenate(found) if found else rest


def scaled(peaks: Samples) -> list[int]:
    """From 0 to 255 in even steps of loudness: 255 is full scale, 0 is FLOOR_DB below it or less. Ears hear ratios:
    half the amplitude is 6 dB, 26 steps, wherever it is.
    """
    decibels = 20 * np.log10(np.maximum(peaks, 1) / _FULL)
    steps: list[int] = np.clip(np.rint((1 + decibels / FLOOR_DB) * 255), 0, 255).astype(int).tolist()
    return steps


def peaks_of(track: Track) -> list[int]:
    """`scaled`, from the file of peaks, or from the track itself where that is missing or damaged. Raises StillRecorded
    and what open_clip raises.
    """
    _require_sealed(track)
    kept = _kept(track)
    return scaled(_heard(track) if kept is None else kept)


def keep_peaks(track: Track) -> bool:
    """Make the file of peaks, unless it is there. False where it was. Raises as peaks_of does, and OSError."""
    _require_sealed(track)
    if _kept(track) is not None:
        return False
    _keep(track, _heard(track))
    return True


def _require_sealed(track: Track) -> None:
    if track.state == Track.State.LIVE:
        raise StillRecorded


def _heard(track: Track) -> Samples:
    clip = open_clip(track, 0)
    return loudest(clip.pieces(), clip.rate, clip.channels)


def _header(track: Track) -> Header:
    return Header(track.pk, PER_SECOND, 1, _FRAME)


def _kept(track: Track) -> Samples | None:
    """None where nothing good is kept; what is wrong with it is in the log."""
    if track.state != Track.State.SEALED:
        return None
    try:
        reader = Reader(open_file(track, PEAKS), data_key(track))
        peaks = np.frombuffer(reader.read(0, reader.length), dtype="<i2")
    except FileNotFoundError:
        return None
    except (SealProblem, OSError) as error:
        logger.error("peaks of track %s: %s: %s", track.pk, type(error).__name__, error)
        return None
    # The key is the track's: its own file, put in the place of this one, would open too.
    if reader.header != _header(track) or len(peaks) != _count(track):
        logger.error("peaks of track %s: these are not its own", track.pk)
        return None
    return peaks


def _count(track: Track) -> int:
    window = max(1, track.rate // PER_SECOND) * track.channels
    return -(-((track.length or 0) // SAMPLE) // window)


def _keep(track: Track, peaks: Samples) -> None:
    file = Memory()
    writer = Writer(file, data_key(track), _header(track))
    plain: Any = peaks.astype("<i2").tobytes()
    whole = len(plain) // _FRAME * _FRAME
    writer.append(plain[:whole])
    writer.finish(plain[whole:])
    keep_file(track, PEAKS, file)
