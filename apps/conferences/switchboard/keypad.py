"""The keys that people press on their telephones, on their way from the switch to what they do, and what is said back.

Beside the node's loop, which never waits for it: one press after the other, through the same services as a click. A
press is taken up once: the loop has recognised repeated events, and nobody tells this process of what was pressed
before it listened. What is still to be done when the process dies is lost; whoever pressed hears nothing and presses
again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass

import gevent
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from gevent.queue import Queue

from apps.conferences.actors import Phone
from apps.conferences.keypad.acts import press
from apps.conferences.keypad.speech import sounds
from apps.conferences.reconcile.observed import ObservedLeg
from apps.switch.commands import Command, Play, Room, SetHearing, StopPlay
from apps.switch.events import Digit

from .book import Book
from .link import Link

logger = logging.getLogger(__name__)

#: Seconds after which nobody expects any more that the key does something.
LATE = 5.0


@dataclass(frozen=True, slots=True)
class Press:
    """`at` is when the switch saw it, by this machine's clock."""

    phone: Phone
    leg: ObservedLeg
    room: Room
    at: float


class Keypad:
    """Those of one node. `run` returns after `stop`, when the press under way is done."""

    def __init__(self, link: Link, book: Book) -> None:
        self._link, self._book = link, book
        self._presses: Queue[Press | None] = Queue()
        self._stopped = False

    def take(self, digits: Iterable[Digit]) -> None:
        """Keys were pressed: those by people of conferences of this node are taken up."""
        for digit in digits:
            leg = self._book.observed.legs.get(digit.leg)
            found = self._book.person(leg.participant) if leg is not None and leg.participant is not None else None
            if leg is not None and found is not None:
                conference, person = found
                phone = Phone(person.id, conference.id, person.name, digit.key)
                self._presses.put(Press(phone, leg, Room(digit.room, conference.room.profile), digit.at))

    def stop(self) -> None:
        self._stopped = True
        self._presses.put(None)

    def run(self) -> None:
        try:
            while (press := self._presses.get()) is not None and not self._stopped:
                close_old_connections()
                try:
                    self._do(press)
                except (DatabaseError, InterfaceError) as error:
                    logger.warning("keys are lost: %s", str(error).strip().splitlines()[:1])
                except Exception:  # one press must not silence all later ones
                    logger.exception("keys of conference %s", press.phone.conference)
        finally:
            connection.close()

    def _do(self, it: Press) -> None:
        late = time.time() - it.at
        if late > LATE:
            logger.info("keys are %.0f s late and do nothing: conference %s", late, it.phone.conference)
            return
        answer = press(it.phone, it.room.name, it.leg.volume_out)
        if not answer.phrases:
            return
        # In a thread: the voice says new names without a break for anybody else.
        files: list[str] = gevent.get_hub().threadpool.apply(sounds, (answer,))
        # What is being said goes on to nobody: they have pressed the next key.
        commands: list[Command] = [StopPlay(it.room, it.leg.leg)]
        if answer.hearing is not None:
            it.leg.volume_out = answer.hearing
            commands.append(SetHearing(it.room, it.leg.leg, answer.hearing))
        self._link.send([*commands, *(Play(it.room, file, it.leg.leg) for file in files)])
