"""The sound itself: to listen to by a link, and to take along."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
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
from apps.recordings.audio import Tags
from apps.recordings.errors import RangeNotSatisfiable
from apps.recordings.links import part_of
from apps.recordings.models import Track
from apps.recordings.replay import note_export, note_listening, open_clip
from apps.recordings.selectors import speech_of, track_of, track_to_hear
from apps.recordings.speech import open_speech

from .answers import FORMAT, OR_A_RANGE, RANGE, WHOLE, answer, asked_format, whole_file


class AnyAudio(DefaultContentNegotiation):
    """`format` is a parameter of ours, and players accept audio only: problems are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


class Ranged(APIView):
    """Answers with ranges, and says how long the whole is where there is no such range."""

    content_negotiation_class = AnyAudio

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{exc.length}"
        return response


class TimesInput(serializers.Serializer[Any]):
    """Milliseconds from where the link's part begins."""

    start = serializers.IntegerField(min_value=0, default=0)
    end = serializers.IntegerField(min_value=1, required=False)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("end", asked["start"] + 1) <= asked["start"]:
            raise serializers.ValidationError({"end": _("It has to be after the start.")})
        return asked


class AudioView(Ranged):
    """A part of a track, by a link of `recording/` or `recording/utterances/`, or what of it is between two times.
    Asked with HEAD it is opened, not heard.
    """

    authentication_classes = WITH_GUESTS

    @extend_schema(operation_id="recordings_audio", parameters=[FORMAT, TimesInput, RANGE], responses=OR_A_RANGE)
    def get(self, request: Request, token: str) -> HttpResponseBase:
        caller = caller_of(request)
        part = part_of(token, caller)
        track = track_to_hear(caller, part.track)
        asked = TimesInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        times = asked.validated_data
        chosen = asked_format(request)
        start = part.start + times["start"]
        end = min(part.end, part.start + times["end"]) if "end" in times else part.end
        response = answer(request, open_clip(track, start, end), chosen)
        if request.method == "GET":
            note_listening(audit.By(caller, address_of(request)), track, start, end)
        return response


class SpeechInput(serializers.Serializer[Any]):
    participant = serializers.UUIDField()


class SpeechView(Ranged, OfConference[Any]):
    """All that one person said in the main room, one utterance after the other, as far as it can be heard now."""

    authentication_classes = WITH_GUESTS
    needs = Action.REPLAY

    @extend_schema(operation_id="recording_speech", parameters=[FORMAT, SpeechInput, RANGE], responses=OR_A_RANGE)
    def get(self, request: Request, conference_id: UUID) -> HttpResponseBase:
        actor = self.actor()
        asked = SpeechInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        chosen = asked_format(request)
        said = list(speech_of(actor, conference_id, asked.validated_data["participant"]))
        response = answer(request, open_speech(said), chosen)
        if request.method == "GET":
            for track, utterances in groupby(said, key=lambda each: each.track):
                spans = list(utterances)
                note_listening(by(request), track, spans[0].start, spans[-1].end)
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
        responses=WHOLE,
    )
    def get(self, request: Request, conference_id: UUID) -> HttpResponseBase:
        actor = self.actor()
        asked = ExportInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        track = track_of(actor, conference_id, asked.validated_data["track"])
        chosen = asked_format(request)
        response = whole_file(request, open_clip(track, 0), chosen, _tags(actor, track))
        if request.method == "GET":
            note_export(by(request), track, chosen)
        response["Content-Disposition"] = content_disposition_header(True, _file_name(track, chosen)) or ""
        return response


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
