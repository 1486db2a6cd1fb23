"""Addresses of telephones below /api/v1/."""

from __future__ import annotations

from django.urls import path

from . import views

urlpatterns = [
    path("phones/", views.PhoneListView.as_view(), name="phones"),
    path("phones/<uuid:extension_id>/", views.PhoneView.as_view(), name="phone"),
    path("phones/<uuid:extension_id>/password/", views.PasswordView.as_view(), name="phone-password"),
    path("phones/<uuid:extension_id>/link/", views.LinkView.as_view(), name="phone-link"),
    path("phones/certificate/", views.CertificateView.as_view(), name="phone-certificate"),
]
