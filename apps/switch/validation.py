"""What several models check about a value."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from apps.switch.esl import rendering

name_validator = RegexValidator(r"^[A-Za-z0-9_.-]{1,64}\Z", _("Use letters, digits, '.', '_' and '-' only."))


def check_rendered(field: str, right: str, render: Callable[[], str]) -> None:
    """Let the part that alone speaks to the switch judge the value, while somebody is there to correct it."""
    try:
        render()
    except rendering.UnsafeValue as error:
        raise ValidationError({field: ValidationError(right, code="unsafe")}) from error
