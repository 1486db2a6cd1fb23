"""The process: takes and renews leases, runs a loop for each node it holds, and passes NOTIFY on."""

from __future__ import annotations

import gc
import logging
import os
import secrets
import socket
import time
from collections.abc import Sequence
from uuid import UUID

import gevent
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, close_old_connections
from gevent.event import Event as Flag

from apps.conferences.live.changes import NOTIFY_CHANNEL
from apps.core.heartbeat import heartbeat
from apps.switch.gateways import GATEWAYS_CHANNEL
from apps.switch.models import Node

from . import database, lifecycle
from .lease import RENEW, Lease, LeaseLost, acquire, release, renew
from .link import Address
from .node import NodeLoop
from .publish import Publisher

logger = logging.getLogger(__name__)

#: Seconds between tries to reach a database that is away.
RETRY = 0.5


class Switchboard:
    """Drives the nodes of these names; without names, all. `run` returns after `stop`, with every lease given up."""

    def __init__(self, nodes: Sequence[str] = ()) -> None:
        self.nodes = list(nodes)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.publisher = Publisher()
        self.loops: dict[UUID, tuple[NodeLoop, gevent.Greenlet[[], None]]] = {}
        self.failed = False
        self._stopped = Flag()
        self._rows: dict[UUID, tuple[object, ...]] = {}

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        helpers: list[gevent.Greenlet[..., None]] = [
            gevent.spawn(self.publisher.run),
            gevent.spawn(self._listen),
            gevent.spawn(lifecycle.run, self.held_loops),
        ]
        for helper in helpers:
            helper.link_exception(self._helper_failed)  # gevent prints the traceback
        connection: database.Connection | None = None
        try:
            while not self._stopped.is_set():
                try:
                    if connection is None or connection.closed:
                        connection = database.connect(application_name="switchboard leases", autocommit=True)
                    self._keep(connection)
                    heartbeat()
                    self._stopped.wait(RENEW)
                except (psycopg.OperationalError, DatabaseError, InterfaceError) as error:
                    logger.warning("leases cannot be renewed: %s", str(error).strip().splitlines()[:1])
                    if connection is not None:
                        connection.close()
                    self._stopped.wait(RETRY)
        finally:
            self._end(connection)
            gevent.killall(helpers, timeout=2)

    def _helper_failed(self, helper: gevent.Greenlet[..., None]) -> None:
        """Without it things would go wrong in silence: better end, and be started again."""
        self.failed = True
        self.stop()

    def held_loops(self) -> list[NodeLoop]:
        return [loop for loop, _ in self.loops.values() if loop.running and loop.lease.fresh]

    def _keep(self, connection: database.Connection) -> None:
        close_old_connections()
        for node, (loop, greenlet) in list(self.loops.items()):
            if greenlet.ready():
                del self.loops[node]
                if greenlet.exception is not None:
                    # A loop that failed begins anew, from what is stored, when its lease has run out.
                    logger.error("%s: the loop failed: %r", loop.name, greenlet.exception)
                continue
            try:
                renew(connection, loop.lease)
            except LeaseLost:
                logger.warning("%s: lease lost", loop.name)
                loop.stop()
        nodes = connection.execute(
            """
            SELECT id, esl_host, esl_port, esl_password FROM switch_node
             WHERE cardinality(%(names)s::text[]) = 0 OR name = ANY(%(names)s::text[])
            """,
            {"names": self.nodes},
        )
        for row in nodes.fetchall():
            key, told = row["id"], tuple(row.values())
            try:
                if key not in self.loops:
                    lease = acquire(connection, key, self.holder)
                    if lease is not None:
                        self._drive(lease)
                elif self._rows[key] != told:
                    self.loops[key][0].link.address = _address(Node.objects.get(pk=key))
            except ImproperlyConfigured as error:  # a password sealed with another key: the other nodes go on
                logger.error("node %s: %s", key, error)
            self._rows[key] = told

    def _drive(self, lease: Lease) -> None:
        node = Node.objects.get(pk=lease.node)
        logger.info("%s: driven by %s, epoch %d", node.name, self.holder, lease.epoch)
        loop = NodeLoop(node.name, _address(node), lease, self.publisher)
        self.loops[lease.node] = (loop, gevent.spawn(loop.run))

    def _end(self, connection: database.Connection | None) -> None:
        for loop, _ in self.loops.values():
            loop.stop()
        gevent.joinall([greenlet for _, greenlet in self.loops.values()], timeout=3)
        if connection is None or connection.closed:
            return
        for loop, _ in self.loops.values():
            release(connection, loop.lease)
        connection.close()

    def _listen(self) -> None:
        while True:
            try:
                with database.connect(application_name="switchboard listener", autocommit=True) as connection:
                    for listened in (NOTIFY_CHANNEL, GATEWAYS_CHANNEL):
                        connection.execute(f"LISTEN {listened}")
                    # What was said while nobody listened is unknown: everything may have changed.
                    for loop, _ in self.loops.values():
                        loop.gateways_changed()
                    for notification in connection.notifies():
                        conference = _uuid(notification.payload)
                        for loop, _ in self.loops.values():
                            if notification.channel == GATEWAYS_CHANNEL:
                                loop.gateways_changed()
                            else:
                                loop.notify(conference)
            except psycopg.OperationalError as error:
                logger.warning("not listening: %s", str(error).strip().splitlines()[:1])
                gevent.sleep(RETRY)


def _address(node: Node) -> Address:
    return Address(node.esl_host, node.esl_port, node.esl_password)


def _uuid(text: str) -> UUID | None:
    """None for what is none: anybody may speak on a channel."""
    try:
        return UUID(text)
    except ValueError:
        return None


def main(nodes: Sequence[str]) -> None:
    """Run until SIGTERM or SIGINT. Exits with status 1 when a part of it failed."""
    import signal

    # What was imported stays: without this, each full collection looks at all of it, which takes tens of milliseconds.
    gc.freeze()
    switchboard = Switchboard(nodes)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, switchboard.stop)
    began = time.monotonic()
    logger.info("switchboard %s is up", switchboard.holder)
    switchboard.run()
    logger.info("switchboard %s ended after %.0f s", switchboard.holder, time.monotonic() - began)
    if switchboard.failed:
        logger.critical("a part of the switchboard failed")
        raise SystemExit(1)
