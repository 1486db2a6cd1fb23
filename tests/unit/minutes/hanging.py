"""A store that takes connections and says nothing, for as long as a test wants."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import LazySettings


class Hanging:
    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self._over = False
        #: Once somebody waits for an answer.
        self.asked = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def give_up(self) -> None:
        """Break off, and take no more."""
        self._over = True
        with socket.create_connection(self._listening.getsockname()):
            self._thread.join()
        self._listening.close()
        for connection in self._held:
            connection.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            if self._over:
                connection.close()
                return
            self._held.append(connection)
            self.asked.set()


@contextmanager
def hanging(settings: LazySettings) -> Iterator[Hanging]:
    """The store of recordings, while the block lasts or until it gives up."""
    store = Hanging()
    settings.SPARKLE_RECORDINGS_S3_ENDPOINT = store.address
    settings.SPARKLE_RECORDINGS_S3_BUCKET = "bucket"
    settings.SPARKLE_RECORDINGS_S3_ACCESS_KEY = settings.SPARKLE_RECORDINGS_S3_SECRET_KEY = "testing"
    try:
        yield store
    finally:
        if not store._over:
            store.give_up()
