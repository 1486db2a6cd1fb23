"""A socket of the live feed: who may open it, what it may ask. What it is told comes from the hub. Protocol:
docs/api.md.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import translation

from apps.accounts.models import User
from apps.conferences.actors import Caller
from apps.conferences.guests import find_guest, guest_of
from apps.conferences.services.actions import perform
from apps.core.api.problems import as_problem
from apps.core.api.throttles import count_request
from apps.core.errors import FieldError, Invalid, MalformedBody, NotSignedIn, Problem
from apps.core.sql import instances

from .hub import hub
from .viewer import Credentials, GuestCredentials, Pass, Viewer

NOT_SIGNED_IN = 4401
FOREIGN_ORIGIN = 4403

#: Characters of one message, more than the largest action needs.
LONGEST = 512 * 1024
_LONGEST_ID = 64


class LiveConsumer(AsyncWebsocketConsumer):
    viewer: Viewer | None = None

    async def connect(self) -> None:
        # Accepted first, since only an open socket can be closed with a code that tells why.
        await self.accept()
        if not _same_origin(self.scope):
            await self.close(FOREIGN_ORIGIN)
        elif (credentials := await _credentials(self.scope)) is None:
            await self.close(NOT_SIGNED_IN)
        else:
            conference_id: UUID = self.scope["url_route"]["kwargs"]["conference_id"]
            self.viewer = Viewer(conference_id, credentials, self._send_text, self.close)
            await hub().attach(self.viewer)

    async def disconnect(self, code: int) -> None:
        if self.viewer is not None:
            await hub().detach(self.viewer)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.viewer is None:
            return
        try:
            message = _read(text_data)
            match message.get("type"):
                case "resync":
                    self.viewer.need_snapshot()
                case "ping":
                    await self._send_text('{"type":"pong"}')
                case "action":
                    await self._act(self.viewer, message)
                case _:
                    raise Invalid(errors=[FieldError("type", "invalid_choice", "resync, action, ping")])
        except Problem as problem:
            with translation.override(await _language(self.viewer.credentials)):
                document = problem.document()
            await self._say({**document, "type": "problem"})

    async def _act(self, viewer: Viewer, message: dict[str, Any]) -> None:
        key, action = message.get("id"), message.get("action")
        if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_ID:
            raise Invalid(errors=[FieldError("id", "invalid", "1-64")])
        client = self.scope.get("client")
        status, body = await _perform(
            viewer.credentials,
            viewer.conference_id,
            action,
            message.get("body", {}),
            client[0] if client else None,
        )
        await self._say({"type": "result", "id": key, "status": status, "body": body})

    async def _say(self, document: dict[str, Any]) -> None:
        await self._send_text(json.dumps(document))

    def _send_text(self, text: str) -> Awaitable[None]:
        return self.base_send({"type": "websocket.send", "text": text, "bytes": None})


def _read(text: str | None) -> dict[str, Any]:
    if text is None or len(text) > LONGEST:
        raise MalformedBody
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedBody from None
    if not isinstance(message, dict):
        raise MalformedBody
    return message


async def _credentials(scope: Any) -> Pass | None:
    """Of who is signed in, else of a guest."""
    user: Any = scope["user"]
    if isinstance(user, User) and scope["session"].session_key is not None:
        return Credentials(user.pk, scope["session"].session_key, user.password)
    guest = await _guest(scope["cookies"])
    return GuestCredentials(guest.pk) if guest else None


_guest = database_sync_to_async(guest_of, thread_sensitive=False)


def _caller(credentials: Pass) -> Caller | None:
    if isinstance(credentials, GuestCredentials):
        return find_guest(credentials.user)
    return next(iter(instances(User, "t.id = %(id)s AND t.is_active", {"id": credentials.user})), None)


def _language_of(caller: Caller | None) -> str:
    return caller.language if isinstance(caller, User) else settings.LANGUAGE_CODE


def _language_now(credentials: Pass) -> str:
    return _language_of(_caller(credentials))


_language = database_sync_to_async(_language_now, thread_sensitive=False)


def _perform_now(
    credentials: Pass, conference_id: UUID, action: Any, body: Any, address: str | None
) -> tuple[int, dict[str, Any]]:
    user = _caller(credentials)
    with translation.override(_language_of(user)):
        try:
            if user is None:
                raise NotSignedIn
            count_request(user)
            answer = perform(user=user, conference_id=conference_id, action=str(action), body=body, address=address)
        except Exception as exc:
            problem = as_problem(exc)
            if problem is None:
                raise
            return problem.status, problem.document()
        return 200, answer


_perform = database_sync_to_async(_perform_now, thread_sensitive=False)


def _same_origin(scope: Any) -> bool:
    """Browsers always say where a page comes from; other clients need not (they carry no cookies of a page's
    visitor).
    """
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"").decode("latin-1")
    if not origin or origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    host = headers.get(b"host", b"").decode("latin-1")
    return bool(urlsplit(origin).netloc == host)
