"""The loop of one node against a scripted switch and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gevent

from apps.conferences.models import Conference, Participant
from apps.conferences.reconcile.desired import attempt_leg
from apps.conferences.rooms import main_room
from apps.conferences.switchboard import database, lease
from apps.conferences.switchboard.link import Address
from apps.conferences.switchboard.node import NodeLoop
from apps.conferences.switchboard.publish import Publisher
from apps.switch.models import Node
from tests.unit.switchboard.desk import Desk


@dataclass
class Driven:
    """A node that a loop drives, the desk that plays it, and a conference on it into which nobody is called yet."""

    desk: Desk
    node: Node
    conference: Conference
    person: Participant
    loop: NodeLoop
    greenlet: gevent.Greenlet[[], None]
    connection: database.Connection

    def call(self, **fields: Any) -> None:
        """Somebody shall be in."""
        Participant.objects.filter(pk=self.person.pk).update(present=True, **fields)
        self.loop.notify(self.conference.pk)

    def in_room(self, action: str, *, speak: bool = True) -> None:
        """The switch tells of the person's first leg."""
        self.desk.tell(
            Event_Name="CUSTOM",
            Conference_Name=main_room(self.conference.pk)[0],
            Unique_ID=str(attempt_leg(self.person.pk, 1, 1)),
            Floor="false",
            Hear="true",
            Speak=str(speak).lower(),
            Talking="false",
            Hold="false",
            Member_ID="1",
            Member_Type="member",
            Member_Ghost="false",
            Session_External_ID=str(self.person.pk),
            Action=action,
        )

    @property
    def originates(self) -> list[str]:
        return [command for command in self.desk.heard if "originate" in command]

    def has_loaded(self) -> bool:
        return self.loop.observed.ready and self.conference.pk in self.loop.book.entries


@contextmanager
def driving(node: Node, desk: Desk) -> Iterator[tuple[NodeLoop, gevent.Greenlet[[], None], database.Connection]]:
    with database.connect(application_name="test", autocommit=True) as connection:
        held = lease.acquire(connection, node.pk, "test")
        assert held is not None
        held.fresh_until = float("inf")
        loop = NodeLoop(node.name, Address("127.0.0.1", desk.port, "ClueCon"), held, Publisher())
        greenlet = gevent.spawn(loop.run)
        try:
            yield loop, greenlet, connection
        finally:
            loop.stop()
            greenlet.join(5)
