"""The SIP trunks of a node: what it has made to agree with what it should have, and how they are.

On a connection and a greenlet of its own: the switch may take seconds to ask the control plane, and no conference waits
for that. Nothing is remembered that the switch does not say again, so whoever takes over goes on where this one was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from uuid import UUID

import gevent
import psycopg
from gevent.event import Event as Flag

from apps.switch.commands import Command, ReloadNetworks, RemoveGateway, RescanGateways
from apps.switch.esl.connection import Disconnected
from apps.switch.esl.gateways import GatewayConnection
from apps.switch.esl.rendering import Question
from apps.switch.esl.translation import TranslationError
from apps.switch.gateway_status import (
    ABSENT,
    BEGINNING,
    NO_PROFILE,
    PROFILES,
    Sighting,
    UnreadableStatus,
    profile_of,
    read_gateways,
    read_profiles,
    standing,
    switch_name,
)

from . import database
from .lease import Lease, LeaseLost, fence
from .link import Address

logger = logging.getLogger(__name__)

#: Seconds between looks at the gateways when the switch tells nothing of them …
EVERY = 10.0
#: … and while a profile that has to be there is not.
SOON = 2.0
#: Least seconds between two looks: what is told meanwhile is looked at together.
GATHER = 0.1
RETRY = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A SIP trunk that the node shall have."""

    id: UUID
    name: str
    profile: str
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node has: its SIP profiles that run, and their gateways."""

    profiles: frozenset[str]
    gateways: tuple[Sighting, ...]

    def has(self, wanted: Wanted) -> bool:
        return any(each.name == wanted.name and each.profile == wanted.profile for each in self.gateways)


class Trunks:
    """`standing` has, for each SIP trunk, the name to call it by, or None while it is down (`routing.ways_to`); it is
    empty while the node cannot be asked. `changed` is called when it becomes another.
    """

    def __init__(self, name: str, address: Callable[[], Address], lease: Lease, changed: Callable[[], None]) -> None:
        self.name, self.lease = name, lease
        self.standing: Mapping[UUID, str | None] = {}
        self._address, self._changed = address, changed
        self._wake = Flag()
        self._listed: frozenset[str] | None = None  # the networks that this run of the switch was told
        self._connection: database.Connection | None = None
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill(timeout=2)
        if self._connection is not None:
            self._connection.close()

    def wake(self) -> None:
        """Gateways may have changed."""
        self._wake.set()

    # The greenlet ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                self._live(self._address())
            except Disconnected:
                pass  # the node's link says so
            except LeaseLost:
                return
            except (psycopg.Error, TranslationError, UnreadableStatus) as error:
                logger.warning("%s: its gateways are not looked after: %s", self.name, type(error).__name__)
            except Exception:  # whatever it is: the conferences of the node have nothing to do with it
                logger.exception("%s: its gateways are not looked after", self.name)
            self._stands({})
            gevent.sleep(RETRY)

    def _live(self, address: Address) -> None:
        """The life of one connection."""
        connection = GatewayConnection(address.host, address.port, address.password)
        listener: gevent.Greenlet[..., None] | None = None
        self._listed = None
        try:
            connection.connect()
            listener = gevent.spawn(self._listen, connection)
            while self._address() == address:
                self._wake.clear()
                complete = self._look(connection)
                gevent.sleep(GATHER)
                self._wake.wait(EVERY if complete else SOON)
        finally:
            if listener is not None:
                listener.kill(block=False)
            connection.stop()

    def _listen(self, connection: GatewayConnection) -> None:
        try:
            while True:
                if connection.changed(EVERY):
                    self._wake.set()
        except Disconnected:
            self._wake.set()

    # One look -------------------------------------------------------------------------------------------------

    def _look(self, connection: GatewayConnection) -> bool:
        """Let the node agree with the rows, and write down how it is. Says whether all wanted profiles run."""
        wanted = self._wanted()
        seen = _see(connection)
        runs = seen.profiles & set(PROFILES)
        if runs and self.lease.fresh:
            commands = self._missing(wanted, seen)
            networks = frozenset(network for each in wanted for network in each.networks)
            listed = self._listed == networks and _let_in(connection, networks)
            if not listed:
                commands.append(ReloadNetworks())
            # While the control plane is away the switch would find nobody, and forget whom it knows.
            if commands and connection.ask([Question.CONTROL_PLANE])[0] == "true":
                self._tell(connection, commands)
                self._listed = networks
                seen = _see(connection)
            self._remove_old(connection, wanted, seen)
        self._write(wanted, seen)
        self._stands({each.id: standing(each.name, seen.gateways) for each in wanted})
        return {each.profile for each in wanted} <= seen.profiles

    def _missing(self, wanted: Sequence[Wanted], seen: Seen) -> list[Command]:
        profiles = {each.profile for each in wanted if not seen.has(each)}
        return [RescanGateways(profile) for profile in sorted(profiles & seen.profiles)]

    def _remove_old(self, connection: GatewayConnection, wanted: Sequence[Wanted], seen: Seen) -> None:
        """What is wanted no more goes when no call is on it, and its successor has had its chance."""
        names = {(each.profile, each.name) for each in wanted}
        begins = {each.key for each in seen.gateways if (each.profile, each.name) in names and each.state in BEGINNING}
        old = [
            each
            for each in seen.gateways
            if each.key and (each.profile, each.name) not in names and each.key not in begins
        ]
        if old:
            in_use = connection.gateways_in_use()
            self._tell(connection, [RemoveGateway(each.profile, each.name) for each in old if each.name not in in_use])

    def _tell(self, connection: GatewayConnection, commands: Sequence[Command]) -> None:
        for command, reply in zip(commands, connection.send(commands), strict=True):
            logger.info("%s: %s: %s", self.name, command, reply.text.replace("\n", " "))

    def _stands(self, found: Mapping[UUID, str | None]) -> None:
        if found != self.standing:
            for gateway, name in found.items():
                if (name is None) != (self.standing.get(gateway, "") is None):
                    logger.warning("%s: gateway %s is %s", self.name, gateway, "down" if name is None else "up")
            self.standing = found
            self._changed()

    # The database ---------------------------------------------------------------------------------------------

    def _database(self) -> database.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(application_name=f"switchboard gateways {self.name}")
        return self._connection

    def _wanted(self) -> list[Wanted]:
        connection = self._database()
        with connection.transaction():
            rows = connection.execute(
                "SELECT id, revision, transport, networks FROM switch_gateway"
                " WHERE enabled AND host <> '' AND (node_id = %s OR node_id IS NULL) ORDER BY id",
                (self.lease.node,),
            ).fetchall()
        return [
            Wanted(
                row["id"],
                switch_name(row["id"], row["revision"]),
                profile_of(row["transport"]),
                tuple(row["networks"]),
            )
            for row in rows
        ]

    def _write(self, wanted: Sequence[Wanted], seen: Seen) -> None:
        connection = self._database()
        with connection.transaction():
            fence(connection, self.lease)
            connection.execute(
                "DELETE FROM switch_gatewaystate WHERE node_id = %s AND gateway_id <> ALL(%s)",
                (self.lease.node, [each.id for each in wanted]),
            )
            for each in wanted:
                connection.execute(_STATE, {"node": self.lease.node, **_state(each, seen)})


_STATE = """
INSERT INTO switch_gatewaystate
       (gateway_id, node_id, up, state, since, seen_at, name, ping_ms, calls_out, failed_out, calls_in)
