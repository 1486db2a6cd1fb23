"""Who can be called, and over which connection (sofia_reg.c). One place for each user: the last one that registered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from .messages import Address, MessageError, Request
from .transport import Connection

LONGEST_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Registration:
    contact: Address
    connection: Connection
    expiry: asyncio.TimerHandle


class Registrations:
    def __init__(self) -> None:
        self._places: dict[str, Registration] = {}

    def find(self, user: str) -> Registration | None:
        return self._places.get(user)

    def take(self, user: str, request: Request, connection: Connection) -> list[Address]:
        """Do what an admitted REGISTER asks for; the contacts that hold now. Raises MessageError."""
        header = request.get("Contact")
        if header == "*":
            self._remove(user)
        elif header is not None:
            contact = Address.parse(header)
            seconds = min(_seconds(contact.parameters.get("expires") or request.get("Expires")), LONGEST_SECONDS)
            self._remove(user)
            if seconds:
                told = replace(contact, parameters={**contact.parameters, "expires": str(seconds)})
                expiry = asyncio.get_running_loop().call_later(seconds, self._remove, user)
                self._places[user] = Registration(told, connection, expiry)
        place = self._places.get(user)
        return [] if place is None else [place.contact]

    def forget(self, connection: Connection) -> None:
        """The connection is gone, and what was registered over it."""
        for user in [user for user, place in self._places.items() if place.connection is connection]:
            self._remove(user)

    def _remove(self, user: str) -> None:
        place = self._places.pop(user, None)
        if place is not None:
            place.expiry.cancel()


def _seconds(text: str | None) -> int:
    if text is None:
        return LONGEST_SECONDS
    if not text.isdecimal() or len(text) > 10:
        raise MessageError(f"expires: {text[:20]!r}")
    return int(text)
