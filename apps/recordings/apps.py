from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "apps.recordings"
    label = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from . import checks

        del checks  # it registers itself
