"""Sound as an answer: WAV, whole or a range of it, or Opus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from apps.core.errors import FieldError, Invalid
from apps.recordings.audio import WAV_HEADER, Tags, can_be_opus, opus, wav_header

from .ranges import asked_range
from .streaming import PieceByPiece, read_ahead
from .views import NOT_KEPT

WAV: Final = "audio/wav"
OGG: Final = "audio/ogg"
SUFFIXES: Final = {"wav": WAV, "opus": OGG}

FORMAT: Final = OpenApiParameter("format", str, enum=list(SUFFIXES), default="wav")
RANGE: Final = OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="Of WAV: one range.")
WHOLE: Final = dict.fromkeys(((200, WAV), (200, OGG)), OpenApiTypes.BINARY)
OR_A_RANGE: Final = dict.fromkeys(((200, WAV), (200, OGG), (206, WAV)), OpenApiTypes.BINARY)


class Sound(Protocol):
    """Samples that can be had from anywhere. `tag` is another one for other sound."""

    @property
    def size(self) -> int: ...
    @property
    def rate(self) -> int: ...
    @property
    def channels(self) -> int: ...
    @property
    def tag(self) -> str: ...

    def pieces(self, offset: int = 0, length: int | None = None) -> Iterator[memoryview]: ...


def answer(request: Request, sound: Sound, chosen: str) -> HttpResponseBase:
    """To be heard at once."""
    response = _opus(request, sound) if chosen == "opus" else _wav(request, sound)
    response["Content-Disposition"] = "inline"
    return response


def whole_file(request: Request, sound: Sound, chosen: str, tags: Tags) -> HttpResponseBase:
    """To be kept."""
    return _opus(request, sound, tags) if chosen == "opus" else _whole_wav(request, sound, tags)


def asked_format(request: Request) -> str:
    chosen = request.query_params.get("format", "wav")
    if chosen not in SUFFIXES:
        raise Invalid(errors=[FieldError("format", "invalid_choice", _("Ask for wav or opus."))])
    return chosen


def _wav(request: Request, sound: Sound) -> HttpResponseBase:
    """The whole, or the range that is asked for. What a link leads to grows only while it is being recorded; its tag
    then changes with its length.
    """
    header = wav_header(sound.size, sound.rate, sound.channels)
    length = WAV_HEADER + sound.size
    etag = f'"{sound.tag}"'
    headers = {**NOT_KEPT, "Accept-Ranges": "bytes", "ETag": etag}
    wanted = None
    if request.method == "GET" and request.headers.get("If-Range", etag) == etag:
        wanted = asked_range(request.headers.get("Range"), length)
    first, end = wanted or (0, length)
    headers["Content-Length"] = str(end - first)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{length}"
    if request.method == "HEAD":
        return PieceByPiece((), content_type=WAV, headers=headers)
    offset = max(0, first - WAV_HEADER)
    samples = read_ahead(sound.pieces(offset, max(0, end - WAV_HEADER - offset)))
    return PieceByPiece(
        _joined(header[first:end], samples), status=206 if wanted else 200, content_type=WAV, headers=headers
    )


def _whole_wav(request: Request, sound: Sound, tags: Tags) -> HttpResponseBase:
    header = wav_header(sound.size, sound.rate, sound.channels, tags)
    headers = {**NOT_KEPT, "Accept-Ranges": "none", "Content-Length": str(len(header) + sound.size)}
    if request.method == "HEAD":
        return PieceByPiece((), content_type=WAV, headers=headers)
    return PieceByPiece(_joined(header, read_ahead(sound.pieces())), content_type=WAV, headers=headers)


def _opus(request: Request, sound: Sound, tags: Tags | None = None) -> HttpResponseBase:
    """Always the whole: its length is known when it is made, and no second time are the bytes the same."""
    if not can_be_opus(sound.rate, sound.channels):
        detail = _("This recording cannot be had as Opus; ask for wav.")
        raise Invalid(errors=[FieldError("format", "invalid_choice", detail)])
    headers = {**NOT_KEPT, "Accept-Ranges": "none"}
    if request.method == "HEAD":
        return PieceByPiece((), content_type=OGG, headers=headers)
    made = opus(read_ahead(sound.pieces()), sound.rate, sound.channels, tags)
    return PieceByPiece(made, content_type=OGG, headers=headers)


def _joined(header: bytes, samples: Any) -> Iterator[bytes | memoryview]:
    if header:
        yield header
    yield from samples
