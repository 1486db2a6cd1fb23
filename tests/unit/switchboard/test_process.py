"""The process that keeps leases and drives nodes follows the rows of the nodes, and does not die in part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.conferences.switchboard import database
from apps.conferences.switchboard.process import Switchboard
from apps.switch.models import Node
from tests.factories import make_node
from tests.unit.switchboard.desk import Desk, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connection() -> Iterator[database.Connection]:
    with database.connect(application_name="test", autocommit=True) as opened:
        yield opened


@pytest.fixture
def switchboard() -> Iterator[Switchboard]:
    made = Switchboard()
    yield made
    for loop, greenlet in made.loops.values():
        loop.stop()
        greenlet.join(5)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


def test_a_node_that_moved_is_followed(switchboard: Switchboard, connection: database.Connection, desk: Desk) -> None:
    node = make_node(esl_port=desk.port, esl_password="ClueCon")
    switchboard._keep(connection)
    until(lambda: desk.snapshots, "it asks the switch")
    with Desk() as other:
        Node.objects.filter(pk=node.pk).update(esl_port=other.port)
        switchboard._keep(connection)
        until(lambda: other.snapshots, "it asks the switch at its new address")


def test_a_password_that_was_mended_is_used(
    switchboard: Switchboard, connection: database.Connection, desk: Desk
) -> None:
    node = make_node(esl_port=desk.port, esl_password="two\nlines")
    switchboard._keep(connection)
    node.esl_password = "ClueCon"
    node.save(update_fields=["esl_password"])
    switchboard._keep(connection)
    until(lambda: desk.snapshots, "it asks the switch")


def test_a_node_that_cannot_be_read_leaves_the_others_alone(
    switchboard: Switchboard, connection: database.Connection, desk: Desk
) -> None:
    make_node()
    connection.execute("UPDATE switch_node SET esl_password = 'sealed with another key'")
    make_node(esl_port=desk.port, esl_password="ClueCon")
    switchboard._keep(connection)
    until(lambda: desk.snapshots, "it asks the other switch")


def test_a_deleted_node_is_driven_no_more(
    switchboard: Switchboard, connection: database.Connection, desk: Desk
) -> None:
    node = make_node(esl_port=desk.port, esl_password="ClueCon")
    switchboard._keep(connection)
    until(lambda: desk.snapshots, "it asks the switch")
    ((_, greenlet),) = switchboard.loops.values()
    node.delete()
    switchboard._keep(connection)
    until(greenlet.ready, "the loop ends")
    switchboard._keep(connection)
    assert switchboard.loops == {}
    assert greenlet.successful()


def test_only_the_nodes_that_it_was_told_are_driven(
    switchboard: Switchboard, connection: database.Connection, desk: Desk
) -> None:
    theirs, ours = make_node(), make_node(esl_port=desk.port, esl_password="ClueCon")
    switchboard.nodes = [ours.name]
    switchboard._keep(connection)
    until(lambda: desk.snapshots, "it asks the switch")
    assert set(switchboard.loops) == {ours.pk}
    theirs.refresh_from_db()
    assert theirs.lease_holder == ""
