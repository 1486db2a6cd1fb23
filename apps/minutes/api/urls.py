"""Addresses of minutes below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import editing, exporting, views

_passage: list[URLPattern | URLResolver] = [
    path("", editing.PassageView.as_view(), name="minutes-passage"),
    path("audio/", views.PassageAudioView.as_view(), name="minutes-passage-audio"),
    path("merge/", editing.MergeView.as_view(), name="minutes-merge"),
    path("restore/", editing.RestoreView.as_view(), name="minutes-restore"),
    path("revisions/", editing.RevisionsView.as_view(), name="minutes-revisions"),
    path("split/", editing.SplitView.as_view(), name="minutes-split"),
]
_minutes: list[URLPattern | URLResolver] = [
    path("", editing.EditableMinutesView.as_view(), name="minutes"),
    path("passages/", views.PassagesView.as_view(), name="minutes-passages"),
    path("passages/<uuid:passage_id>/", include(_passage)),
    path("export/", exporting.ExportView.as_view(), name="minutes-export"),
    path("reopen/", exporting.ReopenView.as_view(), name="minutes-reopen"),
    path("send/", exporting.SendView.as_view(), name="minutes-send"),
    path("sign/", exporting.SignView.as_view(), name="minutes-sign"),
    path("summarise/", editing.SummariseView.as_view(), name="minutes-summarise"),
    path("search/", views.SearchInView.as_view(), name="minutes-search-in"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("conferences/<uuid:conference_id>/minutes/", include(_minutes)),
    path("minutes/search/", views.SearchView.as_view(), name="minutes-search"),
]
