"""The usual build with Channels, to compare with: each socket in a group, `group_send` for each change. The act is the
same service of ours (rights, audit, database); whoever connects is taken for the owner.
"""

from __future__ import annotations

import json
import os
from typing import Any
from uuid import UUID

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sparkle.settings")
get_asgi_application()

from channels.db import database_sync_to_async  # noqa: E402 - after Django's set-up
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import path  # noqa: E402

from apps.conferences.models import Conference  # noqa: E402
from apps.conferences.services.actions import perform  # noqa: E402


class Console(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.conference: UUID = self.scope["url_route"]["kwargs"]["conference_id"]
        self.group = f"conference-{self.conference.hex}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        await self.send(text_data='{"type": "snapshot", "seq": 0}')

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = json.loads(text_data or "{}")
        answer = await database_sync_to_async(_perform)(self.conference, message["action"], message["body"])
        changes = {"participants": {each: {"muted": True} for each in message["body"]["participants"]}}
        await self.channel_layer.group_send(
            self.group,
            {
                "type": "tell",
                "text": json.dumps(
                    {"type": "delta", "from": answer["seq"] - 1, "seq": answer["seq"], "changes": changes},
                    separators=(",", ":"),
                ),
            },
        )

    async def tell(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


def _perform(conference: UUID, action: str, body: dict[str, Any]) -> Any:
    owner = Conference.objects.select_related("owner").get(pk=conference).owner
    return perform(user=owner, conference_id=conference, action=action, body=body)


# The project itself has no channel layer. redis-py's own limits would end its
# waiting reads, and fail when all leave at once.
settings.CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": settings.REDIS_URL, "socket_timeout": None, "max_connections": 5000}]},
    }
}
_console: Any = Console.as_asgi()
application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/conferences/<uuid:conference_id>/", _console)])})
