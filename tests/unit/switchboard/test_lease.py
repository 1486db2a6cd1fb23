"""A node is driven by one switchboard at a time, and one that lost its lease writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.conferences.switchboard import database, lease
from apps.switch.models import Node

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def node() -> Node:
    return Node.objects.create(name="n1", esl_password="secret")


@pytest.fixture
def connection() -> Iterator[database.Connection]:
    with database.connect(application_name="test", autocommit=True) as opened:
        yield opened


def let_it_run_out(node: Node) -> None:
    Node.objects.filter(pk=node.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_held_lease_is_not_given_twice(node: Node, connection: database.Connection) -> None:
    first = lease.acquire(connection, node.pk, "one")
    assert first is not None
    assert first.fresh
    assert lease.acquire(connection, node.pk, "two") is None
    assert lease.acquire(connection, node.pk, "one") is None, "not even to its holder: renewing is another thing"


def test_a_standby_takes_a_lease_that_ran_out_and_the_old_holder_is_fenced(
    node: Node, connection: database.Connection
) -> None:
    old = lease.acquire(connection, node.pk, "one")
    assert old is not None
    let_it_run_out(node)
    new = lease.acquire(connection, node.pk, "two")
    assert new is not None
    assert new.epoch == old.epoch + 1
    with pytest.raises(lease.LeaseLost):
        lease.renew(connection, old)
    with pytest.raises(lease.LeaseLost):
        lease.fence(connection, old)
    lease.renew(connection, new)
    lease.fence(connection, new)


def test_a_holder_that_was_asleep_renews_if_nobody_took_over(node: Node, connection: database.Connection) -> None:
    held = lease.acquire(connection, node.pk, "one")
    assert held is not None
    let_it_run_out(node)
    lease.renew(connection, held)
    assert lease.acquire(connection, node.pk, "two") is None


def test_the_same_holder_in_another_epoch_is_another(node: Node, connection: database.Connection) -> None:
    old = lease.acquire(connection, node.pk, "one")
    assert old is not None
    let_it_run_out(node)
    assert lease.acquire(connection, node.pk, "one") is not None
    with pytest.raises(lease.LeaseLost):
        lease.fence(connection, old)


def test_giving_up_frees_the_node_at_once(node: Node, connection: database.Connection) -> None:
    held = lease.acquire(connection, node.pk, "one")
    assert held is not None
    lease.release(connection, held)
    assert lease.acquire(connection, node.pk, "two") is not None
    lease.release(connection, held)  # of no effect on another's lease
    assert lease.acquire(connection, node.pk, "three") is None
