"""The REST API and its description."""

from __future__ import annotations

from sparkle.env import envint

from .installation import TESTING

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.pages.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "apps.core.api.problems.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    # Each process counts for itself (see CACHES). Tests ask faster than people do.
    "DEFAULT_THROTTLE_RATES": {
        "anon": None if TESTING else f"{envint('SPARKLE_ANONYMOUS_REQUESTS_PER_MINUTE', 60)}/min",
        "user": None if TESTING else f"{envint('SPARKLE_USER_REQUESTS_PER_MINUTE', 1200)}/min",
    },
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SparkleConference",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "LanguageEnum": "apps.conferences.services.inputs.LANGUAGES",
        "RoleEnum": "apps.conferences.models.Role",
        "AssignableRoleEnum": "apps.conferences.services.inputs.ASSIGNABLE",
        "RoleWithPinEnum": "apps.conferences.services.inputs.WITH_PIN",
        "FloorModeEnum": "apps.conferences.models.FloorMode",
        "LobbyEnum": "apps.accounts.models.Lobby",
        "RecordingEnum": "apps.conferences.models.Conference.Recording",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.api.schema.conventions",
    ],
}
