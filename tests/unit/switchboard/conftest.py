from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.switch.models import Gateway
from tests.factories import add_participant, make_conference, make_node, make_user
from tests.unit.switchboard.desk import Desk, until
from tests.unit.switchboard.driven import Driven, driving


@pytest.fixture
def gateway() -> Gateway:
    return Gateway.objects.create(
        name="people", handles=["extension"], dial_string="loopback/{number}/rehearsal", encryption="internal"
    )


@pytest.fixture
def driven(gateway: Gateway) -> Iterator[Driven]:
    node = make_node(name="n1")
    conference = make_conference(make_user("alice"), node=node)
    person = add_participant(conference, number="7001", state="planned", present=False, observed_room="")
    with Desk() as desk, driving(node, desk) as (loop, greenlet, connection):
        found = Driven(desk, node, conference, person, loop, greenlet, connection)
        until(found.has_loaded, "it knows the switch and the conference")
        yield found
