"""The engine that this installation has, by its settings (docs/settings.md)."""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from .folder import check_model, is_folder
from .protocol import Engine, NoEngine, Why

#: Of each engine: its module here and its class in it, the package that it needs, what installs that.
_ENGINES: Final = {
    "faster-whisper": ("faster_whisper", "FasterWhisper", "faster_whisper", "requirements-minutes.txt"),
    "whisperx": ("whisperx", "Whisperx", "whisperx", "requirements-whisperx.txt"),
}


def check_engine() -> None:
    """Whether there is one, without loading it: fast enough for a page. Raises NoEngine."""
    name, model = settings.SPARKLE_MINUTES_ENGINE, settings.SPARKLE_MINUTES_MODEL
    if name == "none":
        raise NoEngine(Why.NONE, _("Speech is not turned into text here (SPARKLE_MINUTES_ENGINE=none)."))
    _module, _class, package, requirements = _ENGINES[name]
    if not model:
        text = _(
            "No engine for speech to text is configured: install {requirements} where minutes are made, and set "
            "SPARKLE_MINUTES_MODEL there to a model's folder or name."
        )
        raise NoEngine(Why.NO_MODEL, text.format(requirements=requirements))
    if find_spec(package) is None:
        text = _("The engine {name} is not installed: run pip install -r {requirements} -c constraints.txt.")
        raise NoEngine(Why.NOT_INSTALLED, text.format(name=name, requirements=requirements))
    wrong = check_model(Path(model)) if is_folder(model) else []
    if wrong:
        text = _("The speech model in SPARKLE_MINUTES_MODEL cannot be used: {problems}.")
        raise NoEngine(Why.BAD_MODEL, text.format(problems="; ".join(wrong)))


@cache
def engine() -> Engine:
    """The engine, loaded by the first who asks in a process: in a child of a worker, never before it forks.

    Takes a second and 0.5 GB for whisper-base; a hub's model is downloaded first. Raises NoEngine, each time anew.
    """
    check_engine()
    name, model = settings.SPARKLE_MINUTES_ENGINE, settings.SPARKLE_MINUTES_MODEL
    if is_folder(model):
        # Read as huggingface_hub is imported. Without it whisperx asks the hub: for 92 s where it is away.
        os.environ["HF_HUB_OFFLINE"] = "1"
    module, kind, _package, _requirements = _ENGINES[name]
    try:
        made: Engine = getattr(importlib.import_module(f".{module}", __package__), kind)(
            model, device=settings.SPARKLE_MINUTES_DEVICE, threads=settings.SPARKLE_MINUTES_THREADS
        )
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        text = _("The engine {name} did not start: {error}")
        raise NoEngine(Why.FAILED, text.format(name=name, error=error)) from error
    return made
