"""Where each application's addresses begin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from apps.core import health
from apps.core.api.problems import no_such_address
from apps.switch.fetching import configuration

handler400 = "apps.core.api.problems.bad_request"
handler500 = "apps.core.api.problems.server_error"

urlpatterns = [
    path("healthz", health.alive),
    path("readyz", health.ready),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("apps.accounts.api.urls")),
    path("api/v1/", include("apps.switch.api.urls")),
    path("api/v1/", include("apps.conferences.api.urls")),
    path("api/v1/", include("apps.recordings.api.urls")),
    path("api/v1/", include("apps.minutes.api.urls")),
    re_path(r"^api/", no_such_address),
    path("provisioning/<str:token>", configuration, name="provisioning"),
    path("", include("apps.console.urls")),
]
