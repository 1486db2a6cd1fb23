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
from apps.conferences.services.actions import perform
from apps.core.api.problems import as_problem
from apps.core.api.throttles import count_request
from apps.core.errors import FieldError, Invalid, MalformedBody, NotSignedIn, Problem

from .hub import hub
from .viewer import Credentials, Viewer

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
        user: Any = self.scope["user"]
        session: Any = self.scope["session"]
        if not _same_origin(self.scope):
            await self.close(FOREIGN_ORIGIN)
        elif not isinstance(user, User) or session.session_key is None:
            await self.close(NOT_SIGNED_IN)
        else:
            credentials = Credentials(user.pk, session.session_key, user.password)
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
            with translation.override(await _language(self.viewer.credentials.user)):
                document = problem.document()
            await self._say({**document, "type": "problem"})

    async def _act(self, viewer: Viewer, message: dict[str, Any]) -> None:
        key, action = message.get("id"), message.get("action")
        if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_ID:
            raise Invalid(errors=[FieldError("id", "invalid", "1-64")])
        client = self.scope.get("client")
        status, body = await _perform(
            viewer.credentials.user,
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


def _language_now(user_id: UUID) -> str:
    return User.objects.filter(pk=user_id).values_list("language", flat=True).first() or settings.LANGUAGE_CODE


_language = database_sync_to_async(_language_now, thread_sensitive=False)


def _perform_now(
    user_id: UUID, conference_id: UUID, action: Any, body: Any, address: str | None
) -> tuple[int, dict[str, Any]]:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    with translation.override(user.language if user else settings.LANGUAGE_CODE):
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
