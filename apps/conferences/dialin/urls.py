from __future__ import annotations

from django.urls import path

from apps.switch.xml.auth import for_nodes

from .dialplan import dialplan

urlpatterns = [path("dialplan", for_nodes(dialplan))]
