"""What answers mod_xml_curl: a WSGI application of its own, beside Django's, for processes that do nothing else.

FreeSWITCH holds a caller's line while it asks, so the answer goes past the middleware that people's requests need, and
waits for none of them. A process takes one question at a time (gunicorn's sync workers): the next goes to whichever
process is free, and none waits for another's turn at Python's lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from django.db import InterfaceError, OperationalError, connection

from apps.core import realtime
from apps.switch.models import Node

from .auth import asking_node
from .documents import NOT_FOUND

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

Question = Mapping[str, str]
Answer = Callable[[Node, Question], bytes]
Answered = tuple[str, dict[str, str], bytes]

#: Bytes, more than any question of ours has (freeswitch/conf/autoload_configs/xml_curl.conf.xml).
LONGEST: Final = 64 * 1024
ALIVE: Final = "/healthz"


class Application:
    """Gives a node what the answer of a path makes of what it posted.

    Whatever goes wrong, it is told "not found" with status 200: of an answer with another status it would log the whole
    question, digests too (mod_xml_curl.c:319). Only who is no node of ours is told so.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with realtime.later() as news:
            status, headers, body = self._reply(environ)
        start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
        return _Reply(body, news)

    def _reply(self, environ: WSGIEnvironment) -> Answered:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path == ALIVE:
            return "200 OK", {"Content-Type": "text/plain"}, b"alive"
        if (answer := self._answers.get(path)) is None:
            return "404 Not Found", {}, b""
        if method != "POST":
            return "405 Method Not Allowed", {"Allow": "POST"}, b""
        try:
            body = _body(environ)
            text = _once_more(lambda: _ask(answer, environ.get("HTTP_AUTHORIZATION", ""), body))
        except Exception:  # whatever it is: nobody gets in, and the switch has not to wait
            logger.exception("A question of a switch was not answered")
            text = NOT_FOUND
        if text is None:
            return "401 Unauthorized", {"WWW-Authenticate": 'Basic realm="nodes"'}, b""
        return "200 OK", {"Content-Type": "text/xml"}, text


class _Reply:
    """What viewers are told has time until the caller has their answer."""

    def __init__(self, body: bytes, news: list[tuple[str, str]]) -> None:
        self._body, self._news = body, news

    def __iter__(self) -> Iterator[bytes]:
        yield self._body

    def close(self) -> None:
        """Called by the server once the answer is out (PEP 3333)."""
        for channel, message in self._news:
            realtime.publish_now(channel, message)


def _body(environ: WSGIEnvironment) -> bytes:
    """No more of it than a question has."""
    body: bytes = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), LONGEST + 1))
    return body


def _ask(answer: Answer, authorization: str, body: bytes) -> bytes | None:
    """None: it is no node that asks. Raises ValueError for what is no form, or too long."""
    node = asking_node(authorization)
    if node is None:
        return None
    if len(body) > LONGEST:
        raise ValueError("too long a question")
    question = dict(parse_qsl(body.decode(), keep_blank_values=True))
    # NUL ends a text for FreeSWITCH and is none for PostgreSQL.
    return NOT_FOUND if any("\0" in value for value in question.values()) else answer(node, question)


def _once_more(ask: Callable[[], bytes | None]) -> bytes | None:
    """Again where the database was started anew since the last question: the first finds that out. No answer does
    anything twice.
    """
    try:
        return ask()
    except (InterfaceError, OperationalError):
        connection.close_if_unusable_or_obsolete()
        if connection.connection is not None:
            raise
        return ask()
