"""Reading minutes: what there is, the passages as they change, their sound, and where something was said."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.conferences.access import Action
from apps.conferences.actors import Actor
from apps.conferences.api.joining import WITH_GUESTS, caller_of
from apps.conferences.api.views import OfConference, address_of, user_of
from apps.conferences.models import Conference
from apps.conferences.selectors import actor_for
from apps.core import audit
from apps.core.errors import FieldError, Invalid, NotFound
from apps.minutes.attendance import attendees_of
from apps.minutes.engine_state import engine_state
from apps.minutes.models import Minutes, Passage
from apps.minutes.rights import may_see
from apps.minutes.search import search, search_in
from apps.minutes.selectors import (
    Place,
    minutes_to_read,
    passages_since,
    progress_of,
    whispers_with_minutes,
    with_words,
)
from apps.minutes.services.summary import can_summarise
from apps.minutes.telling import for_reader, read_along, shown
from apps.minutes.transcribing.queue import behind
from apps.recordings.api.answers import FORMAT, OR_A_RANGE, RANGE, answer, asked_format
from apps.recordings.api.audio import Ranged
from apps.recordings.api.views import NOT_KEPT
from apps.recordings.replay import note_listening, open_clip
from apps.recordings.selectors import track_to_hear

from . import serializers as said

ABILITIES = frozenset(
    {
        *(Action.READ_MINUTES, Action.CORRECT_MINUTES, Action.SIGN_MINUTES),
        *(Action.REPLAY, Action.EXPORT),
    }
)
WHISPER = OpenApiParameter("whisper", UUID, description="Of this whisper, in place of the main room.")
MOST_PASSAGES = 500
MOST_HITS = 500
OWN_WORDS = "correct_own_words"


def abilities_of(actor: Actor) -> list[str]:
    own = [OWN_WORDS] if actor.may_to_self(Action.CORRECT_MINUTES) else []
    return sorted([*actor.abilities(ABILITIES), *own])


class WhichSerializer(serializers.Serializer[Any]):
    whisper = serializers.UUIDField(required=False)
    since = serializers.CharField(required=False, default="0")

    def validate_since(self, text: str) -> Place:
        try:
            return Place.of(text)
        except ValueError:
            raise serializers.ValidationError(_("Send what was in next.")) from None


class OfMinutes(OfConference[Any]):
    """`needs` is not asked for: what one must be allowed to read depends on whether the conference runs."""

    authentication_classes = WITH_GUESTS

    def found(self) -> tuple[Actor, Conference, Minutes | None]:
        """Who asks, and the minutes that are meant. Raises what says why they may not be read."""
        asked = WhichSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        key = self.kwargs["conference_id"]
        actor = actor_for(caller_of(self.request), Conference, key)
        conference = Conference.objects.get(pk=key)
        minutes = minutes_to_read(actor, conference, asked.validated_data.get("whisper"))
        self.place: Place = asked.validated_data["since"]
        return actor, conference, minutes


class MinutesView(OfMinutes):
    serializer_class = said.MinutesSerializer

    @extend_schema(operation_id="minutes_retrieve", parameters=[WHISPER])
    def get(self, request: Request, conference_id: UUID) -> Response:
        actor, conference, minutes = self.found()
        if minutes is None:
            minutes = Minutes(id=None, conference=conference)
        minutes.conference = conference
        there = minutes.pk is not None
        document = {
            "id": minutes.pk,
            "state": minutes.state if there else "none",
            "seq": minutes.seq,
            "conference": conference_id,
            "title": conference.title,
            "agenda": conference.agenda,
            "whisper": minutes.whisper,
            "whispers": whispers_with_minutes(actor, conference),
            "started_at": conference.started_at,
            "ended_at": conference.ended_at,
            "policy": conference.minutes_policy,
            "captions": read_along(conference),
            "attendees": attendees_of(minutes),
            "progress": asdict(progress_of(minutes)),
            "behind_ms": round(behind(minutes) * 1000) if there else 0,
            "engine": engine_state(),
            "summary": minutes.summary,
            "versions": minutes.versions.all() if there else [],
            "can_summarise": can_summarise(actor, minutes),
            "abilities": abilities_of(actor),
        }
        return Response(said.MinutesSerializer(document).data, headers=NOT_KEPT)


class PassagesView(OfMinutes):
    """All of them, or with `since` those that changed since; people who may not correct are not told what is hidden."""

    serializer_class = said.PassagesSerializer

    @extend_schema(operation_id="minutes_passages", parameters=[WHISPER, OpenApiParameter("since", str)])
    def get(self, request: Request, conference_id: UUID) -> Response:
        actor, _conference, minutes = self.found()
        hidden = bool(actor.may(Action.CORRECT_MINUTES))
        erased = minutes.erased if minutes else 0
        whole = self.place.seq == 0 or self.place.erased != erased
        place = Place(0, None, erased) if whole else self.place
        found = passages_since(minutes, place, hidden=hidden, most=MOST_PASSAGES + 1) if minutes else []
        page = found[:MOST_PASSAGES]
        if page:
            place = Place(page[-1].seq, page[-1].pk, erased)
        written = [for_reader(each, actor) for each in page]
        document = {"passages": written, "next": str(place), "more": len(found) > len(page), "whole": whole}
        return Response(document, headers=NOT_KEPT)


class TimesSerializer(serializers.Serializer[Any]):
    """Milliseconds of the track; without them, of the whole passage."""

    start = serializers.IntegerField(min_value=0, required=False)
    end = serializers.IntegerField(min_value=1, required=False)


class PassageAudioView(Ranged, OfConference[Any]):
    """The very words: a passage, or a part of it. It takes the right to replay as well."""

    authentication_classes = WITH_GUESTS
    needs = Action.READ_MINUTES

    @extend_schema(
        operation_id="minutes_passage_audio", parameters=[FORMAT, TimesSerializer, RANGE], responses=OR_A_RANGE
    )
    def get(self, request: Request, conference_id: UUID, passage_id: UUID) -> HttpResponseBase:
        actor = actor_for(caller_of(request), Conference, conference_id)
        passage = passage_to_hear(actor, conference_id, passage_id)
        asked = TimesSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        start = max(passage.start, asked.validated_data.get("start", 0))
        end = min(passage.end, asked.validated_data.get("end", passage.end))
        if end <= start:
            raise Invalid(errors=[FieldError("end", "invalid", _("It has to be after the start."))])
        # Asked for by the track: a whisper is for those who were in it, and the right to replay is another one.
        track = track_to_hear(actor.user, passage.track_id)
        response = answer(request, open_clip(track, start, end), asked_format(request))
        if request.method == "GET":
            note_listening(audit.By(actor.user, address_of(request)), track, start, end)
        return response


def passage_to_hear(actor: Actor, conference_id: UUID, passage_id: UUID) -> Passage:
    """Raises NotFound."""
    there = Passage.objects.filter(pk=passage_id, minutes__conference=conference_id, removed=False)
    found = with_words(there).first()
    if found is None or not may_see(actor, found):
        raise NotFound
    return found


class WantedSerializer(serializers.Serializer[Any]):
    q = serializers.CharField(max_length=200, help_text="Words; all of them have to be there.")
    after = serializers.CharField(required=False, default="", allow_blank=True, help_text="From the answer before.")

    def validate_after(self, text: str) -> str:
        moment, _blank, key = text.partition(" ")
        try:
            if text:
                serializers.DateTimeField().to_internal_value(moment)
                UUID(key)
        except ValueError:
            raise serializers.ValidationError(_("Send what was in after.")) from None
        return text


class SearchView(APIView):
    """In all minutes that the caller may read."""

    @extend_schema(operation_id="minutes_search", parameters=[WantedSerializer], responses=said.SearchSerializer)
    def get(self, request: Request) -> Response:
        asked = WantedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found, after = search(user_of(request), asked.validated_data["q"], after=asked.validated_data["after"])
        results = [
            {
                "conference": each.conference["id"],
                "title": each.conference["title"],
                "launched_at": each.conference["launched_at"],
                "count": each.count,
                "hits": [_hit(passage) for passage in each.hits],
            }
            for each in found
        ]
        return Response({"results": results, "after": after}, headers=NOT_KEPT)


class SearchInView(OfConference[Any]):
    """In the minutes of one conference."""

    authentication_classes = WITH_GUESTS
    pagination_class = None

    @extend_schema(
        operation_id="minutes_search_in", parameters=[WantedSerializer], responses=said.HitSerializer(many=True)
    )
    def get(self, request: Request, conference_id: UUID) -> Response:
        asked = WantedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = search_in(caller_of(request), conference_id, asked.validated_data["q"], MOST_HITS)
        return Response([_hit(each) for each in found], headers=NOT_KEPT)


def _hit(passage: Passage) -> dict[str, Any]:
    whisper = passage.minutes.whisper_id
    return {**shown(passage), "whisper": whisper and str(whisper)}
