"""Serializer fields of our own."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.core.text import has_control_characters


class TextField(serializers.CharField):
    """Text that a person writes: no control characters, no halves of surrogate pairs, no directional overrides."""

    default_error_messages = {
        "control_characters": _("Remove the control characters (line breaks, tabs and invisible signs)."),
    }

    def __init__(self, *, multiline: bool = False, **kwargs: Any) -> None:
        self.multiline = multiline
        super().__init__(**kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        # Before CharField trims: a line break at the end is one too.
        if isinstance(data, str) and has_control_characters(data, multiline=self.multiline):
            self.fail("control_characters")
        return super().run_validation(data)
