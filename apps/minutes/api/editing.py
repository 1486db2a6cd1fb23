"""Correcting minutes: passages, what they were before, and the summary."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conferences.actors import Actor
from apps.conferences.api.joining import caller_of
from apps.conferences.api.views import address_of
from apps.conferences.errors import require
from apps.core import audit
from apps.core.api.fields import TextField
from apps.core.api.idempotency import IdempotentMixin
from apps.core.errors import NotFound
from apps.minutes.errors import NoMinutes
from apps.minutes.models import Minutes, Passage
from apps.minutes.rights import may_correct, may_see
from apps.minutes.selectors import with_words
from apps.minutes.services.dividing import merge, split
from apps.minutes.services.editing import Values, edit, restore
from apps.minutes.services.summary import LONGEST, summarise, write_summary
from apps.minutes.telling import for_reader
from apps.recordings.api.views import NOT_KEPT

from . import serializers as said
from .views import WHISPER, MinutesView, OfMinutes

LONGEST_TEXT = 8000


class VersionInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=1, help_text="Of the passage, as the caller saw it.")


class SpeakerInput(VersionInput):
    participant = serializers.UUIDField(required=False, help_text="Somebody on the roster.")
    speaker = TextField(max_length=64, required=False, help_text="The name of somebody who is not on the roster.")


class PassageInput(SpeakerInput):
    text = TextField(max_length=LONGEST_TEXT, multiline=True, required=False)
    mark = serializers.ChoiceField(Passage.Mark.choices, required=False)
    task_person = TextField(max_length=64, required=False, allow_blank=True)
    task_due = serializers.DateField(required=False, allow_null=True)
    hidden = serializers.BooleanField(required=False, help_text="Not in what is distributed.")


class SplitInput(SpeakerInput):
    at = serializers.IntegerField(min_value=0, help_text="The character of the text with which the second one begins.")


class SummaryInput(serializers.Serializer[Any]):
    summary = TextField(max_length=LONGEST, multiline=True, allow_blank=True)


class ChangedSerializer(serializers.Serializer[Any]):
    passages = said.PassageSerializer(many=True)


class OfWrittenMinutes(OfMinutes):
    def written(self) -> tuple[Actor, Minutes]:
        """Who asks, and the minutes that are meant, which are there. Raises NoMinutes."""
        actor, conference, minutes = self.found()
        if minutes is None:
            raise NoMinutes
        minutes.conference = conference
        return actor, minutes

    def by(self) -> audit.By:
        return audit.By(caller_of(self.request), address_of(self.request))


class OfPassage(OfWrittenMinutes):
    taken: type[VersionInput] = VersionInput

    def asked(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """For the services: what all of them take, and what else the body says."""
        actor, minutes = self.written()
        body = self.taken(data=self.request.data)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        which = {
            "by": self.by(),
            "actor": actor,
            "minutes_id": minutes.pk,
            "passage_id": self.kwargs["passage_id"],
            "version": values.pop("version"),
        }
        return which, values


class PassageView(OfPassage):
    taken = PassageInput

    @extend_schema(
        operation_id="minutes_edit", parameters=[WHISPER], request=PassageInput, responses=said.PassageSerializer
    )
    def patch(self, request: Request, conference_id: UUID, passage_id: UUID) -> Response:
        """Whoever may only correct their own words sends `text` and nothing else."""
        which, values = self.asked()
        return _one(edit(**which, values=cast(Values, values)), which["actor"])


class SplitView(IdempotentMixin, OfPassage):
    taken = SplitInput

    @extend_schema(operation_id="minutes_split", parameters=[WHISPER], request=SplitInput, responses=ChangedSerializer)
    def post(self, request: Request, conference_id: UUID, passage_id: UUID) -> Response:
        """Two passages; the second is of the same speaker unless another is named."""
        which, values = self.asked()
        at = values.pop("at")
        return _several(split(**which, at=at, speaker=cast(Values, values)), which["actor"])


class MergeView(IdempotentMixin, OfPassage):
    @extend_schema(
        operation_id="minutes_merge", parameters=[WHISPER], request=VersionInput, responses=ChangedSerializer
    )
    def post(self, request: Request, conference_id: UUID, passage_id: UUID) -> Response:
        """With the next passage of the same line and speaker, which is then removed."""
        which, _values = self.asked()
        return _several(merge(**which), which["actor"])


class RestoreView(IdempotentMixin, OfPassage):
    @extend_schema(
        operation_id="minutes_restore", parameters=[WHISPER], request=VersionInput, responses=said.PassageSerializer
    )
    def post(self, request: Request, conference_id: UUID, passage_id: UUID) -> Response:
        """The text that the engine wrote, in place of what was made of it."""
        which, _values = self.asked()
        return _one(restore(**which), which["actor"])


class RevisionsView(OfWrittenMinutes):
    @extend_schema(operation_id="minutes_revisions", parameters=[WHISPER], responses=said.RevisionsSerializer)
    def get(self, request: Request, conference_id: UUID, passage_id: UUID) -> Response:
        """For whoever may correct the passage."""
        actor, minutes = self.written()
        passage = with_words(minutes.passages.all()).filter(pk=passage_id).first()
        if passage is None or not may_see(actor, passage):
            raise NotFound
        require(may_correct(actor, passage, text_only=True))
        original = passage.transcript
        document = {
            "original": {
                "sentences": [
                    {"start_ms": start, "end_ms": end, "text": text, "confidence": confidence}
                    for start, end, text, confidence in original.sentences
                ],
                "engine": original.engine,
                "written_at": original.written_at,
            },
            "revisions": passage.revisions.all(),
        }
        return Response(said.RevisionsSerializer(document).data, headers=NOT_KEPT)


class EditableMinutesView(MinutesView, OfWrittenMinutes):
    @extend_schema(
        operation_id="minutes_write_summary",
        parameters=[WHISPER],
        request=SummaryInput,
        responses=said.MinutesSerializer,
    )
    def patch(self, request: Request, conference_id: UUID) -> Response:
        actor, minutes = self.written()
        body = SummaryInput(data=request.data)
        body.is_valid(raise_exception=True)
        write_summary(by=self.by(), actor=actor, minutes_id=minutes.pk, summary=body.validated_data["summary"])
        return self.get(request, conference_id)


class SummariseView(EditableMinutesView):
    """Not idempotent by a key, which would hold a transaction open while the service writes: a repeat asks it again."""

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="minutes_summarise", parameters=[WHISPER], request=None, responses=said.MinutesSerializer
    )
    def post(self, request: Request, conference_id: UUID) -> Response:
        """Have the configured service draft a summary, below the one that there is. It takes up to a minute."""
        actor, minutes = self.written()
        summarise(by=self.by(), actor=actor, minutes=minutes)
        return self.get(request, conference_id)


def _one(passage: Passage, actor: Actor) -> Response:
    return Response(for_reader(passage, actor), headers=NOT_KEPT)


def _several(passages: tuple[Passage, ...], actor: Actor) -> Response:
    return Response({"passages": [for_reader(each, actor) for each in passages]}, headers=NOT_KEPT)
