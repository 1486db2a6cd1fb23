"""Signing in, with a brake on guessing."""

from __future__ import annotations

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest

from apps.core import audit
from apps.core.brake import Brake
from apps.core.errors import RateLimited, SignInFailed

from .models import User

#: Failures within WINDOW seconds after which no more are heard: from one address for one name, from one address, for
#: one name. The last is high, so that nobody is easily shut out of their account by others.
WINDOW = 300
MOST_FAILURES = {"pair": 5, "address": 50, "name": 50}


def sign_in(request: HttpRequest, *, username: str, password: str, address: str) -> User:
    """Start a session. Raises SignInFailed (the same for every cause) and RateLimited."""
    user = check(request, username=username, password=password, address=address)
    login(request, user)
    audit.record(by=audit.By(user, address), action="sign_in", on=user)
    return user


def check(request: HttpRequest, *, username: str, password: str, address: str) -> User:
    """Whose user name and password these are; a failure is audited. Raises as `sign_in` does."""
    brakes = _brakes(username, address)
    if any(brake.holds for brake in brakes.values()):
        raise RateLimited(WINDOW)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        for brake in brakes.values():
            brake.failed()
        # A name that nobody has is kept nowhere: it may be a password, typed into the wrong field.
        audit.record(
            by=audit.By(address=address),
            action="sign_in_failed",
            on=User.objects.filter(username=username).first(),
        )
        raise SignInFailed
    brakes["pair"].release()
    return user


def sign_out(request: HttpRequest, *, address: str) -> None:
    """End the session, if there is one."""
    if isinstance(request.user, User):
        audit.record(by=audit.By(request.user, address), action="sign_out", on=request.user)
    logout(request)


def _brakes(username: str, address: str) -> dict[str, Brake]:
    name = username.casefold()
    values = {"pair": f"{address} {name}", "address": address, "name": name}
    return {kind: Brake(f"sign-in-{kind}", value, MOST_FAILURES[kind], WINDOW) for kind, value in values.items()}
