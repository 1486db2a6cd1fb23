"""The parameter `q` of lists to choose from."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.errors import FieldError, Invalid
from apps.core.text import has_control_characters

_LONGEST = 64


def search_text(request: HttpRequest) -> str:
    """What is looked for, trimmed; empty for everything."""
    text = request.GET.get("q", "").strip()
    if len(text) > _LONGEST or has_control_characters(text):
        raise Invalid(errors=[FieldError("q", "invalid", _("Send up to 64 plain characters."))])
    return text
