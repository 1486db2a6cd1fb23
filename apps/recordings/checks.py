"""What has to be right before anything is recorded. Run by every `manage.py` command, and by jobs as they start."""

from __future__ import annotations

import os
from typing import Any

from django.core.checks import CheckMessage, Error, register

from .keys import read_keys
from .sealed.errors import BadKeys
from .sealed.keys import VARIABLE


@register
def keys(**_: Any) -> list[CheckMessage]:
    """The key-encryption keys, in processes that have any."""
    if not (os.environ.get(VARIABLE) or os.environ.get(f"{VARIABLE}_FILE")):
        return []
    try:
        read_keys()
    except BadKeys as error:
        return [Error(f"{VARIABLE}: {error}", id="recordings.E001")]
    return []
