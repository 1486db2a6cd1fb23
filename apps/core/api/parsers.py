"""How bodies are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import parsers

from apps.core.errors import MalformedBody


class JSONParser(parsers.JSONParser):
    """One JSON document; one that is nested beyond all reason is as malformed as any other."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise MalformedBody from error
