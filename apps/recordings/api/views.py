"""What there is of a conference to hear."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conferences.access import Action
from apps.conferences.api.joining import WITH_GUESTS
from apps.conferences.api.views import OfConference, by
from apps.core.api.idempotency import IdempotentMixin
from apps.core.api.pages import Pages
from apps.recordings.erasing import erase_voice
from apps.recordings.models import Utterance
from apps.recordings.peaks import PER_SECOND, peaks_of
from apps.recordings.replay import playable
from apps.recordings.selectors import parts_of, shown_of, track_of, tracks_for, utterances_for

from .serializers import PeaksSerializer, RecordingSerializer, UtteranceSerializer

ABILITIES = frozenset({Action.REPLAY, Action.EXPORT, Action.ERASE})
#: The links in them are the caller's own.
NOT_KEPT = {"Cache-Control": "no-store, private"}


class RecordingView(OfConference[Any]):
    """The tracks, while the conference runs and after it. Those of a whisper are told only to those who were in it."""

    authentication_classes = WITH_GUESTS
    needs = Action.REPLAY
    serializer_class = RecordingSerializer

    @extend_schema(operation_id="recording_retrieve")
    def get(self, request: Request, conference_id: UUID) -> Response:
        actor = self.actor()
        tracks = shown_of(tracks_for(actor, conference_id))
        recording = {"tracks": tracks, "abilities": actor.abilities(ABILITIES)}
        durations = {track.pk: playable(track) for track in tracks}
        context = {"actor": actor, "parts": parts_of(tracks), "durations": durations}
        return Response(RecordingSerializer(recording, context=context).data, headers=NOT_KEPT)


class EraseInput(serializers.Serializer[Any]):
    participant = serializers.UUIDField()


class EraseView(IdempotentMixin, OfConference[Any]):
    """Erase all that one person said, for good, also from the main room: that is mixed anew from the others."""

    needs = Action.ERASE

    @extend_schema(operation_id="recording_erase", request=EraseInput, responses={204: None})
    def post(self, request: Request, conference_id: UUID) -> Response:
        self.actor()
        asked = EraseInput(data=request.data)
        asked.is_valid(raise_exception=True)
        erase_voice(by=by(request), conference_id=conference_id, participant_id=asked.validated_data["participant"])
        return Response(status=204)


class PeaksView(OfConference[Any]):
    """How loud a track is, for drawing; for whoever may hear it, once it has ended."""

    authentication_classes = WITH_GUESTS
    needs = Action.REPLAY
    serializer_class = PeaksSerializer

    @extend_schema(operation_id="recording_peaks")
    def get(self, request: Request, conference_id: UUID, track_id: UUID) -> Response:
        track = track_of(self.actor(), conference_id, track_id)
        answer = PeaksSerializer({"per_second": PER_SECOND, "peaks": peaks_of(track)})
        return Response(answer.data, headers=NOT_KEPT)


class ByStart(Pages):
    ordering = ("starts_at", "id")
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000


class UtteranceFilter(filters.FilterSet):
    participant = filters.UUIDFilter(field_name="track__participant_id")
    after = filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="gt", help_text="Those that end after it.")

    class Meta:
        model = Utterance
        fields = ["participant", "after"]


class UtteranceListView(mixins.ListModelMixin, OfConference[Utterance]):
    """Who spoke when, in the order in which they began."""

    authentication_classes = WITH_GUESTS
    needs = Action.REPLAY
    serializer_class = UtteranceSerializer
    pagination_class = ByStart
    filter_backends = [filters.DjangoFilterBackend]
    filterset_class = UtteranceFilter
    queryset = Utterance.objects.all()

    @extend_schema(operation_id="utterances_list")
    def get(self, request: Request, conference_id: UUID) -> Response:
        self._actor = self.actor()
        page = self.list(request)
        return Response(page.data, headers=NOT_KEPT)

    def get_queryset(self) -> QuerySet[Utterance]:
        return utterances_for(self._actor, self.kwargs["conference_id"])

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "actor": self._actor}
