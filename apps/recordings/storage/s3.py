"""A bucket of an S3-compatible store. What it gets is sealed: nothing depends on who can read it there."""

from __future__ import annotations

import errno
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from apps.recordings.errors import StorageAway
from apps.recordings.sealed.files import Source

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

logger = logging.getLogger(__name__)

HEADS: Final = 1 << 8
"""Bytes: whoever asks for no more looks at a header or at the head of a frame, and goes on elsewhere."""
SHORT: Final = 1 << 15
WINDOW: Final = 1 << 18
LONG: Final = 1 << 20
"""Bytes of one request: around a head, at a new place (8 s of 16 kHz mono), and where reading goes on."""

_CONNECT, _READ = 3, 5
"""Seconds to wait for a connection, and for bytes; each request is tried twice."""
_TRANSFER: Final = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20, use_threads=False)


def connect(endpoint: str, region: str, access_key: str, secret_key: str) -> S3Client:
    """Empty texts: what boto3 finds by itself, as the variables AWS_… or the role of the machine."""
    config = Config(
        connect_timeout=_CONNECT,
        read_timeout=_READ,
        retries={"total_max_attempts": 2, "mode": "standard"},
        s3={"addressing_style": "path" if endpoint else "auto"},
        # Not every store knows the newer checksums; what was put there is read again and compared anyway.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        aws_access_key_id=access_key or None,
        aws_secret_access_key=secret_key or None,
        config=config,
    )


class Bucket:
    """A Store: the objects of a bucket, those below `prefix` where there is one."""

    def __init__(self, client: S3Client, name: str, prefix: str) -> None:
        self._client = client
        self._name = name
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")

    def open(self, name: str) -> Source:
        return _Object(self._client, self._name, self._prefix + name)

    def put(self, name: str, source: Source) -> None:
        with _reached(name):
            stream = io.BufferedReader(_Stream(source))
            self._client.upload_fileobj(stream, self._name, self._prefix + name, Config=_TRANSFER)

    def remove(self, name: str) -> None:
        with _reached(name):
            self._client.delete_object(Bucket=self._name, Key=self._prefix + name)

    def names(self) -> Iterator[str]:
        with _reached(self._prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=self._prefix):
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)


class _Window(NamedTuple):
    start: int
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)


class _Object:
    """Reads by ranges, and somewhat ahead. In memory are what was read last, and the end, to which a reader comes back
    from the heads of runs.
    """

    def __init__(self, client: S3Client, bucket: str, key: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._size = 0
        self._last = self._tail = self._fetch(0, SHORT)

    def size(self) -> int:
        return self._size

    def read_into(self, offset: int, buffer: memoryview) -> int:
        wanted = max(0, min(len(buffer), self._size - offset))
        done = 0
        while done < wanted:
            window = self._window_at(offset + done, len(buffer))
            piece = memoryview(window.data)[offset + done - window.start :][: wanted - done]
            if not piece:
                break
            buffer[done : done + len(piece)] = piece
            done += len(piece)
        return done

    def _window_at(self, place: int, wanted: int) -> _Window:
        for window in (self._last, self._tail):
            if window.start <= place < window.end:
                return window
        goes_on = place == self._last.end
        self._last = self._fetch(
            place, SHORT if wanted <= HEADS else LONG if goes_on else max(WINDOW, min(wanted, LONG))
        )
        if self._last.end == self._size:
            self._tail = self._last
        return self._last

    def _fetch(self, start: int, length: int) -> _Window:
        with _reached(self._key):
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._key, Range=f"bytes={start}-{start + length - 1}"
                )
            except ClientError as error:
                if _code(error) != "InvalidRange":
                    raise
                return _Window(start, b"")  # it is empty, or became shorter
            self._size = int(answer["ContentRange"].rpartition("/")[2])
            return _Window(start, answer["Body"].read())


class _Stream(io.RawIOBase):
    """A source as boto3 reads what it sends."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + (0, self._position, self._source.size())[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = self._source.read_into(self._position, memoryview(buffer))
        self._position += count
        return count


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def _reached(name: str) -> Iterator[None]:
    """What goes wrong with a store, told apart: an object that is not there, and everything else. Words of the store
    are not logged, since they may hold the access key.
    """
    try:
        yield
    except ClientError as error:
        if _code(error) == "NoSuchKey":
            raise FileNotFoundError(errno.ENOENT, "no such object", name) from error
        logger.error("the store of recordings refuses %s: %s", error.operation_name, _code(error))
        raise StorageAway from error
    except (BotoCoreError, Boto3Error, HTTPError) as error:
        logger.error("the store of recordings is not reached: %s", type(error).__name__)
        raise StorageAway from error
