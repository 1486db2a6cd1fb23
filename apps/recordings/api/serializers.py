"""What the API says of what was recorded. The context has the caller's `actor`; for tracks also `parts`, the place of
each among those of its speaker (selectors.py), and `durations`, the milliseconds of each that can be heard now.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from apps.conferences.actors import Actor
from apps.conferences.api.serializers import InstantField, ModelSerializer
from apps.recordings.links import Part, token_of
from apps.recordings.models import Track, Utterance


class TrackSerializer(ModelSerializer[Track]):
    name = serializers.CharField(source="participant.name", default="", help_text="Of the participant.")
    part = serializers.SerializerMethodField(
        help_text="The first, second … of its kind of this participant, or of the main room: after a pause, or when the"
        " line or the switch was down, there is another."
    )
    started_at = InstantField(source="begins_at", allow_null=True)
    duration_ms = serializers.SerializerMethodField(help_text="What can be heard now.")
    audio = serializers.SerializerMethodField(
        help_text="The address of the sound, good for ten minutes and for the caller only; null: nothing can be heard."
    )

    class Meta:
        model = Track
        fields = [
            *("id", "kind", "participant", "name", "whisper", "part", "started_at", "ended_at", "state"),
            *("duration_ms", "audio"),
        ]
        read_only_fields = fields

    def get_part(self, track: Track) -> int:
        part: int = self.context["parts"][track.pk]
        return part

    def get_duration_ms(self, track: Track) -> int:
        duration: int = self.context["durations"][track.pk]
        return duration

    def get_audio(self, track: Track) -> str | None:
        duration = self.get_duration_ms(track)
        return _address(self, Part(track.pk, 0, duration)) if duration else None


class RecordingSerializer(serializers.Serializer[Any]):
    tracks = TrackSerializer(many=True)
    abilities = serializers.ListField(child=serializers.CharField(), help_text="What the caller may do.")


class PeaksSerializer(serializers.Serializer[Any]):
    per_second = serializers.IntegerField()
    peaks = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=255),
        help_text="The loudest sample of each tenth of a second, evenly in dB: 255 is full scale, 0 is -60 dB or less.",
    )


class UtteranceSerializer(ModelSerializer[Utterance]):
    """`audio` of something said a moment ago may be refused for a few seconds (nothing_recorded)."""

    participant = serializers.UUIDField(source="track.participant_id", allow_null=True)
    name = serializers.CharField(source="track.participant.name", default="", help_text="Of the participant.")
    starts_at = InstantField()
    ends_at = InstantField()
    start_ms = serializers.IntegerField(source="start", help_text="Where it begins in its track.")
    audio = serializers.SerializerMethodField(help_text="As in tracks.")

    class Meta:
        model = Utterance
        fields = ["id", "track", "participant", "name", "starts_at", "ends_at", "start_ms", "audio"]
        read_only_fields = fields

    def get_audio(self, utterance: Utterance) -> str | None:
        if utterance.track.state not in (Track.State.LIVE, Track.State.SEALED):
            return None
        return _address(self, Part(utterance.track_id, utterance.start, utterance.end))


def _address(serializer: serializers.BaseSerializer[Any], part: Part) -> str:
    actor: Actor = serializer.context["actor"]
    return reverse("recording-audio", args=[token_of(part, actor.user)])
