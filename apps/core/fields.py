"""Model fields of our own."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.encoding import force_bytes

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
else:
    TextField = models.TextField  # not generic when it runs


def _box() -> MultiFernet:
    """A box per secret: SECRET_KEY first, then SECRET_KEY_FALLBACKS, so that the key can be rotated."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        Fernet(base64.urlsafe_b64encode(hashlib.blake2b(key, digest_size=32, person=b"sealed-field").digest()))
        for key in map(force_bytes, secrets)
    )


def unseal(value: str) -> str:
    """What a SealedTextField's column holds, in plain. Empty stays empty. Raises InvalidToken."""
    return _box().decrypt(value.encode()).decode() if value else value


class SealedTextField(TextField):
    """Text that the database holds encrypted (Fernet: AES-128-CBC and HMAC-SHA256).

    Empty stays empty. It cannot be searched.
    """

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return _box().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        try:
            return value if value is None else unseal(value)
        except InvalidToken as error:
            raise ImproperlyConfigured(
                f"{self.model.__name__}.{self.name} was sealed with another SECRET_KEY; "
                "add the old one to SECRET_KEY_FALLBACKS"
            ) from error
