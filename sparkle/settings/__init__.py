"""Django settings, from the environment (`docs/settings.md` lists the variables).

A file for each subject: what the others need (installation.py), recordings, minutes, the API, jobs; here the rest.
`SPARKLE_ENV` is `local` (the one-machine installation of `make run`), `test` or `production`. In production every
value without a safe default is required; elsewhere a start needs nothing but, to use the database, `DATABASE_URL`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from sparkle.env import EnvironmentValueError, envbool, envint, envlist, envsecret, envstr

from .api import *
from .installation import *
from .jobs import *
from .minutes import *
from .recordings import *

# What processes without requests touch as they go on, for health checks.
HEARTBEAT_FILE = envstr("SPARKLE_HEARTBEAT_FILE", "")

# Security
SECRET_KEY = envsecret("SPARKLE_SECRET_KEY", outside_production("for a machine of one's own only " * 2))
DEBUG = envbool("SPARKLE_DEBUG", default=False)
# Where FreeSWITCH nodes ask about accounts and calls: loopback, or https.
SPARKLE_XML_URL = envstr("SPARKLE_XML_URL", "http://127.0.0.1:8002").rstrip("/")
ALLOWED_HOSTS = envlist("SPARKLE_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = envlist("SPARKLE_CSRF_TRUSTED_ORIGINS", "")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = envbool("SPARKLE_SSL_REDIRECT", default=PRODUCTION)
# A node on this machine asks over loopback, and health checks come from beside the process: without TLS.
SECURE_REDIRECT_EXEMPT = [r"^switch/xml/", r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = envint("SPARKLE_HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if envbool("SPARKLE_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Where people find the pages: what links in mails and documents begin with.
SPARKLE_SITE_URL = envstr("SPARKLE_SITE_URL", next(iter(CSRF_TRUSTED_ORIGINS), "")).rstrip("/")

INSTALLED_APPS = [
    "apps.core",  # before the administration, whose base page it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "apps.accounts",
    "apps.contacts",
    "apps.switch",
    "apps.conferences",
    "apps.recordings",
    "apps.minutes",
    "apps.console",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "sparkle.urls"
ASGI_APPLICATION = "sparkle.asgi.application"
WSGI_APPLICATION = "sparkle.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """The settings of `postgres://user:password@host:port/name` (parts percent-encoded)."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise EnvironmentValueError("DATABASE_URL: write postgres://user:password@host:port/name")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": parts.port or 5432,
        "CONN_HEALTH_CHECKS": True,
        # A pool, since an ASGI process must not keep a connection per thread. Tests drop their database at the end,
        # which a pool's idle connections would hinder.
        "OPTIONS": {
            # Values apart from the text, so that PostgreSQL parses and plans a statement once per connection.
            "server_side_binding": True,
            "prepare_threshold": 5,
            **({} if TESTING else {"pool": {"min_size": 0, "max_size": 10, "timeout": 5}}),
        },
    }


# Without DATABASE_URL (type checks, makemigrations) Django's placeholder refuses every query with a clear message.
DATABASE_URL = envsecret("DATABASE_URL", outside_production(""))
DATABASES = {"default": _database(DATABASE_URL)} if DATABASE_URL else {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A node that no switchboard has reached for so long is lost: its conferences go to another one, where everybody is
# called back into place. 0: never, an operator decides.
SPARKLE_NODE_LOST_SECONDS = envint("SPARKLE_NODE_LOST_SECONDS", 60)

# In memory of each process: a request must not fail because Redis is away, and nothing cached here is a fact.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# People
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed only; the accounts live as long as one test
    if TESTING
    else [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
)
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/"
LOGIN_REDIRECT_URL = "/"

# Switches
SPARKLE_SOUNDS_DIR = Path(envstr("SPARKLE_SOUNDS_DIR", str(VAR_DIR / "sounds")))
# The authorities that nodes believe when SPARKLE_XML_URL is https: a file on the node.
SPARKLE_XML_CA_FILE = envstr("SPARKLE_XML_CA_FILE", "/etc/ssl/certs/ca-certificates.crt")
# The realm of SIP passwords, one for all nodes. Another one makes every SIP password void.
SPARKLE_SIP_REALM = envstr("SPARKLE_SIP_REALM", "sparkle")
# The certificate of the private authority that telephones have to trust, in PEM. Empty: nodes have public certificates.
SPARKLE_SIP_CA_FILE = envstr("SPARKLE_SIP_CA_FILE", "")
# What browsers may ask for a way to a node's media: stun:HOST:PORT. A node with a public address needs none.
SPARKLE_STUN_SERVERS = envlist("SPARKLE_STUN_SERVERS", "")

# Languages and time
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True

# Static files: production collects them once into STATIC_ROOT; elsewhere they are served from where they lie.
STATIC_URL = "/static/"
STATIC_ROOT = Path(envstr("SPARKLE_STATIC_ROOT", str(VAR_DIR / "static"))) if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "media"

_JOBS_FROM = "INFO" if envstr("SPARKLE_LOG_LEVEL", "INFO") == "DEBUG" else "WARNING"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": envstr("SPARKLE_LOG_LEVEL", "INFO")},
    "loggers": {
        # Its own handler would say everything twice.
        "django": {"handlers": [], "propagate": True},
        # That a job came and went, as some do each two seconds, is for DEBUG. One that fails is an error.
        "celery.worker.strategy": {"level": _JOBS_FROM},
        "celery.app.trace": {"level": _JOBS_FROM},
    },
}
