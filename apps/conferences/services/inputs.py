"""What each live action takes, as serializers: the same for REST, the live feed and the schema."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from apps.accounts import models as accounts
from apps.conferences.models import Conference, FloorMode, Role
from apps.core.api.fields import TextField
from apps.switch.numbers import NumberKind

from .people import MOST_NUMBERS

Input = serializers.Serializer[Any]

#: More than any conference can hold; what is allowed is smaller and said by the service.
MOST_PEOPLE = 1000
GROUPS = ("all", "all_but_chair", "absent", "waiting")
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
ASSIGNABLE = [each for each in Role.choices if each[0] != Role.OWNER]
#: Those by whose PIN somebody dials in who is not on the list (services/pins.py).
WITH_PIN = [each for each in ASSIGNABLE if each[0] != Role.MANAGER]


@extend_schema_field(
    {
        "oneOf": [
            {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": MOST_PEOPLE},
            {"type": "string", "enum": list(GROUPS)},
        ]
    }
)
class Participants(serializers.Field[Any, Any, Any, Any]):
    """A list of participants' ids, or one of GROUPS."""

    default_error_messages = {
        "participants": _("Send a list of participants' ids, or one of: all, all_but_chair, absent, waiting."),
    }

    def to_internal_value(self, data: Any) -> list[UUID] | str:
        if isinstance(data, str) and data in GROUPS:
            return data
        if not isinstance(data, list) or not 1 <= len(data) <= MOST_PEOPLE:
            self.fail("participants")
        try:
            return list(dict.fromkeys(UUID(each) for each in data))
        except (ValueError, AttributeError):  # no UUID; no text
            self.fail("participants")

    def to_representation(self, value: Any) -> Any:
        return value


class Number(Input):
    kind = serializers.ChoiceField(choices=NumberKind.choices(), required=False)
    number = serializers.CharField(max_length=40)


def several(of: type[Input], **limits: Any) -> Any:
    """A list of these; `min_length` and `max_length` reach the list, which the type stubs do not know."""
    return of(many=True, **limits)


class Person(Input):
    """`numbers` in order of preference; each kind is found where it is left out."""

    id = serializers.UUIDField(required=False)
    name = TextField(max_length=64)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    user = serializers.UUIDField(required=False, allow_null=True)
    numbers = several(Number, min_length=1, max_length=MOST_NUMBERS)


class Invited(Input):
    """Either a person as in a plan, or `plan_person`: somebody of a plan of the caller's."""

    plan_person = serializers.UUIDField(required=False)
    name = TextField(max_length=64, required=False)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    user = serializers.UUIDField(required=False, allow_null=True)
    numbers = several(Number, min_length=1, max_length=MOST_NUMBERS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "plan_person" not in attrs:
            missing = {
                name: [ErrorDetail(str(_("Give this, or plan_person.")), "required")]
                for name in ("name", "numbers")
                if name not in attrs
            }
            if missing:
                raise serializers.ValidationError(missing)
        return attrs


@extend_schema_serializer(component_name="ActionNothing")
class Nothing(Input):
    pass


class OnParticipants(Input):
    participants = Participants()


class Extend(Input):
    minutes = serializers.IntegerField(min_value=1, max_value=1440)


class Floor(Input):
    mode = serializers.ChoiceField(choices=FloorMode.choices)


class Record(Input):
    """`paused` where nothing is recorded changes nothing."""

    state = serializers.ChoiceField(choices=Conference.Recording.choices)


class Lobby(Input):
    mode = serializers.ChoiceField(choices=accounts.Lobby.choices)


class Call(Input):
    participant = serializers.UUIDField(allow_null=True)


class Invite(Input):
    people = several(Invited, min_length=1, max_length=MOST_PEOPLE)


class Remove(OnParticipants):
    refuse = serializers.BooleanField(default=False)


class Volume(OnParticipants):
    level = serializers.IntegerField(min_value=-4, max_value=4)


class ChangeRole(OnParticipants):
    role = serializers.ChoiceField(choices=ASSIGNABLE)


class Rename(Input):
    participant = serializers.UUIDField()
    name = TextField(max_length=64)


class Announce(Input):
    text = TextField(max_length=500)
    language = serializers.ChoiceField(choices=LANGUAGES, required=False)
    participant = serializers.UUIDField(required=False, allow_null=True)


class WhisperOpen(OnParticipants):
    title = TextField(max_length=64, required=False, allow_blank=True, default="")
    soft_main = serializers.BooleanField(default=True)


class OnWhisper(Input):
    whisper = serializers.UUIDField()


class WhisperPeople(OnWhisper, OnParticipants):
    pass


class WhisperSoft(OnWhisper):
    soft_main = serializers.BooleanField()
