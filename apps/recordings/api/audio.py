"""The sound itself: to listen to by a link, and to take along."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.api.joining import WITH_GUESTS, caller_of
from apps.conferences.api.views import OfConference, address_of, by
from apps.core import audit
from apps.core.errors import FieldError, Invalid
from apps.recordings.audio import WAV_HEADER, Tags, can_be_opus, opus, wav_header
from apps.recordings.errors import RangeNotSatisfiable
from apps.recordings.links import part_of
from apps.recordings.models import Track
from apps.recordings.replay import Clip, note_export, note_listening, open_clip
from apps.recordings.selectors import track_of, track_to_hear

from .ranges import asked_range
from .streaming import PieceByPiece, read_ahead
from .views import NOT_KEPT

WAV: Final = "audio/wav"
OGG: Final = "audio/ogg"
_SUFFIX: Final = {"wav": WAV, "opus": OGG}

FORMAT = OpenApiParameter("format", str, enum=list(_SUFFIX), default="wav")


class AnyAudio(DefaultContentNegotiation):
    """`format` is a parameter of ours, and players accept audio only: problems are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


class AudioView(APIView):
    """A part of a track, by a link of `recording/` or `recording/utterances/`. Asked with HEAD it is opened, not
    heard.
    """

    authentication_classes = WITH_GUESTS
    content_negotiation_class = AnyAudio

    @extend_schema(
        operation_id="recordings_audio",
        parameters=[FORMAT, OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="Of WAV: one range.")],
        responses=dict.fromkeys(((200, WAV), (200, OGG), (206, WAV)), OpenApiTypes.BINARY),
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        caller = caller_of(request)
        part = part_of(token, caller)
        track = track_to_hear(caller, part.track)
        chosen = _format(request)
        clip = open_clip(track, part.start, part.end)
        response = _opus(request, clip) if chosen == "opus" else _wav(request, clip)
        if request.method == "GET":
            note_listening(audit.By(caller, address_of(request)), track, part.start, part.end)
        response["Content-Disposition"] = "inline"
        return response

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{exc.length}"
        return response


class ExportInput(serializers.Serializer[Any]):
    track = serializers.UUIDField()


class ExportView(OfConference[Any]):
    """A whole track as a file that says whom it was given to."""

    needs = Action.EXPORT
    content_negotiation_class = AnyAudio

    @extend_schema(
        operation_id="recording_export",
        parameters=[FORMAT, ExportInput],
        responses=dict.fromkeys(((200, WAV), (200, OGG)), OpenApiTypes.BINARY),
    )
    def get(self, request: Request, conference_id: UUID) -> HttpResponseBase:
        actor = self.actor()
        asked = ExportInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        track = track_of(actor, conference_id, asked.validated_data["track"])
        chosen = _format(request)
        clip = open_clip(track, 0)
        tags = _tags(actor, track)
        response = _opus(request, clip, tags) if chosen == "opus" else _whole_wav(request, clip, tags)
        if request.method == "GET":
            note_export(by(request), track, chosen)
        response["Content-Disposition"] = content_disposition_header(True, _file_name(track, chosen)) or ""
        return response


def _format(request: Request) -> str:
    chosen = request.query_params.get("format", "wav")
    if chosen not in _SUFFIX:
        raise Invalid(errors=[FieldError("format", "invalid_choice", _("Ask for wav or opus."))])
    return chosen


def _wav(request: Request, clip: Clip) -> HttpResponseBase:
    """The whole, or the range that is asked for. What a link leads to grows only while it is being recorded; its tag
    then changes with its length.
    """
    header = wav_header(clip.size, clip.rate, clip.channels)
    length = WAV_HEADER + clip.size
    etag = f'"{clip.track.pk.hex}-{clip.start}-{clip.end}"'
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
    samples = read_ahead(clip.pieces(offset, max(0, end - WAV_HEADER - offset)))
    return PieceByPiece(
        _joined(header[first:end], samples), status=206 if wanted else 200, content_type=WAV, headers=headers
    )


def _whole_wav(request: Request, clip: Clip, tags: Tags) -> HttpResponseBase:
    header = wav_header(clip.size, clip.rate, clip.channels, tags)
    headers = {**NOT_KEPT, "Accept-Ranges": "none", "Content-Length": str(len(header) + clip.size)}
    if request.method == "HEAD":
        return PieceByPiece((), content_type=WAV, headers=headers)
    return PieceByPiece(_joined(header, read_ahead(clip.pieces())), content_type=WAV, headers=headers)


def _opus(request: Request, clip: Clip, tags: Tags | None = None) -> HttpResponseBase:
    """Always the whole: its length is known when it is made, and no second time are the bytes the same."""
    if not can_be_opus(clip.rate, clip.channels):
        detail = _("This recording cannot be had as Opus; ask for wav.")
        raise Invalid(errors=[FieldError("format", "invalid_choice", detail)])
    headers = {**NOT_KEPT, "Accept-Ranges": "none"}
    if request.method == "HEAD":
        return PieceByPiece((), content_type=OGG, headers=headers)
    made = opus(read_ahead(clip.pieces()), clip.rate, clip.channels, tags)
    return PieceByPiece(made, content_type=OGG, headers=headers)


def _joined(header: bytes, samples: Any) -> Iterator[bytes | memoryview]:
    if header:
        yield header
    yield from samples


def _name(track: Track) -> str:
    return track.participant.name if track.participant else str(track.get_kind_display())


def _tags(actor: Actor, track: Track) -> Tags:
    spoken, today = (timezone.localdate(moment) for moment in (track.started_at or track.requested_at, timezone.now()))
    comment = _("Exported for %(name)s on %(date)s") % {"name": actor.user.display_name, "date": today.isoformat()}
    return Tags(track.conference.title, _name(track), spoken.isoformat(), comment)


def _file_name(track: Track, suffix: str) -> str:
    """Title and name, without what file systems or shells have other uses for."""
    name = re.sub(r"[^\w .()–-]+", "_", f"{track.conference.title} – {_name(track)} {track.part}")
    return f"{name[:150].strip(' .')}.{suffix}"
