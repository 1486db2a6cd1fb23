"""What one person said, without what was between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from .errors import NothingRecorded, NotOfOneKind
from .models import Utterance
from .replay import Clip, open_clip


@dataclass(frozen=True, slots=True)
class Speech:
    """Clips of one rate and as many channels, one after the other; for one thread at a time."""

    clips: Sequence[Clip]

    @property
    def size(self) -> int:
        return sum(clip.size for clip in self.clips)

    @property
    def rate(self) -> int:
        return self.clips[0].rate

    @property
    def channels(self) -> int:
        return self.clips[0].channels

    @property
    def tag(self) -> str:
        """Of one person's speech, which only grows or is erased."""
        return f"{self.clips[0].tag}-{self.clips[-1].tag}-{self.size}"

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """The samples, from `offset` on; each piece is good until the next. Raises what Clip.pieces does."""
        left = self.size - offset if length is None else min(length, self.size - offset)
        for clip in self.clips:
            if left > 0 and offset < clip.size:
                yield from clip.pieces(offset, left)
                left -= min(left, clip.size - offset)
            offset = max(0, offset - clip.size)


def open_speech(utterances: Iterable[Utterance]) -> Speech:
    """Of utterances in their order, as much as can be heard now. Each track is opened once. Raises NothingRecorded,
    NotOfOneKind, and what `open_clip` does.
    """
    whole: dict[UUID, Clip] = {}
    clips = []
    for utterance in utterances:
        if utterance.track_id not in whole:
            whole[utterance.track_id] = open_clip(utterance.track, 0)
        clip = whole[utterance.track_id].between(utterance.start, utterance.end)
        if clip.size:
            clips.append(clip)
    if not clips:
        raise NothingRecorded
    if len({(clip.rate, clip.channels) for clip in clips}) > 1:
        raise NotOfOneKind
    return Speech(clips)
