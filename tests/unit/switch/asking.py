"""Asking as mod_xml_curl does, through the application that a server runs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

from apps.switch.models import Node
from sparkle.xml_wsgi import application


class Answered(NamedTuple):
    status_code: int
    headers: dict[str, str]
    content: bytes


def request(
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    answered: Callable[[], None] | None = None,
) -> Answered:
    """`answered` is called when all of the answer is there, before the server closes it."""
    environ: dict[str, Any] = {f"HTTP_{name.upper()}": value for name, value in (headers or {}).items()}
    environ |= {"REQUEST_METHOD": method, "PATH_INFO": path}
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    setup_testing_defaults(environ)
    told: list[Any] = []
    answer: Any = application(environ, lambda status, fields: told.extend((status, fields)))  # type: ignore[arg-type]
    try:
        content = b"".join(answer)
        if answered is not None:
            answered()
    finally:
        answer.close()
    status, fields = told
    assert dict(fields)["Content-Length"] == str(len(content))
    return Answered(int(status.split()[0]), dict(fields), content)


def post(
    where: str, question: dict[str, str], headers: dict[str, str], answered: Callable[[], None] | None = None
) -> Answered:
    return request("POST", f"/switch/xml/{where}", urlencode(question).encode(), headers, answered)


def ask(node: Node, where: str = "directory", **question: str) -> Answered:
    """As the node itself."""
    return post(where, question, basic(node.name, node.xml_password))


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
