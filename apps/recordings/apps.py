from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecordingsConfig(AppConfig):
    name = "apps.recordings"
    label = "recordings"
    verbose_name = _("Recordings")

    def ready(self) -> None:
        from apps.conferences.access import Action
        from apps.conferences.services.actions import ACTIONS, Definition
        from apps.conferences.services.inputs import Nothing

        from . import checks
        from .say_again import say_again

        del checks  # it registers itself
        ACTIONS[Action.SAY_AGAIN] = Definition(Nothing, say_again)
