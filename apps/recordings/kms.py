"""Key-encryption keys in AWS KMS: data keys are wrapped and unwrapped there, and it is never here (decisions/0027)."""

from __future__ import annotations

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from .sealed.errors import BadKeys, KeysAway, WrongKey

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

log = logging.getLogger(__name__)

TIMEOUT: Final = 2.0
"""Seconds to connect, and to answer; there are two tries."""
AWAY: Final = 5.0
"""Seconds after a failure in which nobody is kept waiting for the next one."""
LIFE: Final = 300.0
"""Seconds for which a data key is remembered: a player asks for one track again and again."""
MOST: Final = 4096
"""Data keys that are remembered."""

_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
_NOT_OF_THIS: Final = {"InvalidCiphertextException", "IncorrectKeyException", "ValidationException"}
_NOT_OPENED: Final = "the wrapped key is not of this track and key-encryption key, or is damaged"
_TOO_MUCH: Final = {"ThrottlingException", "LimitExceededException"}

Answer = TypeVar("Answer")
Clock = Callable[[], float]


class KmsKey:
    """A KeyEncryptionKey; by its own ARN, since an alias may name another key tomorrow. Whom it asks as, and where KMS
    is if not in the key's region, boto3 finds out (AWS_…). Raises BadKeys.

    Each request names the key, so no other one opens anything, whatever the database says.
    """

    def __init__(self, arn: str, clock: Clock = time.monotonic) -> None:
        found = _ARN.fullmatch(arn)
        if found is None:
            raise BadKeys(f"{arn}: write arn:aws:kms:REGION:ACCOUNT:key/ID, and no alias")
        self.arn = arn
        self._clock = clock
        self._away_until = clock()
        self._remembered = Remembered(clock)
        patience = Config(
            connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"mode": "standard", "total_max_attempts": 2}
        )
        try:
            # A session of its own: clients are safe in threads, the session that boto3 shares is not.
            self._kms: KMSClient = boto3.session.Session().client("kms", region_name=found[1], config=patience)
        except (BotoCoreError, ValueError) as error:
            raise BadKeys(f"{arn}: {error}") from None
        if not _is_private(self._kms.meta.endpoint_url):
            raise BadKeys(f"{self._kms.meta.endpoint_url}: write https://…, or http://127.0.0.1:… on this machine")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KmsKey) and self.arn == other.arn

    def __hash__(self) -> int:
        return hash(self.arn)

    def wrap(self, track: UUID, key_id: str, data_key: bytes) -> bytes:
        context = _context(track, key_id)
        answer = self._ask(lambda: self._kms.encrypt(KeyId=self.arn, Plaintext=data_key, EncryptionContext=context))
        sealed = answer["CiphertextBlob"]
        self._remembered.put((track, key_id, sealed), data_key)
        return sealed

    def unwrap(self, track: UUID, key_id: str, sealed: bytes) -> bytes:
        if known := self._remembered.get((track, key_id, sealed)):
            return known
        context = _context(track, key_id)
        answer = self._ask(lambda: self._kms.decrypt(KeyId=self.arn, CiphertextBlob=sealed, EncryptionContext=context))
        self._remembered.put((track, key_id, sealed), answer["Plaintext"])
        return answer["Plaintext"]

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        """Raises WrongKey, KeysAway, BadKeys."""
        if self._clock() < self._away_until:
            raise KeysAway(f"{self.arn} was not reachable a moment ago")
        try:
            return ask()
        except ClientError as error:
            code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            if code in _NOT_OF_THIS:
                raise WrongKey(_NOT_OPENED) from None
            if status < 500 and code not in _TOO_MUCH:
                raise BadKeys(f"{self.arn}: {code}") from None
            raise self._away(code) from None
        except ParamValidationError:
            raise WrongKey(_NOT_OPENED) from None  # there is nothing to open
        except NoCredentialsError as error:
            raise BadKeys(f"{self.arn}: {error}") from None
        except BotoCoreError as error:
            raise self._away(str(error)) from None

    def _away(self, why: str) -> KeysAway:
        self._away_until = self._clock() + AWAY
        log.error("%s is not reachable, so recordings under it are neither begun nor heard: %s", self.arn, why)
        return KeysAway(f"{self.arn} is not reachable")


class Remembered:
    """Data keys, for LIFE at most, MOST of them. They are found by what is stored of them: an erased track has none."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._found: OrderedDict[tuple[UUID, str, bytes], tuple[float, bytes]] = OrderedDict()

    def get(self, of: tuple[UUID, str, bytes]) -> bytes | None:
        with self._lock:
            self._forget()
            return self._found[of][1] if of in self._found else None

    def put(self, of: tuple[UUID, str, bytes], data_key: bytes) -> None:
        with self._lock:
            self._found.setdefault(of, (self._clock() + LIFE, data_key))
            self._forget()

    def _forget(self) -> None:
        """In the order in which they came, the first of them are those that go first."""
        now = self._clock()
        while self._found and (len(self._found) > MOST or next(iter(self._found.values()))[0] <= now):
            self._found.popitem(last=False)


def _context(track: UUID, key_id: str) -> dict[str, str]:
    """What KMS binds a wrapped key to; it stands in the log of KMS (CloudTrail)."""
    return {"purpose": "sparkle sealed 1 data key", "track": str(track), "key": key_id}


def _is_private(url: str) -> bool:
    """Whether nobody on the way reads the data keys that are sent there."""
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"
