"""An S3 store that answers over HTTP on loopback, and counts what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from moto.server import ThreadedMotoServer

from apps.recordings.storage.configured import store_of
from apps.recordings.storage.s3 import Bucket


class Service:
    """The store, the bucket of one test in it, and this process's way to it."""

    def __init__(self, settings: LazySettings) -> None:
        self.settings = settings
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        settings.SPARKLE_RECORDINGS_S3_ENDPOINT = f"http://127.0.0.1:{self.port}"
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
        self._server.stop()

    def comes_back(self) -> None:
        """With what was in it: the emulator keeps it in this process."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()

    def _count(self, parsed: dict[str, Any], **_: Any) -> None:
        self.got.append(parsed.get("ContentLength", 0))


@pytest.fixture
def s3(settings: LazySettings) -> Iterator[Service]:
    store = Service(settings)
    yield store
    store.goes_away()