SELECT id, %(node)s, %(up)s, %(state)s, clock_timestamp(), clock_timestamp(), %(name)s, %(ping_ms)s, %(calls_out)s,
       %(failed_out)s, %(calls_in)s
  FROM switch_gateway WHERE id = %(gateway)s
    ON CONFLICT (gateway_id, node_id) DO UPDATE
   SET since = CASE WHEN switch_gatewaystate.up = excluded.up THEN switch_gatewaystate.since ELSE excluded.since END,
       up = excluded.up, state = excluded.state, seen_at = excluded.seen_at, name = excluded.name,
       ping_ms = excluded.ping_ms, calls_out = excluded.calls_out, failed_out = excluded.failed_out,
       calls_in = excluded.calls_in
"""


def _state(wanted: Wanted, seen: Seen) -> dict[str, object]:
    """The columns of a gateway's state. It is up while an older revision serves, too."""
    name = standing(wanted.name, seen.gateways)
    found = next((each for each in seen.gateways if each.name == wanted.name), None)
    if found is None:
        missing = ABSENT if wanted.profile in seen.profiles else NO_PROFILE
        found = Sighting(wanted.name, wanted.profile, missing, up=False)
    return {
        "gateway": wanted.id,
        "up": name is not None,
        "state": found.state,
        "name": name or wanted.name,
        "ping_ms": found.ping_ms or None,
        "calls_out": found.calls_out,
        "failed_out": found.failed_out,
        "calls_in": found.calls_in,
    }


def _see(connection: GatewayConnection) -> Seen:
    profiles, gateways = connection.ask([Question.PROFILES, Question.GATEWAYS])
    return Seen(frozenset(read_profiles(profiles)), tuple(read_gateways(gateways)))


def _let_in(connection: GatewayConnection, networks: frozenset[str]) -> bool:
    return connection.may_call([IPv4Network(network).network_address for network in networks])
