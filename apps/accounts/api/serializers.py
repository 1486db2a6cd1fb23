"""What the API says of people, and reads to sign one in."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import User
from apps.core.api.fields import TextField


class UserSerializer(serializers.ModelSerializer[User]):
    unit = serializers.CharField(source="unit.name", read_only=True, allow_null=True, default=None)

    class Meta:
        model = User
        fields = ["id", "username", "display_name", "unit"]
        read_only_fields = fields


class SelfSerializer(UserSerializer):
    email = serializers.CharField(read_only=True)

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "email", "language", "is_staff"]
        read_only_fields = fields


class SignInSerializer(serializers.Serializer[User]):
    username = TextField(max_length=64)
    password = TextField(max_length=256, trim_whitespace=False, style={"input_type": "password"})


class SessionSerializer(serializers.Serializer[Any]):
    """`user` is null for somebody who is not signed in; `csrf` goes into the header X-CSRFToken."""

    user = SelfSerializer(allow_null=True)
    abilities = serializers.ListField(child=serializers.CharField())
    csrf = serializers.CharField()
