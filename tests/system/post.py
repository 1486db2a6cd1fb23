"""The mail server that the system of the tests is told of. It is away until somebody opens it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from tests.authority import deliver
from tests.unit.minutes.mail import ELSEWHERE, SENDER, Box, Login, free_port, serving


class PostOffice:
    """It asks for STARTTLS and a login, and nobody but those who are told `environment` trusts its certificate."""

    def __init__(self, directory: Path) -> None:
        self.box = Box(Login("conferences", "p:w/%@ d"))
        self._certificate = deliver(directory, ELSEWHERE)
        self._port = free_port(ELSEWHERE)

    @property
    def environment(self) -> dict[str, str]:
        assert self.box.login is not None
        return {
            "SPARKLE_EMAIL_URL": f"smtp://{self.box.login.user}@{ELSEWHERE}:{self._port}",
            "SPARKLE_EMAIL_PASSWORD": self.box.login.password,
            "SPARKLE_EMAIL_FROM": SENDER,
            "SSL_CERT_FILE": str(self._certificate.root),
        }

    def open(self) -> AbstractContextManager[None]:
        return serving(self.box, ELSEWHERE, self._port, certificate=self._certificate)
