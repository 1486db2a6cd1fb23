from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MinutesConfig(AppConfig):
    name = "apps.minutes"
    label = "minutes"
    verbose_name = _("Minutes")

    def ready(self) -> None:
        from apps.recordings.erasing import ERASERS

        from . import checks
        from .erasing import erase_words

        del checks  # it registers itself
        ERASERS.append(erase_words)
