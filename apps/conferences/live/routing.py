"""Addresses of the live feed's WebSockets."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from .consumer import LiveConsumer

# Django's own `path` is typed for views; Channels' routers take applications.
_live: Any = LiveConsumer.as_asgi()

websocket_urlpatterns: list[URLPattern] = [path("ws/conferences/<uuid:conference_id>/", _live)]
