"""Addresses of sign-in and accounts below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from .views import SessionView, UserListView

urlpatterns: list[URLPattern | URLResolver] = [
    path("session/", SessionView.as_view(), name="session"),
    path("users/", UserListView.as_view(), name="users"),
]
