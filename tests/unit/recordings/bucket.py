"""An S3 store that answers over HTTP on loopback, and counts what is asked of it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings

from apps.recordings.storage.configured import store_of
from apps.recordings.storage.s3 import Bucket
from tests.unit.recordings.aws import EMULATOR


class Service:
    """The store, the bucket of one test in it, and this process's way to it."""

    def __init__(self, settings: LazySettings) -> None:
        self.settings = settings
        settings.SPARKLE_RECORDINGS_S3_ENDPOINT = f"http://127.0.0.1:{EMULATOR.start()}"
        settings.SPARKLE_RECORDINGS_S3_BUCKET = f"bucket-{uuid4().hex}"
        settings.SPARKLE_RECORDINGS_S3_PREFIX = "of/this/installation"
        settings.SPARKLE_RECORDINGS_S3_ACCESS_KEY = settings.SPARKLE_RECORDINGS_S3_SECRET_KEY = "testing"
        bucket = store_of("s3")
        assert isinstance(bucket, Bucket)
        self.bucket = bucket
        #: Bytes that each request for an object was answered with.
        self.got: list[int] = []
        self._client: Any = bucket._client
        self._client.create_bucket(Bucket=self.name)
        self._client.meta.events.register("after-call.s3.GetObject", self._count)

    @property
    def name(self) -> str:
        return str(self.settings.SPARKLE_RECORDINGS_S3_BUCKET)

    def objects(self) -> list[str]:
        return [each["Key"] for each in self._client.list_objects_v2(Bucket=self.name).get("Contents", ())]

    def bytes_of(self, key: str) -> bytes:
        data: bytes = self._client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def write(self, key: str, data: bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=data)

    def goes_away(self) -> None:
        EMULATOR.stop()

    def comes_back(self) -> None:
        """With what was in it."""
        EMULATOR.start()

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.got.append(parsed.get("ContentLength", 0))


@pytest.fixture
def s3(settings: LazySettings) -> Service:
    return Service(settings)
