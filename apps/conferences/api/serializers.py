"""What the API says of plans and conferences, and reads to store and launch them. What live actions take is in
services/inputs.py.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.models import User
from apps.conferences.access import ON_PLAN, Action
from apps.conferences.actors import CONFERENCE_ACTIONS, Actor
from apps.conferences.live.views import field_name, plain
from apps.conferences.models import Attempt, Conference, Plan, PlanPerson, Whisper
from apps.conferences.models.options import OPTION_FIELDS
from apps.conferences.selectors import CONFERENCE_SUMMARY, PLAN_SUMMARY
from apps.conferences.services import inputs
from apps.core.api.fields import TextField
from apps.core.models import AuditEntry
from apps.switch.models import Extension

M = TypeVar("M", bound=models.Model)


class InstantField(serializers.DateTimeField):
    """A moment as the live feed writes it: UTC, with microseconds."""

    def to_representation(self, value: Any) -> Any:
        return plain(value)


class ModelSerializer(serializers.ModelSerializer[M]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: InstantField,
    }


class OwnerSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "display_name"]


class PersonSerializer(serializers.ModelSerializer[PlanPerson]):
    """`numbers` is there for chair and above only, and for oneself."""

    numbers = inputs.Number(many=True, required=False)

    class Meta:
        model = PlanPerson
        fields = ["id", "position", "name", "role", "user", "numbers"]


class WithAbilities(ModelSerializer[M]):
    """Carries what the caller may do to the object; `actor` in the context is who they are in it."""

    actions: frozenset[Action] = frozenset()
    role = serializers.SerializerMethodField(help_text="The caller's own role.")
    abilities = serializers.SerializerMethodField(help_text="What the caller may do.")

    @property
    def actor(self) -> Actor:
        actor: Actor = self.context["actor"]
        return actor

    def get_role(self, instance: M) -> str:
        return self.actor.role.label

    def get_abilities(self, instance: M) -> list[str]:
        return self.actor.abilities(self.actions)


class PlanSummarySerializer(WithAbilities[Plan]):
    """A plan in a list: without its people."""

    actions = ON_PLAN
    owner = OwnerSerializer(read_only=True)
    managers = OwnerSerializer(many=True, read_only=True)
    people_count = serializers.IntegerField(read_only=True)
    running = serializers.UUIDField(
        read_only=True, allow_null=True, help_text="The conference of this plan that has not ended."
    )

    class Meta:
        model = Plan
        fields = [*PLAN_SUMMARY, "role", "abilities"]
        read_only_fields = fields


class PlanSerializer(PlanSummarySerializer):
    people = serializers.SerializerMethodField()

    class Meta(PlanSummarySerializer.Meta):
        fields = [*PlanSummarySerializer.Meta.fields, "people"]
        read_only_fields = fields

    @extend_schema_field(PersonSerializer(many=True))
    def get_people(self, plan: Plan) -> list[dict[str, Any]]:
        actor = self.actor
        people = [dict(each) for each in PersonSerializer(plan.people.all(), many=True).data]
        if not actor.may(Action.VIEW_NUMBERS):
            for person in people:
                if person["user"] != actor.user.pk:
                    del person["numbers"]
        return people


class PlanWriteSerializer(serializers.ModelSerializer[Plan]):
    title = TextField(max_length=120)
    agenda = TextField(max_length=4000, multiline=True, required=False, allow_blank=True)
    glossary = TextField(max_length=2000, multiline=True, required=False, allow_blank=True)
    managers = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=50)
    people = inputs.several(inputs.Person, required=False, max_length=inputs.MOST_PEOPLE)

    class Meta:
        model = Plan
        fields = ["title", "agenda", "managers", *OPTION_FIELDS, "people"]


class PlanEditSerializer(PlanWriteSerializer):
    revision = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="The one that the edit began from.")

    class Meta(PlanWriteSerializer.Meta):
        fields = ["revision", *PlanWriteSerializer.Meta.fields]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name == "revision"
        return fields


class TransferSerializer(serializers.Serializer[Plan]):
    user = serializers.UUIDField(help_text="Who shall own the plan.")


class LaunchSerializer(PlanWriteSerializer):
    """`plan` alone launches it as it is; anything besides holds for this run only. Without `plan`, `title` and
    `people` are needed.
    """

    plan = serializers.UUIDField(required=False)
    title = TextField(max_length=120, required=False)

    class Meta(PlanWriteSerializer.Meta):
        fields = ["plan", "title", "agenda", *OPTION_FIELDS, "people"]

    # Who manages the run is the plan's to say.
    managers = None  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "plan" not in attrs and "title" not in attrs:
            field = self.fields["title"]
            raise serializers.ValidationError({"title": [field.error_messages["required"]]}, code="required")
        return attrs


class ConferenceSerializer(WithAbilities[Conference]):
    actions = CONFERENCE_ACTIONS
    owner = OwnerSerializer(read_only=True)
    end_reason = serializers.CharField(read_only=True, help_text="by_person, time, empty; '' while it has not ended.")

    class Meta:
        model = Conference
        fields = [*(field_name(column) for column in CONFERENCE_SUMMARY), "role", "abilities"]
        read_only_fields = fields


class ParticipantSerializer(serializers.Serializer[Any]):
    """For the schema: participants are written by PostgreSQL (live/snapshot.py), with the fields of the live feed."""

    id = serializers.UUIDField()
    position = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.CharField()
    user = serializers.UUIDField(allow_null=True)
    guest = serializers.BooleanField(
        help_text="Is not on the list: came by the link of guests, or called with the PIN of a role."
    )
    state = serializers.CharField()
    present = serializers.BooleanField()
    refused = serializers.BooleanField()
    admitted = serializers.BooleanField(help_text="Does not wait in the lobby, or would not on coming back.")
    muted = serializers.BooleanField()
    forbidden = serializers.BooleanField()
    granted = serializers.BooleanField()
    deaf = serializers.BooleanField()
    held = serializers.BooleanField()
    volume = serializers.IntegerField()
    hand_raised_at = serializers.DateTimeField(allow_null=True)
    chair_asked_at = serializers.DateTimeField(allow_null=True)
    whisper = serializers.UUIDField(allow_null=True)
    room = serializers.CharField(allow_null=True)
    observed_muted = serializers.BooleanField()
    observed_deaf = serializers.BooleanField()
    observed_held = serializers.BooleanField()
    observed_volume = serializers.IntegerField()
    joined_at = serializers.DateTimeField(allow_null=True)
    left_at = serializers.DateTimeField(allow_null=True)
    numbers = inputs.Number(many=True, required=False)
    round = serializers.IntegerField(required=False)
    cause = serializers.CharField(required=False, allow_blank=True)
    sip_code = serializers.IntegerField(required=False)
    next_try_at = serializers.DateTimeField(required=False, allow_null=True)
    caller_number = serializers.CharField(
        required=False, allow_blank=True, help_text="Where a caller who is not on the list called from."
    )
    abilities = serializers.ListField(child=serializers.CharField())


class AttemptSerializer(ModelSerializer[Attempt]):
    class Meta:
        model = Attempt
        fields = [
            "leg",
            "participant",
            "round",
            "ordinal",
            "kind",
            "number",
            "gateway_name",
            "phase",
            "cause",
            "sip_code",
            "sends",
            "codec",
            "encryption",
            "stored_at",
            "sent_at",
            "ringing_at",
            "answered_at",
            "joined_at",
            "ended_at",
        ]
        read_only_fields = fields


class LogEntrySerializer(ModelSerializer[AuditEntry]):
    actor = serializers.UUIDField(source="actor_id", allow_null=True)

    class Meta:
        model = AuditEntry
        fields = ["id", "at", "actor", "actor_name", "action", "object_type", "object_id", "object_name", "detail"]
        read_only_fields = fields


class WhisperSerializer(ModelSerializer[Whisper]):
    """The context has the caller's `actor`, and `own`, the whisper that they are in."""

    abilities = serializers.SerializerMethodField(help_text="What the caller may do.")

    class Meta:
        model = Whisper
        fields = ["id", "title", "soft_main", "opened_by", "opened_at", "closed_at", "observed_feed", "abilities"]
        read_only_fields = fields

    def get_abilities(self, whisper: Whisper) -> list[str]:
        actor: Actor = self.context["actor"]
        belongs = whisper.opened_by_id == actor.user.pk or whisper.pk == self.context["own"]
        return actor.abilities_in_whispers()["inside" if belongs else "outside"]


class ExtensionSerializer(serializers.ModelSerializer[Extension]):
    class Meta:
        model = Extension
        fields = ["id", "number", "display_name", "user"]
        read_only_fields = fields


class ResultSerializer(serializers.Serializer[Any]):
    participant = serializers.UUIDField(allow_null=True)
    ok = serializers.BooleanField()
    problem = serializers.DictField(required=False)
    index = serializers.IntegerField(required=False)
    redialled = serializers.BooleanField(required=False)


class AnswerSerializer(serializers.Serializer[Any]):
    """`seq` is that of the last change: a live view that has reached it shows what this action did."""

    seq = serializers.IntegerField()
    results = ResultSerializer(many=True)
    whisper = serializers.UUIDField(required=False)
    announcement = serializers.UUIDField(required=False)
    participant = serializers.UUIDField(required=False, help_text="Whose words are said again.")
    milliseconds = serializers.IntegerField(required=False, help_text="For how long.")
