from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SwitchConfig(AppConfig):
    name = "apps.switch"
    label = "switch"
    verbose_name = _("Switches")
