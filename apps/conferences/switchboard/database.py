"""Plain psycopg connections from Django's settings: the hot path neither needs nor wants the ORM."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from django.conf import settings
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads

Connection = psycopg.Connection[DictRow]


def connect(*, application_name: str, autocommit: bool = False) -> Connection:
    """A connection with dict rows. Raises psycopg.OperationalError when the database is away."""
    database: dict[str, Any] = settings.DATABASES["default"]
    connection = psycopg.connect(
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        dbname=database["NAME"],
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        application_name=application_name,
        connect_timeout=5,
        # A server that died without a word must not hold a switchboard for hours.
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
        autocommit=autocommit,
        row_factory=dict_row,
    )
    set_json_loads(msgspec.json.decode, connection)
    return connection
