"""What every other part of the settings asks for."""

from __future__ import annotations

from pathlib import Path

from sparkle.env import EnvironmentValueError, envsecret, envstr

BASE_DIR = Path(__file__).resolve().parents[2]

ENVIRONMENT = envstr("SPARKLE_ENV", "local")
if ENVIRONMENT not in {"local", "production", "test"}:
    raise EnvironmentValueError(f"SPARKLE_ENV={ENVIRONMENT!r}: write local, production or test")
PRODUCTION = ENVIRONMENT == "production"
TESTING = ENVIRONMENT == "test"


def outside_production(value: str) -> str | None:
    """A default that only the local and the test environment have."""
    return None if PRODUCTION else value


# Where this installation keeps its own files.
VAR_DIR = Path(envstr("SPARKLE_VAR", str(BASE_DIR / "var"))).resolve()
TIME_ZONE = envstr("SPARKLE_TIME_ZONE", "Asia/Shanghai")

# Redis (or Valkey) carries wake-ups and the Celery broker. There is no CHANNEL_LAYERS: the live feed has its own hub,
# one Redis subscriber and one prebuilt frame per process, where a channel layer would copy each message per socket.
REDIS_URL = envsecret("REDIS_URL", outside_production("redis://127.0.0.1:6379/0"))
