"""Addresses of plans and conferences below /api/v1/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from . import dial_in, joining, views
from .actions import action_patterns
from .keypad import KeypadView

router = SimpleRouter(use_regex_path=False)
router.register("plans", views.PlanViewSet, basename="plan")
router.register("conferences", views.ConferenceViewSet, basename="conference")

_conference = [
    path("participants/", views.ParticipantListView.as_view(), name="participants"),
    path("participants/<uuid:participant_id>/", views.ParticipantView.as_view(), name="participant"),
    path("attempts/", views.AttemptListView.as_view(), name="attempts"),
    path("log/", views.LogView.as_view(), name="log"),
    path("whispers/", views.WhisperListView.as_view(), name="whispers"),
    path("keypad/", KeypadView.as_view(), name="keypad"),
    path("join/", joining.JoinView.as_view(), name="join"),
    path("dial-in/", dial_in.ConferenceDialInView.as_view(), name="conference-dial-in"),
    path("invitation/", joining.InvitationView.as_view(), name="invitation"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("extensions/", views.ExtensionListView.as_view(), name="extensions"),
    path("plans/<uuid:plan_id>/dial-in/", dial_in.PlanDialInView.as_view(), name="plan-dial-in"),
    path("conferences/<uuid:conference_id>/", include(_conference)),
    path("guests/<str:token>/", joining.DoorView.as_view(), name="door"),
    *action_patterns,
    *router.urls,
]
