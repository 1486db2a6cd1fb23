"""What the API says of minutes. Passages are written by telling.py, with the fields of the live feed."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.conferences.api.serializers import InstantField
from apps.minutes.models import Minutes, Passage


class SentenceSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField(help_text="In its track.")
    end_ms = serializers.IntegerField()
    text = serializers.CharField()
    confidence = serializers.ChoiceField(["good", "check", "low"])


class SaidSerializer(serializers.Serializer[Any]):
    """`seq` is the number of its last change; `version` is what an edit has to name. `removed`: it is gone, or not for
    the caller any more.
    """

    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    version = serializers.IntegerField()
    removed = serializers.BooleanField()
    participant = serializers.UUIDField(allow_null=True)
    speaker = serializers.CharField(help_text="The name as it is read.")
    track = serializers.UUIDField()
    starts_at = InstantField()
    ends_at = InstantField()
    start_ms = serializers.IntegerField(help_text="Where it begins in its track.")
    end_ms = serializers.IntegerField()
    sentences = SentenceSerializer(many=True)
    language = serializers.CharField(help_text="Of what was said: zh, en.")
    refined = serializers.BooleanField(help_text="Nothing better comes from the engine.")
    mark = serializers.ChoiceField(Passage.Mark.choices)
    task_person = serializers.CharField()
    task_due = serializers.DateField(allow_null=True)
    hidden = serializers.BooleanField(help_text="Not in what is distributed.")
    edited = serializers.BooleanField()


class PassageSerializer(SaidSerializer):
    mine = serializers.BooleanField(help_text="The caller's own words.")


class RevisionSerializer(serializers.Serializer[Any]):
    """`before` and `after`: what it changed, by name."""

    version = serializers.IntegerField()
    at = InstantField()
    by_name = serializers.CharField()
    act = serializers.CharField(help_text="edit, split, merge, merged (into another one), restore")
    before = serializers.DictField()
    after = serializers.DictField()


class OriginalSerializer(serializers.Serializer[Any]):
    sentences = SentenceSerializer(many=True)
    engine = serializers.CharField()
    written_at = InstantField(allow_null=True)


class RevisionsSerializer(serializers.Serializer[Any]):
    original = OriginalSerializer()
    revisions = RevisionSerializer(many=True)


class PassagesSerializer(serializers.Serializer[Any]):
    """`next` is what to ask with as `since`, at once if there is `more`, else when something has changed. `whole`:
    these are not changes but the beginning of all that there is; what was read before has to go.
    """

    passages = PassageSerializer(many=True)
    next = serializers.CharField()
    more = serializers.BooleanField()
    whole = serializers.BooleanField()


class ProgressSerializer(serializers.Serializer[Any]):
    """How many utterances wait, are written while the conference runs, are done, had nothing to write, failed."""

    waiting = serializers.IntegerField()
    heard = serializers.IntegerField()
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    failed = serializers.IntegerField()
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Of those that failed, as codes.")
    away = serializers.IntegerField(help_text="Of those that wait: whose audio is out of reach now.")
    missing = serializers.BooleanField(help_text="Minutes were closed without some of what was recorded.")


class AttendeeSerializer(serializers.Serializer[Any]):
    participant = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.CharField()
    stays = serializers.ListField(
        child=serializers.ListField(child=serializers.DateTimeField(allow_null=True)),
        help_text="From when to when they were in; null: they still are.",
    )


class VersionSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    signed_at = InstantField()
    signed_name = serializers.CharField()
    digest = serializers.CharField()


class WhisperOfMinutesSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()


class MinutesSerializer(serializers.Serializer[Any]):
    """`state` is `none` while nothing was recorded of which minutes could be written, and then `id` is null."""

    id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField([("none", "none"), *Minutes.State.choices])
    seq = serializers.IntegerField()
    conference = serializers.UUIDField()
    title = serializers.CharField()
    agenda = serializers.CharField()
    whisper = WhisperOfMinutesSerializer(allow_null=True)
    whispers = WhisperOfMinutesSerializer(many=True, help_text="Of which there are minutes that the caller may read.")
    started_at = InstantField(allow_null=True)
    ended_at = InstantField(allow_null=True)
    policy = serializers.CharField(help_text="off, automatic: what the plan says.")
    captions = serializers.BooleanField(help_text="All who are in may read along while the conference runs.")
    attendees = AttendeeSerializer(many=True)
    progress = ProgressSerializer()
    behind_ms = serializers.IntegerField(help_text="For how long what waits longest has been waiting.")
    engine = serializers.CharField(help_text="ready, or why nobody writes: no_worker, or the code of a problem.")
    summary = serializers.CharField()
    versions = VersionSerializer(many=True)
    can_summarise = serializers.BooleanField(help_text="A summary can be had, and the caller may ask for it.")
    abilities = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the caller may do; correct_own_words: the text of passages that are mine.",
    )


class HitSerializer(SaidSerializer):
    whisper = serializers.UUIDField(allow_null=True)


class FoundSerializer(serializers.Serializer[Any]):
    conference = serializers.UUIDField()
    title = serializers.CharField()
    launched_at = InstantField()
    count = serializers.IntegerField(help_text="Of passages; the newest few are in hits.")
    hits = HitSerializer(many=True)


class SearchSerializer(serializers.Serializer[Any]):
    results = FoundSerializer(many=True)
    after = serializers.CharField(help_text="What to ask with for more; empty: there is no more.")
