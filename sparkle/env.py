"""Values from the environment, typed. A wrong or missing one stops the start, naming it and what would be right."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_TRUE = {"1", "true", "yes", "on"}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_FALSE = {"0", "false", "no", "off"}
_ENDPOINT = re.compile(
    r"(https://[\w.-]+|http://(127\.0\.0\.1|localhost|\[::1\]))(:[0-9]{1,5})?(/[\w.~/-]*)?", re.ASCII
)
_MAILBOX = re.compile(r'(("[^"\r\n]+"|[^",:;<>()@\[\]\\\r\n]+) ?<[^@<>\s]+@[^@<>\s]+>|[^@<>",\s]+@[^@<>",\s]+)')


class EnvironmentValueError(Exception):
    """A variable is missing or cannot be understood; the message names it."""


def envstr(name: str, default: str | None = None) -> str:
    """The variable's text; without a default it is required. An empty variable counts as absent."""
    value = os.environ.get(name) or default
    if value is None:
        raise EnvironmentValueError(f"{name} is not set")
    return value


def envbool(name: str, default: bool) -> bool:
    text = envstr(name, "").strip().lower()
    if not text:
        return default
    if text not in _TRUE | _FALSE:
        raise EnvironmentValueError(f"{name}={text!r}: write one of {sorted(_TRUE)} or {sorted(_FALSE)}")
    return text in _TRUE


def envint(name: str, default: int) -> int:
    text = envstr(name, "").strip()
    try:
        return int(text) if text else default
    except ValueError:
        raise EnvironmentValueError(f"{name}={text!r}: write a whole number") from None


def envlist(name: str, default: str) -> list[str]:
    """Comma-separated texts."""
    return [part.strip() for part in envstr(name, default).split(",") if part.strip()]


def envendpoint(name: str, *, path: bool = False) -> str:
    """The address of a service that gets credentials, empty where not set: over TLS, or on this machine."""
    text = envstr(name, "").rstrip("/")
    found = _ENDPOINT.fullmatch(text)
    if text and not (found and int((found[3] or ":0")[1:]) < 65536 and (path or not found[4])):
        more = "/…" if path else ""
        raise EnvironmentValueError(
            f"{name}={text!r}: write https://HOST{more}, or http://127.0.0.1:PORT{more} on this machine"
        )
    return text


def envmailbox(name: str, default: str | None) -> str:
    """Whom mails are from, with a name or without one."""
    text = envstr(name, default)
    if not _MAILBOX.fullmatch(text):
        raise EnvironmentValueError(
            f'{name}={text!r}: write conferences@example.org, or "Name" <conferences@example.org>'
        )
    return text


def envsecret(name: str, default: str | None = None) -> str:
    """Like `envstr`, but `NAME_FILE` may name a file that holds it (as Docker and systemd hand secrets over). One that
    is empty counts as absent, as an empty variable does.
    """
    file = os.environ.get(f"{name}_FILE")
    if not file:
        try:
            return envstr(name, default)
        except EnvironmentValueError:
            raise EnvironmentValueError(f"set {name}, or {name}_FILE to a file that holds it") from None
    try:
        text = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnvironmentValueError(f"{name}_FILE={file}: {error.strerror}") from None
    if not text and default is None:
        raise EnvironmentValueError(f"{name}_FILE={file}: the file is empty")
    return text or default or ""


def envkey(name: str) -> str:
    """A secret that goes into a header, empty where not set."""
    text = envsecret(name, "")
    if not re.fullmatch("[!-~]*", text):
        raise EnvironmentValueError(f"{name}: a key in ASCII, without blanks and on one line, is needed")
    return text


@dataclass(frozen=True, slots=True)
class MailServer:
    """`tls`: from the first byte; `start_tls`: before anything is said that matters. Neither: on this machine."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    start_tls: bool


def mail_server(url: str, password: str) -> MailServer:
    """Of `smtps://user@host:465` or `smtp://user@host:587` (the user percent-encoded). What goes to another machine is
    encrypted in either case. Raises EnvironmentValueError.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path.strip("/"):
        raise EnvironmentValueError("SPARKLE_EMAIL_URL: write smtps://user@host:465, or smtp://user@host:587")
    if parts.password is not None:
        raise EnvironmentValueError("SPARKLE_EMAIL_URL: the password belongs into SPARKLE_EMAIL_PASSWORD")
    user = unquote(parts.username or "")
    if not f"{user}{password}".isascii():
        raise EnvironmentValueError(
            "SPARKLE_EMAIL_URL, SPARKLE_EMAIL_PASSWORD: a user and a password in ASCII are needed"
        )
    tls = parts.scheme == "smtps"
    return MailServer(
        host,
        port or (465 if tls else 587),
        user,
        password,
        tls,
        not tls and host not in _LOOPBACK,
    )
