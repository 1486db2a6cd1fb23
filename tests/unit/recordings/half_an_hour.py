"""Half an hour of a conference as a switch records it that loses frames now and then; in a moment, by the real sealer.

It is recorded, paused, and recorded again. What is where is known to the frame, and nothing of it is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from apps.conferences.models import Participant
from apps.recordings.models import Track, Utterance
from apps.recordings.tasks import align_mixes
from apps.switch.speech import speak
from tests.factories import add_participant
from tests.unit.recordings.recording import Recording

Sound = NDArray[np.int16]
Kept = NDArray[np.bool_]

FRAME = 320
MS = 20
"""Of a frame: samples, and milliseconds."""
SECOND = 50
BLOCK = 30 * SECOND
"""Frames that are recorded, and sealed, at once."""
PARTS = ((0, 20 * 60 * SECOND), (21 * 60 * SECOND, 31 * 60 * SECOND))
"""From and to, in frames of the conference's clock."""
BEHIND = (3, 1)
"""Frames by which the mix of each part is behind the voices."""
LOSSES = (0, 6, 12, 18, 6)
"""How often each loses frames in a part, and the mix does: one or two of them,"""
APART = 12 * SECOND
"""so far from each other that nobody loses twice within one utterance."""
MUTED = (8 * 60 * SECOND, 9 * 60 * SECOND)
"""When the last one is muted, and speaks on."""
VOICES = [("zh-CN", "m3", 45), ("zh-CN", "f2", 60), ("en-US", "m1", 40), ("en-US", "f3", 70)]
SENTENCES = {
    "zh-CN": [
        "会议将在五分钟后结束。",
        "这个问题我们下周再讨论。",
        "请大家准备表决",
        "上个季度的销售增长了百分之十二",
        "我同意王芳的意见",
        "合同还没有签字",
    ],
    "en-US": [
        "Let us move on to the next item.",
        "The budget was approved last Friday.",
        "I would like to hear what finance thinks about it.",
        "Nobody objects, so it is decided.",
        "Could you share the numbers again?",
        "We open the new office in March.",
    ],
}


@dataclass(frozen=True, slots=True)
class Said:
    """`start` in frames of the conference's clock."""

    who: int
    start: int
    sound: Sound

    @property
    def end(self) -> int:
        return self.start + len(self.sound) // FRAME

    @property
    def is_heard(self) -> bool:
        muted = self.who == len(VOICES) - 1 and MUTED[0] <= self.start < MUTED[1]
        return not muted and any(start <= self.start < end for start, end in PARTS)

    @property
    def is_whole(self) -> bool:
        """Whether no recording, and no mute, begins or ends within it."""
        return not any(self.start <= edge <= self.end for span in (*PARTS, MUTED) for edge in span)


