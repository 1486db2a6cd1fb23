"""The stores that this installation has (docs/settings.md)."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path

from django.conf import settings

from apps.recordings.errors import StorageAway
from apps.recordings.models import Track

from .folder import Folder
from .store import Store

logger = logging.getLogger(__name__)


def folder() -> Folder:
    """This machine's."""
    return Folder(Path(settings.SPARKLE_RECORDINGS_DIR))


def store_of(storage: str) -> Store:
    """The one that `Track.storage` names. Raises StorageAway where nothing says how to reach it."""
    if storage == Track.Storage.FOLDER:
        return folder()
    if not settings.SPARKLE_RECORDINGS_S3_BUCKET:
        logger.error("recordings are in an S3 store: set SPARKLE_RECORDINGS_S3_BUCKET")
        raise StorageAway
    return _bucket(
        settings.SPARKLE_RECORDINGS_S3_ENDPOINT,
        settings.SPARKLE_RECORDINGS_S3_REGION,
        settings.SPARKLE_RECORDINGS_S3_ACCESS_KEY,
        settings.SPARKLE_RECORDINGS_S3_SECRET_KEY,
        settings.SPARKLE_RECORDINGS_S3_BUCKET,
        settings.SPARKLE_RECORDINGS_S3_PREFIX,
    )


def destination() -> Track.Storage:
    """Where sealed tracks belong."""
    return Track.Storage.S3 if settings.SPARKLE_RECORDINGS_STORAGE == "s3" else Track.Storage.FOLDER


def stores() -> dict[str, Store]:
    """All of them, by what `Track.storage` says."""
    found = [Track.Storage.FOLDER]
    if settings.SPARKLE_RECORDINGS_S3_BUCKET:
        found.append(Track.Storage.S3)
    return {storage: store_of(storage) for storage in found}


@cache
def _bucket(endpoint: str, region: str, access_key: str, secret_key: str, name: str, prefix: str) -> Store:
    # boto3 takes its time, and 20 MB: only where it is used. Its clients may be used by several threads.
    from .s3 import Bucket, connect

    return Bucket(connect(endpoint, region, access_key, secret_key), name, prefix)
