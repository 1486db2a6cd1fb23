"""An engine that says what a test wants, and remembers what it was asked: for what a real one seldom does."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field

from apps.minutes.engines.protocol import Clip, Decoded, Piece, Samples


def decoded(text: str, *, log_probability: float = -0.2, compression: float = 1.0, no_speech: float = 0.0) -> Decoded:
    pieces = (Piece(0, 1000, text),) if text else ()
    return Decoded(pieces, "en", log_probability, compression, no_speech)


@dataclass
class Scripted:
    """`says` is called with each clip and whether it is decoded with care."""

    says: Callable[[Clip, bool], Decoded]
    languages: Sequence[dict[str, float]] = ()
    name: str = "scripted"
    model: str = "none"
    asked: list[tuple[int, int, bool]] = field(default_factory=list)
    """Of each call: how many clips, the beam, whether with care."""

    def detect_language(
        self, clips: Sequence[Samples], among: Sequence[str], *, soon: Container[int] = ()
    ) -> list[dict[str, float]]:
        assert len(clips) == len(self.languages)
        assert all(set(each) == set(among) for each in self.languages)
        return list(self.languages)

    def transcribe(self, clips: Sequence[Clip], *, beam: int, careful: bool = False) -> list[Decoded]:
        if clips:
            self.asked.append((len(clips), beam, careful))
        return [self.says(clip, careful) for clip in clips]
