"""Addresses of what was recorded below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from . import audio, views

_recording = [
    path("", views.RecordingView.as_view(), name="recording"),
    path("utterances/", views.UtteranceListView.as_view(), name="recording-utterances"),
    path("tracks/<uuid:track_id>/peaks/", views.PeaksView.as_view(), name="recording-peaks"),
    path("speech/", audio.SpeechView.as_view(), name="recording-speech"),
    path("erase/", views.EraseView.as_view(), name="recording-erase"),
    path("export/", audio.ExportView.as_view(), name="recording-export"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("conferences/<uuid:conference_id>/recording/", include(_recording)),
    path("recordings/audio/<str:token>", audio.AudioView.as_view(), name="recording-audio"),
]
