"""A mail server on loopback, which takes mails as any other does, or refuses them as it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from django.conf import LazySettings

from sparkle import env
from tests.authority import Delivered

SENDER = "Conferences <conferences@example.org>"
ELSEWHERE = "127.0.0.2"
"""As good as another machine: what goes there has to be encrypted."""


class Login(NamedTuple):
    user: str
    password: str


class Box:
    """What came, by recipient. `login`: who may send, None for everybody; `tried`: who wanted to. `refuse`: what is
    said to a recipient. `at_data`: what is said when all was sent, None for nothing at all; while it `holds`, nothing
    yet. `came`: how many mails were sent to here, taken or not; `left`: senders that were gone before they were told.
    """

    def __init__(self, login: Login | None = None) -> None:
        self.login = login
        self.tried: list[Login] = []
        self.mails: list[tuple[str, EmailMessage]] = []
        self.refuse: dict[str, str] = {}
        self.at_data: str | None = "250 taken"
        self.holds = False
        self.came = self.left = 0

    def admits(self, server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
        assert server.transport.get_extra_info("ssl_object"), "nobody tells a password before it is encrypted"
        self.tried.append(Login(said.login.decode(), said.password.decode()))
        return AuthResult(success=self.tried[-1] == self.login, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.came += 1
        try:
            while self.holds:
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self.left += 1
            raise
        if self.at_data is None:
            server.transport.abort()
            return "421 gone"
        if self.at_data.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails += [(each, mail) for each in envelope.rcpt_tos]
        return self.at_data


def free_port(address: str) -> int:
    with socket.socket() as free:
        free.bind((address, 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(
    box: Box, address: str, port: int, *, certificate: Delivered | None = None, from_the_start: bool = False
) -> Iterator[None]:
    """It answers there; with a certificate it offers STARTTLS, or speaks TLS `from_the_start`."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
    controller = Controller(
        box,
        hostname=address,
        port=port,
        authenticator=box.admits,
        # It knows of no TLS but that after STARTTLS.
        auth_required=box.login is not None and not from_the_start,
        auth_require_tls=not from_the_start,
        ssl_context=context if from_the_start else None,
        tls_context=None if from_the_start else context,
    )
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def use(settings: LazySettings, url: str, password: str = "") -> None:
    """As sparkle/settings/minutes.py does."""
    server = env.mail_server(url, password)
    settings.SPARKLE_EMAIL_URL = url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = server.user, server.password
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = server.tls, server.start_tls
    settings.DEFAULT_FROM_EMAIL = SENDER


@contextmanager
def mail_server(settings: LazySettings) -> Iterator[Box]:
    """One on this machine, that knows nobody."""
    box, port = Box(), free_port("127.0.0.1")
    use(settings, f"smtp://127.0.0.1:{port}")
    with serving(box, "127.0.0.1", port):
        yield box
