"""A service on loopback that speaks as OpenAI's does, or as badly as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.authority import Delivered

KEY = "sk-Test/123"


class Service:
    """`asked`: path, headers and body of each question. `status`, `headers`, `answer`: what it says. `instead`: what it
    writes in place of all that, piece by piece, for as long as somebody listens.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.answer: Any = {"choices": [{"message": {"role": "assistant", "content": "All agreed.\n"}}]}
        self.instead: Callable[[], Iterator[bytes]] | None = None
        self.closed = threading.Event()

    def drips(self, *before: bytes, drop: bytes = b" ", each: float = 0.1) -> None:
        """For ever."""

        def pieces() -> Iterator[bytes]:
            yield from before
            while not self.closed.wait(each):
                yield drop

        self.instead = pieces


@contextmanager
def summary_service(certificate: Delivered | None = None) -> Iterator[Service]:
    """It answers at `url`; with a certificate over TLS."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append((self.path, dict(self.headers), json.loads(body)))
            self.close_connection = True
            with suppress(OSError):  # nobody listens any more
                for piece in service.instead() if service.instead else self.said():
                    self.wfile.write(piece)

        def said(self) -> Iterator[bytes]:
            data = service.answer if isinstance(service.answer, bytes) else json.dumps(service.answer).encode()
            self.send_response(service.status)
            for name, value in {"Content-Length": str(len(data)), **service.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            yield data

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Who does not trust it hangs up: nothing to tell.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    service.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        service.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()
