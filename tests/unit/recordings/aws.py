"""AWS over HTTP on loopback, by moto: one server for all tests of a process, since to stop one takes half a second."""

from __future__ import annotations

from moto.server import ThreadedMotoServer


class Emulator:
    """What it holds is kept in this process, also while it is stopped."""

    def __init__(self) -> None:
        self._server: ThreadedMotoServer | None = None
        self._port = 0

    def start(self) -> int:
        """Where it is not running: at the port at which it was. Its port."""
        if self._server is None:
            self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
            self._server.start()
            self._port = self._server.get_host_and_port()[1]
        return self._port

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


EMULATOR = Emulator()
