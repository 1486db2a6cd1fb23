"""The ASGI application: pages, REST and the live feed's WebSocket."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")

# Django's set-up comes first: the modules below need the app registry.
django.setup(set_prefix=False)

from channels.auth import AuthMiddleware  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import CookieMiddleware, InstanceSessionWrapper, SessionMiddleware  # noqa: E402

from apps.conferences.live.routing import websocket_urlpatterns  # noqa: E402
from apps.core.asgi import OneThread  # noqa: E402


class ReadSession(SessionMiddleware):
    """The session of who opens a WebSocket. Channels' own also puts itself before `send`, to store the session with a
    response: a WebSocket never has one, and half of what a frame costs would go there.
    """

    inner: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        session = InstanceSessionWrapper(scope, send)
        await session.resolve_session()
        return await self.inner(session.scope, receive, send)


application = ProtocolTypeRouter(
    {
        "http": OneThread(),
        # The stubs accept only a subclass of their own, which path() does not yield.
        "websocket": CookieMiddleware(ReadSession(AuthMiddleware(URLRouter(websocket_urlpatterns)))),  # type: ignore[arg-type]
    }
)