class HalfAnHour:
    """`run` it; then ask which frame is where in a track, and in the mix."""

    def __init__(self, recording: Recording, seed: int = 1) -> None:
        self._recording, self._dice = recording, Random(seed)
        self.began = timezone.now() - timedelta(hours=1)
        self.people: list[Participant] = [add_participant(recording.conference) for _ in VOICES]
        self.said = list(self._conversation())
        self._kept: dict[Any, Kept] = {}
        self._part: dict[Any, int] = {}
        self.live: dict[UUID, int] = {}
        """What was known while it ran: of each utterance, by how much it is later in the mix."""
        self.lags: dict[UUID, int] = {}
        """The same, in the end."""

    def _conversation(self) -> Iterator[Said]:
        """By turns, some at the same time; nobody goes on within a second after they spoke."""
        sounds = {
            who: [self._framed(speak(text, tongue, variant=variant, pitch=pitch)) for text in SENTENCES[tongue]]
            for who, (tongue, variant, pitch) in enumerate(VOICES)
        }
        free = [0] * len(VOICES)
        now, last = SECOND, PARTS[-1][1]
        while now < last:
            who = self._dice.choice([each for each, at in enumerate(free) if at <= now])
            said = Said(who, now, self._dice.choice(sounds[who]))
            if said.is_whole:
                yield said
            free[who] = said.end + SECOND
            now = max(now + SECOND // 2, said.end + self._dice.randint(-SECOND, 3 * SECOND))

    @staticmethod
    def _framed(sound: Sound) -> Sound:
        """Whole frames, from its first sound to its last."""
        loud = np.flatnonzero(np.abs(sound) > 300)
        sound = sound[loud[0] : loud[-1]] // 2
        return np.concatenate([sound, np.zeros(-len(sound) % FRAME, np.int16)])

    def _kept_of(self, count: int) -> Iterator[Kept]:
        """Of so many frames those that are recorded, of everybody and of the mix."""
        slots = self._dice.sample(range(count // APART), sum(LOSSES))
        for losses in LOSSES:
            kept = np.ones(count, bool)
            for slot in slots[:losses]:
                place = slot * APART + self._dice.randrange(APART // 4)
                kept[place : place + self._dice.choice([1, 2])] = False
            del slots[:losses]
            yield kept

    def _block(self, who: int, first: int, count: int) -> Sound:
        """What comes from somebody in these frames; shape (count, FRAME)."""
        found = np.zeros((count + 1000) * FRAME, np.int16)
        for said in self.said:
            if said.who == who and said.end > first and said.start < first + count:
                offset = max(0, first - said.start) * FRAME
                at = max(0, said.start - first) * FRAME
                found[at : at + len(said.sound) - offset] = said.sound[offset:]
        block = found.reshape(-1, FRAME)[:count]
        if who == len(VOICES) - 1:
            block[max(0, MUTED[0] - first) : max(0, MUTED[1] - first)] = 0
        return block

    def at(self, frame: float) -> datetime:
        return self.began + timedelta(milliseconds=frame * MS)

    def run(self) -> None:
        sealer = self._recording.sealer()
        for part, (first, last) in enumerate(PARTS):
            count = last - first
            # The switch tells the beginning of a track to a frame, and no better.
            taps = [
                self._recording.track(participant=person, started_at=self.at(first + self._dice.uniform(-0.5, 0.5)))
                for person in self.people
            ]
            mix = self._recording.track(
                kind=Track.Kind.MIX,
                participant=None,
                leg=None,
                started_at=self.at(first + self._dice.uniform(-0.5, 0.5)),
            )
            *kept, mixed_kept = self._kept_of(count)
            for tap, each in zip([*taps, mix], [*kept, mixed_kept], strict=True):
                self._kept[tap.track.pk], self._part[tap.track.pk] = each, part
            behind = np.zeros((BEHIND[part], FRAME), np.int32)
            for start in range(0, count, BLOCK):
                here = slice(start, min(start + BLOCK, count))
                mixed = np.zeros((here.stop - here.start, FRAME), np.int32)
                for who, tap in enumerate(taps):
                    block = self._block(who, first + start, len(mixed))
                    block[~kept[who][here]] = 0
                    mixed += block
                    self._write(tap, block[kept[who][here]])
                mixed, behind = np.split(np.concatenate([behind, mixed]), [len(mixed)])
                self._write(mix, mixed[mixed_kept[here]])
                sealer.round()
                align_mixes()
            self.live.update(self._lags(mix.track))
            for tap in [*taps, mix]:
                Track.objects.filter(pk=tap.track.pk).update(ended_at=self.at(last))
            while sealer.round():
                pass
        align_mixes()
        for aligned in Track.objects.filter(kind=Track.Kind.MIX):
            self.lags.update(self._lags(aligned))

    def _lags(self, mix: Track) -> dict[UUID, int]:
        mix.refresh_from_db()
        beside = [track for track, part in self._part.items() if part == self._part[mix.pk]]
        said = Utterance.objects.filter(track__in=beside)
        return {each.pk: each.shift + (mix.behind or 0) for each in said if each.shift is not None}

    @staticmethod
    def _write(tap: Any, frames: NDArray[Any]) -> None:
        with tap.clear.open("ab") as file:
            file.write(np.clip(frames, -32_768, 32_767).astype("<i2").tobytes())

    def moment(self, track: Track, milliseconds: int) -> int:
        """What is at this place of a track came in this frame."""
        kept = np.flatnonzero(self._kept[track.pk])
        return PARTS[self._part[track.pk]][0] + int(kept[min(milliseconds // MS, len(kept) - 1)])

    def in_mix(self, mix: Track, frame: int) -> int:
        """At which millisecond of a mix somebody is heard whose voice came in this frame."""
        part = self._part[mix.pk]
        return int(self._kept[mix.pk][: frame - PARTS[part][0] + BEHIND[part]].sum()) * MS

    def spoken(self, track: Track, first: int, last: int) -> Said:
        """What was said in these frames by whose track it is."""
        assert track.participant is not None
        who = self.people.index(track.participant)
        [found] = [each for each in self.said if each.who == who and each.start < last and each.end > first]
        return found

    def lost(self, track: Track) -> int:
        """Milliseconds that are missing in a track."""
        return int((~self._kept[track.pk]).sum()) * MS
