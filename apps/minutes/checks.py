"""What has to be right before minutes are made. Run by every `manage.py` command, and by workers as they start."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from .engines.configured import check_engine
from .engines.protocol import NoEngine, Why

_HINTS = {
    Why.NOT_INSTALLED: (
        "Only the worker for the queue minutes needs the engine: elsewhere, leave SPARKLE_MINUTES_MODEL unset."
    ),
    Why.BAD_MODEL: (
        "Set SPARKLE_MINUTES_MODEL to a folder with model.bin, config.json, tokenizer.json and vocabulary.json or "
        "vocabulary.txt, as ct2-transformers-converter writes it, or to a name that the Hugging Face hub knows."
    ),
}


@register
def engine(**_: Any) -> list[CheckMessage]:
    """The engine, in processes that are given a model. Without one, minutes have no text: that is no mistake."""
    if settings.SPARKLE_MINUTES_ENGINE == "none" or not settings.SPARKLE_MINUTES_MODEL:
        return []
    try:
        check_engine()
    except NoEngine as error:
        return [Error(str(error), hint=_HINTS.get(error.why), id=f"minutes.{error.why}")]
    return []
