"""Who drives a node: a lease in PostgreSQL, by PostgreSQL's clock.

A holder renews each RENEW seconds; a standby takes a lease that ran out, so a node is driven again within TTL +
RENEW. The epoch grows with
each change of hands, and every write of a holder checks it (`fence`): one that lost the lease without noticing writes
nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from uuid import UUID

from .database import Connection

#: Seconds that a lease lives without renewal.
TTL = 3.0
#: Seconds between renewals, and between a standby's tries.
RENEW = 1.0


class LeaseLost(Exception):  # noqa: N818 - an outcome, not an accident
    """Another switchboard drives the node now."""


@dataclass(slots=True)
class Lease:
    """`fresh_until` is by this process's monotonic clock: past it nothing may be sent, whatever the database would
    say.
    """

    node: UUID
    holder: str
    epoch: int
    fresh_until: float = field(default=0.0)

    @property
    def fresh(self) -> bool:
        return time.monotonic() < self.fresh_until


def acquire(connection: Connection, node: UUID, holder: str) -> Lease | None:
    """Take the lease of a node that nobody holds. None when somebody does."""
    began = time.monotonic()
    row = connection.execute(
        """
        UPDATE switch_node
           SET lease_holder = %(holder)s, lease_epoch = lease_epoch + 1, connected = false,
               unreachable_since = coalesce(unreachable_since, clock_timestamp()),
               lease_until = clock_timestamp() + make_interval(secs => %(ttl)s)
         WHERE id = %(node)s AND (lease_until IS NULL OR lease_until < clock_timestamp())
     RETURNING lease_epoch
        """,
        {"node": node, "holder": holder, "ttl": TTL},
    ).fetchone()
    return Lease(node, holder, row["lease_epoch"], began + TTL) if row else None


def renew(connection: Connection, lease: Lease) -> None:
    """Raises LeaseLost."""
    began = time.monotonic()
    row = connection.execute(
        """
        UPDATE switch_node SET lease_until = clock_timestamp() + make_interval(secs => %(ttl)s)
         WHERE id = %(node)s AND lease_holder = %(holder)s AND lease_epoch = %(epoch)s
     RETURNING 1
        """,
        {"node": lease.node, "holder": lease.holder, "epoch": lease.epoch, "ttl": TTL},
    ).fetchone()
    if row is None:
        raise LeaseLost
    lease.fresh_until = began + TTL


def release(connection: Connection, lease: Lease) -> None:
    """Give the lease up, so that a standby need not wait for its end."""
    connection.execute(
        """
        UPDATE switch_node SET lease_until = NULL, lease_holder = '', connected = false
         WHERE id = %(node)s AND lease_holder = %(holder)s AND lease_epoch = %(epoch)s
        """,
        {"node": lease.node, "holder": lease.holder, "epoch": lease.epoch},
    )


def fence(connection: Connection, lease: Lease) -> None:
    """First statement of every writing transaction: holds the lease's row until commit. Raises LeaseLost."""
    row = connection.execute(
        "SELECT 1 FROM switch_node WHERE id = %s AND lease_holder = %s AND lease_epoch = %s FOR SHARE",
        (lease.node, lease.holder, lease.epoch),
    ).fetchone()
    if row is None:
        raise LeaseLost
