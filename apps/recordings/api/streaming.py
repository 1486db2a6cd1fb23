"""Answers that are made while they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import chain
from typing import Final

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

AHEAD: Final = 1 << 20
"""Bytes of samples that are opened before anything is answered: with 16 kHz mono half a minute. What is damaged in them
is a problem document; what is damaged later breaks the answer off.
"""


class PieceByPiece(StreamingHttpResponse):
    """Takes a synchronous iterator also under ASGI, where Django would read it to its end before anything is sent.
    Each piece is made in a thread, so that the loop goes on, and only when the one before it was taken.
    """

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self)
        take = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
        while (piece := await take()) is not None:
            yield piece


def read_ahead(pieces: Iterator[memoryview]) -> Iterable[memoryview]:
    """The same pieces, those up to AHEAD taken already."""
    taken: list[memoryview] = []
    size = 0
    while size < AHEAD and (piece := next(pieces, None)) is not None:
        taken.append(memoryview(bytes(piece)))
        size += len(piece)
    return chain(taken, pieces)
