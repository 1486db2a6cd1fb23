"""What is wrong with a sealed file or with its key. No text here ever holds a key or audio."""

from __future__ import annotations


class SealProblem(Exception):  # noqa: N818 - not always an error: a live file lacks its last frame
    """Any of those below."""


class Damaged(SealProblem):
    """Something does not verify. `frame` says where; None is the header."""

    def __init__(self, frame: int | None) -> None:
        self.frame = frame
        super().__init__("the header is damaged" if frame is None else f"frame {frame} is damaged")


class Truncated(SealProblem):
    """There is less than there has to be; `frames` whole ones are there. A file without its last frame is that, too."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        super().__init__(f"cut off after {frames} whole frames")


class WrongKey(SealProblem):
    """The key does not belong to this. A header in which a bit was flipped cannot be told from that."""


class UnknownVersion(SealProblem):
    """Made by a newer version of the format, or with other samples; or the bytes that say so are damaged."""


class Complete(SealProblem):
    """The track has its last frame: nothing can come after it."""


class TooLong(SealProblem):
    """More frames than a file may have (`frames.MAX_FRAMES`)."""


class UnknownKey(SealProblem):
    """There is no key-encryption key of this id."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__(f"no key-encryption key {key_id!r}")


class BadKeys(SealProblem):
    """The key-encryption keys cannot be used as they are configured. The text says what would be right."""


class KeysAway(SealProblem):
    """Whoever has the key-encryption key does not answer. Nothing is wrong with what is sealed: ask again later."""
