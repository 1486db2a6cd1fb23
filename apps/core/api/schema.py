"""What every operation of the schema has: problem documents for whatever is refused, and Idempotency-Key for POSTs."""

from __future__ import annotations

from typing import Any

from .idempotency import MOST_KEY

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable, `title` and `detail` are in the reader's language.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "Dotted: people.3.numbers.0"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
                "required": ["field", "code", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repeat within 24 hours returns the first answer and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY, "pattern": "^[!-~]+$"},
}
#: Signing in and coming in as a guest, which nobody is signed in for, what must not be kept, and what asks others or
#: reads for long.
_WITHOUT_KEY = frozenset({"session_sign_in", "guests_enter", "conferences_join", "minutes_sign", "minutes_summarise"})


def conventions(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    refused = {
        "description": "Refused",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for item in result["paths"].values():
        for method, operation in item.items():
            operation["responses"]["default"] = refused
            if method == "post" and operation["operationId"] not in _WITHOUT_KEY:
                operation.setdefault("parameters", []).append(_KEY)
    return result
