"""Recordings: of one leg (uuid_record, switch_ivr_async.c) and of a room (conference_record.c)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from .audio import SILENCE, Decimator, Samples

if TYPE_CHECKING:
    from .legs import Leg
    from .rooms import Room


def strip_parameters(path: str) -> str:
    """The file of a path that may begin with `{params}`."""
    return path.rpartition("}")[2]


TRACK_RATE: Final = 16_000
"""Of what a leg says (record_sample_rate); a room is recorded at its profile's rate."""


class _File:
    """Mono 16 bit sound, growing on disk as it is written: bare samples, or WAV by its suffix."""

    def __init__(self, path: str, rate: int) -> None:
        target = Path(strip_parameters(path))
        if target.suffix not in (".raw", ".wav"):
            raise OSError(f"{target}: neither .raw nor .wav")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._wav = target.suffix == ".wav"
        self._rate = rate
        self._decimate = Decimator(rate)
        self._file: BinaryIO = target.open("wb", buffering=0)
        self.samples = 0
        if self._wav:
            self._file.write(self._header())

    def _header(self) -> bytes:
        size, rate = self.samples * 2, self._rate
        return struct.pack(
            "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size
        )

    def write(self, frame: Samples) -> None:
        """One frame of the clock."""
        samples = self._decimate(frame)
        self._file.write(samples.tobytes())
        self.samples += len(samples)

    def close(self) -> None:
        if self._wav:
            self._file.seek(0)
            self._file.write(self._header())
        self._file.close()

    @property
    def milliseconds(self) -> int:
        return self.samples * 1000 // self._rate


class TrackRecording:
    """What one leg says, muted in the room or not: uuid_record hears through the mute (§0.1 of the fact sheet)."""

    def __init__(self, leg: Leg, path: str, variables: dict[str, str]) -> None:
        self.leg = leg
        self.path = path
        self.masked = False
        self._variables = {f"Recording-Variable-{name}": value for name, value in variables.items()}
        self._file = _File(path, TRACK_RATE)
        leg.recordings[path] = self
        leg.switch.mixer.tracks.add(self)
        leg.switch.mixer.wake()
        leg.fire("RECORD_START", {"Record-File-Path": path, **self._variables}, variables=True)

    def write(self, frame: Samples | None) -> None:
        """One frame of the clock; None is silence."""
        self._file.write(SILENCE if frame is None or self.masked else frame)

    def stop(self) -> None:
        self.leg.switch.mixer.tracks.discard(self)
        del self.leg.recordings[self.path]
        self._file.close()
        self.leg.variables["record_ms"] = str(self._file.milliseconds)
        self.leg.variables["record_samples"] = str(self._file.samples)
        ending = {"Record-File-Path": self.path, **self._variables, "Record-Completion-Cause": "success-silence"}
        self.leg.fire("RECORD_STOP", ending, variables=True)


class RoomRecording:
    """The mix of a room."""

    def __init__(self, room: Room, path: str) -> None:
        self.room = room
        self.path = path
        self.started = room.switch.clock()
        self.paused = False
        self._file = _File(path, room.profile.rate)

    def write(self, frame: Samples) -> None:
        if not self.paused:
            self._file.write(frame)

    def close(self) -> dict[str, str]:
        """Finish the file; the headers of stop-recording that measure it."""
        self._file.close()
        return {
            "Samples-Out": str(self._file.samples),
            "Samplerate": str(self.room.profile.rate),
            "Milliseconds-Elapsed": str(self._file.milliseconds),
        }
