"""Pushes from the switchboard: after the commit, in order, never waited for. Whoever misses one finds the rows."""

from __future__ import annotations

import logging

import gevent
import redis
from django.conf import settings
from gevent.queue import Full, Queue

logger = logging.getLogger(__name__)

#: Messages kept while Redis is away; hubs read the rows for what is dropped beyond.
LIMIT = 10_000
RETRY = 0.5


class Publisher:
    def __init__(self) -> None:
        self._queue: Queue[tuple[str, str]] = Queue(maxsize=LIMIT)
        self._client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)

    def put(self, channel: str, message: str) -> None:
        try:
            self._queue.put_nowait((channel, message))
        except Full:
            self._queue.get_nowait()
            self._queue.put_nowait((channel, message))

    def run(self) -> None:
        """Never returns."""
        while True:
            messages = [self._queue.get()]
            while not self._queue.empty():
                messages.append(self._queue.get_nowait())
            try:
                pipe = self._client.pipeline(transaction=False)
                for channel, message in messages:
                    pipe.publish(channel, message)
                pipe.execute()
            except redis.RedisError as error:
                logger.warning("%d messages not published: %s", len(messages), error)
                gevent.sleep(RETRY)
