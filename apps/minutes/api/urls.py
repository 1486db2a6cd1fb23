"""Addresses of minutes below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import views

_minutes = [
    path("", views.MinutesView.as_view(), name="minutes"),
    path("passages/", views.PassagesView.as_view(), name="minutes-passages"),
    path("passages/<uuid:passage_id>/audio/", views.PassageAudioView.as_view(), name="minutes-passage-audio"),
    path("search/", views.SearchInView.as_view(), name="minutes-search-in"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("conferences/<uuid:conference_id>/minutes/", include(_minutes)),
    path("minutes/search/", views.SearchView.as_view(), name="minutes-search"),
]
