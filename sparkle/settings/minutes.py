"""Speech to text, and where minutes go from here."""

from __future__ import annotations

from sparkle.env import EnvironmentValueError, envendpoint, envint, envkey, envmailbox, envsecret, envstr, mail_server

from .installation import PRODUCTION

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
