"""What is recorded, as far as it is known. The rows of tracks correspond one to one to `ObservedTrack`.

A track is of a subject: a leg, or a conference for the mix of its main room. What is recorded of a subject never
overlaps itself, so the last track of a kind is the one that may be open.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from apps.switch.commands import Command, MaskTrack, StopMix, StopTrack

Kind = Literal["person", "whisper", "mix"]


@dataclass(slots=True, eq=False)
class ObservedTrack:
    """`subject` is the leg, or the conference of a mix; `path` the file that the switch writes. `masked` is what was
    sent last, None after a start of the switchboard or a break in the connection: then it has to be sent again. `stops`
    is how often the switch was told to end it, `stop_sent_at` when it was last.
    """

    id: UUID
    kind: Kind
    subject: UUID
    part: int
    path: str
    core: str
    sent_at: float
    whisper: UUID | None = None
    channels: int = 1
    started_at: float | None = None
    ended_at: float | None = None
    masked: bool | None = False
    stop_sent_at: float = 0.0
    stops: int = 0

    @property
    def open(self) -> bool:
        return self.ended_at is None


class Tracks:
    """Those of one switch."""

    def __init__(self) -> None:
        self.known: dict[UUID, ObservedTrack] = {}
        self._by_path: dict[str, ObservedTrack] = {}
        self._of: dict[UUID, list[ObservedTrack]] = {}

    def add(self, track: ObservedTrack) -> None:
        if track.id not in self.known:
            self.known[track.id] = self._by_path[track.path] = track
            self._of.setdefault(track.subject, []).append(track)

    def of(self, subject: UUID) -> list[ObservedTrack]:
        """In the order in which they began."""
        return self._of.get(subject, [])

    def open_of(self, subject: UUID) -> list[ObservedTrack]:
        return [track for track in self.of(subject) if track.open]

    def at(self, path: str) -> ObservedTrack | None:
        return self._by_path.get(path)

    def sent(self, command: Command, now: float) -> None:
        """Note that a command left."""
        match command:
            case MaskTrack(path=path, masked=masked) if (track := self.at(path)) is not None:
                track.masked = masked
            case StopTrack(path=path) | StopMix(path=path) if (track := self.at(path)) is not None:
                track.stop_sent_at = now
                track.stops += 1

    def forget_masks(self) -> None:
        """A connection broke, and what was sent last may have gone nowhere: it has to be sent again."""
        for track in self.known.values():
            track.masked = None

    def end_all(self, subject: UUID, at: float) -> set[UUID]:
        """The subject is over, and with it what was recorded of it; which tracks that ended."""
        return {track.id for track in self.open_of(subject) if self.end(track, at)}

    def end_other_cores(self, core: str, at: float) -> set[UUID]:
        """Another run of the switch has begun; which tracks ended with those before."""
        return {track.id for track in self.known.values() if track.core != core and self.end(track, at)}

    def end_absent_mixes(self, recordings: Container[str], asked: float, settle: float) -> set[UUID]:
        """A snapshot asked `settle` seconds after a mix was begun, and that does not show it, proves its end."""
        mixes = (track for track in self.known.values() if track.kind == "mix" and track.sent_at + settle <= asked)
        return {track.id for track in mixes if track.path not in recordings and self.end(track, asked)}

    def end(self, track: ObservedTrack, at: float) -> bool:
        if not track.open:
            return False
        track.ended_at = at
        return True

    def forget(self, subjects: Iterable[UUID]) -> None:
        for subject in subjects:
            for track in self._of.pop(subject, ()):
                del self.known[track.id], self._by_path[track.path]


def track_id(subject: UUID, kind: Kind, part: int) -> UUID:
    """Two processes that plan the same track name the same one."""
    return uuid5(subject, f"{kind}.{part}")
