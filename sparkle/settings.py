"""Django settings, from the environment (`docs/settings.md` lists the variables).

`SPARKLE_ENV` is `local` (the one-machine installation of `make run`), `test` or `production`. In production every
value without a safe default is required; elsewhere a start needs nothing but, to use the database, `DATABASE_URL`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from sparkle.env import (
    EnvironmentValueError,
    envbool,
    envendpoint,
    envint,
    envkey,
    envlist,
    envmailbox,
    envsecret,
    envstr,
    mail_server,
)

BASE_DIR = Path(__file__).resolve().parent.parent

ENVIRONMENT = envstr("SPARKLE_ENV", "local")
if ENVIRONMENT not in {"local", "production", "test"}:
    raise EnvironmentValueError(f"SPARKLE_ENV={ENVIRONMENT!r}: write local, production or test")
PRODUCTION = ENVIRONMENT == "production"
TESTING = ENVIRONMENT == "test"


def _outside_production(value: str) -> str | None:
    """A default that only the local and the test environment have."""
    return None if PRODUCTION else value


# Where this installation keeps its own files.
VAR_DIR = Path(envstr("SPARKLE_VAR", str(BASE_DIR / "var"))).resolve()
SPARKLE_SOUNDS_DIR = Path(envstr("SPARKLE_SOUNDS_DIR", str(VAR_DIR / "sounds")))
# What is being recorded, in the clear: in memory (tmpfs), never on a disk; and the sealed files.
SPARKLE_SPOOL_DIR = Path(envstr("SPARKLE_SPOOL_DIR", str(VAR_DIR / "spool")))
SPARKLE_SPOOL_MAY_BE_ON_DISK = envbool("SPARKLE_SPOOL_MAY_BE_ON_DISK", default=False)
SPARKLE_RECORDINGS_DIR = Path(envstr("SPARKLE_RECORDINGS_DIR", str(VAR_DIR / "recordings")))
# Where these go once they are complete: they stay there (folder), or go to a bucket (s3). What is in one already can be
# read in either case. Without credentials here, boto3 looks for some by itself.
SPARKLE_RECORDINGS_STORAGE = envstr("SPARKLE_RECORDINGS_STORAGE", "folder")
SPARKLE_RECORDINGS_S3_BUCKET = envstr("SPARKLE_RECORDINGS_S3_BUCKET", "")
SPARKLE_RECORDINGS_S3_ENDPOINT = envendpoint("SPARKLE_RECORDINGS_S3_ENDPOINT")
SPARKLE_RECORDINGS_S3_REGION = envstr("SPARKLE_RECORDINGS_S3_REGION", "")
SPARKLE_RECORDINGS_S3_PREFIX = envstr("SPARKLE_RECORDINGS_S3_PREFIX", "")
SPARKLE_RECORDINGS_S3_ACCESS_KEY = envsecret("SPARKLE_RECORDINGS_S3_ACCESS_KEY", "")
SPARKLE_RECORDINGS_S3_SECRET_KEY = envsecret("SPARKLE_RECORDINGS_S3_SECRET_KEY", "")
if SPARKLE_RECORDINGS_STORAGE not in {"folder", "s3"}:
    raise EnvironmentValueError(f"SPARKLE_RECORDINGS_STORAGE={SPARKLE_RECORDINGS_STORAGE!r}: write folder or s3")
if SPARKLE_RECORDINGS_STORAGE == "s3" and not SPARKLE_RECORDINGS_S3_BUCKET:
    raise EnvironmentValueError("SPARKLE_RECORDINGS_STORAGE=s3: name the bucket in SPARKLE_RECORDINGS_S3_BUCKET")
if bool(SPARKLE_RECORDINGS_S3_ACCESS_KEY) != bool(SPARKLE_RECORDINGS_S3_SECRET_KEY):
    raise EnvironmentValueError("set SPARKLE_RECORDINGS_S3_ACCESS_KEY and SPARKLE_RECORDINGS_S3_SECRET_KEY, or neither")

# What processes without requests touch as they go on, for health checks.
HEARTBEAT_FILE = envstr("SPARKLE_HEARTBEAT_FILE", "")

# Security
SECRET_KEY = envsecret("SPARKLE_SECRET_KEY", _outside_production("for a machine of one's own only " * 2))
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
DATABASE_URL = envsecret("DATABASE_URL", _outside_production(""))
DATABASES = {"default": _database(DATABASE_URL)} if DATABASE_URL else {}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis (or Valkey) carries wake-ups and the Celery broker. There is no CHANNEL_LAYERS: the live feed has its own hub,
# one Redis subscriber and one prebuilt frame per process, where a channel layer would copy each message per socket.
REDIS_URL = envsecret("REDIS_URL", _outside_production("redis://127.0.0.1:6379/0"))

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
# The authorities that nodes believe when SPARKLE_XML_URL is https: a file on the node.
SPARKLE_XML_CA_FILE = envstr("SPARKLE_XML_CA_FILE", "/etc/ssl/certs/ca-certificates.crt")
# The realm of SIP passwords, one for all nodes. Another one makes every SIP password void.
SPARKLE_SIP_REALM = envstr("SPARKLE_SIP_REALM", "sparkle")
# The certificate of the private authority that telephones have to trust, in PEM. Empty: nodes have public certificates.
SPARKLE_SIP_CA_FILE = envstr("SPARKLE_SIP_CA_FILE", "")
# What browsers may ask for a way to a node's media: stun:HOST:PORT. A node with a public address needs none.
SPARKLE_STUN_SERVERS = envlist("SPARKLE_STUN_SERVERS", "")

# Speech to text, of processes that serve the queue `minutes`. The model: a folder, or a name that the Hugging Face hub
# knows; empty: none, and minutes say so.
SPARKLE_MINUTES_ENGINE = envstr("SPARKLE_MINUTES_ENGINE", "faster-whisper")
SPARKLE_MINUTES_MODEL = envstr("SPARKLE_MINUTES_MODEL", "")
SPARKLE_MINUTES_DEVICE = envstr("SPARKLE_MINUTES_DEVICE", "cpu")
SPARKLE_MINUTES_THREADS = envint("SPARKLE_MINUTES_THREADS", 1)
if SPARKLE_MINUTES_ENGINE not in {"faster-whisper", "whisperx", "none"}:
    raise EnvironmentValueError(
        f"SPARKLE_MINUTES_ENGINE={SPARKLE_MINUTES_ENGINE!r}: write faster-whisper, whisperx or none"
    )
if SPARKLE_MINUTES_DEVICE not in {"cpu", "cuda"}:
    raise EnvironmentValueError(f"SPARKLE_MINUTES_DEVICE={SPARKLE_MINUTES_DEVICE!r}: write cpu or cuda")
if SPARKLE_MINUTES_THREADS < 1:
    raise EnvironmentValueError(f"SPARKLE_MINUTES_THREADS={SPARKLE_MINUTES_THREADS}: write 1 or more")

# A .docx to write minutes into, in place of the one that comes along.
SPARKLE_MINUTES_TEMPLATE = envstr("SPARKLE_MINUTES_TEMPLATE", "")

# Mail. Without a server none is sent, and who wants to is told so. Only workers sign in there; the processes of pages
# know that there is one.
SPARKLE_EMAIL_URL = envstr("SPARKLE_EMAIL_URL", "")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
EMAIL_TIMEOUT = 20
if SPARKLE_EMAIL_URL:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    _mail = mail_server(SPARKLE_EMAIL_URL, envsecret("SPARKLE_EMAIL_PASSWORD", ""))
    EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.tls, _mail.start_tls
DEFAULT_FROM_EMAIL = envmailbox("SPARKLE_EMAIL_FROM", None if PRODUCTION and SPARKLE_EMAIL_URL else "sparkle@localhost")

# A summary of minutes, from a service that speaks as OpenAI's does. Without an address nothing is sent anywhere.
SPARKLE_SUMMARY_URL = envendpoint("SPARKLE_SUMMARY_URL", path=True)
SPARKLE_SUMMARY_MODEL = envstr("SPARKLE_SUMMARY_MODEL", "")
SPARKLE_SUMMARY_KEY = envkey("SPARKLE_SUMMARY_KEY")
if SPARKLE_SUMMARY_URL and not SPARKLE_SUMMARY_MODEL:
    raise EnvironmentValueError("SPARKLE_SUMMARY_URL: name the model in SPARKLE_SUMMARY_MODEL")

# Languages and time
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = envstr("SPARKLE_TIME_ZONE", "Asia/Shanghai")

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

# API
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

# Jobs. One is acknowledged when it is done, so that a dying worker gives it to another; jobs are safe to run twice.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Beside these, each node has a queue of its own: apps/recordings/tasks/.
CELERY_TASK_QUEUES = [Queue("default"), Queue("media"), Queue("minutes")]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "apps.recordings.tasks.afterwards.make_peaks": {"queue": "media"},
    "apps.recordings.tasks.afterwards.make_missing_peaks": {"queue": "media"},
    "apps.recordings.tasks.afterwards.align_mixes": {"queue": "media"},
    "apps.recordings.tasks.moving.keep_moving": {"queue": "media"},
    "apps.recordings.tasks.moving.keep_tidy": {"queue": "media"},
    "apps.recordings.tasks.erasing.keep_mixing": {"queue": "media"},
    "apps.minutes.tasks.write_minutes": {"queue": "minutes"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "sparkle.celery:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 30  # seconds between two looks at the schedule, at most
CELERY_BEAT_SCHEDULE = {
    name: {"task": name, "schedule": crontab(minute="17")}
    for name in (
        "apps.core.tasks.forget_answers",
        "apps.core.tasks.forget_failures",
        "apps.switch.tasks.forget_browser_accounts",
        "apps.switch.tasks.forget_sign_ins",
        "apps.conferences.tasks.forget_deltas",
        "apps.recordings.tasks.moving.keep_tidy",
    )
} | {
    "apps.recordings.tasks.retention.erase_expired": {
        "task": "apps.recordings.tasks.retention.erase_expired",
        "schedule": crontab(hour="3", minute="17"),
    },
    "apps.recordings.tasks.sealing.watch_sealers": {
        "task": "apps.recordings.tasks.sealing.watch_sealers",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "apps.recordings.tasks.sealing.keep_sealing": {
        "task": "apps.recordings.tasks.sealing.keep_sealing",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    "apps.minutes.tasks.send_mail": {
        "task": "apps.minutes.tasks.send_mail",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "apps.minutes.tasks.keep_writing": {
        "task": "apps.minutes.tasks.keep_writing",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    "apps.recordings.tasks.moving.keep_moving": {
        "task": "apps.recordings.tasks.moving.keep_moving",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "apps.recordings.tasks.afterwards.align_mixes": {
        "task": "apps.recordings.tasks.afterwards.align_mixes",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "apps.recordings.tasks.erasing.keep_mixing": {
        "task": "apps.recordings.tasks.erasing.keep_mixing",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "apps.recordings.tasks.afterwards.make_missing_peaks": {
        "task": "apps.recordings.tasks.afterwards.make_missing_peaks",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
}

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
