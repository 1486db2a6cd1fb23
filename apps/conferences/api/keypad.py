"""`GET conferences/{id}/keypad/`: the keys of a telephone in this conference, for a card to hand out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.conferences.access import Role
from apps.conferences.keypad.table import COMMANDS

from .views import OfConference

_ROLES = [role for role in Role if role is not Role.OUTSIDER]


class CommandSerializer(serializers.Serializer[Any]):
    keys = serializers.CharField()
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.ChoiceField([role.label for role in _ROLES]))


class KeypadSerializer(serializers.Serializer[Any]):
    """The commands in the order of the menu; `roles` are those that may use one, by the switches that are on."""

    commands = CommandSerializer(many=True)


class KeypadView(OfConference[Any]):
    serializer_class = KeypadSerializer

    @extend_schema(operation_id="keypad_retrieve")
    def get(self, request: Request, conference_id: UUID) -> Response:
        switches = self.actor().switches
        commands = [
            {
                "keys": command.keys,
                "name": command.name,
                "roles": [role.label for role in _ROLES if command.is_for(role, switches)],
            }
            for command in COMMANDS.values()
        ]
        return Response(KeypadSerializer({"commands": commands}).data)
