"""The console's pages."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, re_path

from .build import JOIN
from .views import page

_STATIC = settings.STATIC_URL.strip("/")

# The front end reads the rest of the address itself. What belongs to others is an honest 404 there, not this page.
urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^join/", page, {"entry": JOIN}, name="join-page"),
    re_path(rf"^(?!api/|ws/|admin/|i18n/|{_STATIC}/).*$", page, name="console"),
]
