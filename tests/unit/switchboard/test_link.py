"""The link to a node outlives whatever happens to it, and sends nothing that it may not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from gevent.event import Event as Flag

from apps.conferences.switchboard.link import BATCH, Address, Connected, Gone, Item, Link
from apps.switch.commands import Lock, Room
from apps.switch.esl.rendering import CLOCK, CORE_UUID, LIST_LEGS
from apps.switch.events import Event, Snapshot
from tests.doubles.esl_server import CORE
from tests.unit.switchboard.desk import Desk, until

ROOM = Room("c-0123456789ab", "sparkle")
#: Seconds by which a measured clock may be wrong: far more than a busy machine takes to answer, far less than an hour.
DOUBT = 5.0


@pytest.fixture
def desk() -> Iterator[Desk]:
    with Desk() as desk:
        yield desk


class Reader:
    """A link and all that came through it."""

    def __init__(self, address: Address) -> None:
        self.items: list[Item] = []
        self.allowed = True
        self.hurry = Flag()
        self.link = Link("n1", address, Flag(), self.hurry, lambda: self.allowed)

    @property
    def events(self) -> list[Event]:
        self._read()
        return [event for each in self.items if isinstance(each, list) for event in each]

    def _read(self) -> None:
        while not self.link.inbox.empty():
            self.items.append(self.link.inbox.get())

    def has(self, kind: type[Item], times: int = 1) -> bool:
        self._read()
        return sum(isinstance(each, kind) for each in self.items) >= times


@contextmanager
def linked(address: Address) -> Iterator[Reader]:
    reader = Reader(address)
    reader.link.start()
    try:
        yield reader
    finally:
        reader.link.stop()


def at(desk: Desk) -> Address:
    return Address("127.0.0.1", desk.port, "ClueCon")


def test_it_says_which_core_answers_and_asks_for_everything(desk: Desk) -> None:
    with linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        assert reader.items[0] == Connected(CORE)


def test_single_events_may_wait_and_a_flood_may_not(desk: Desk) -> None:
    def locks(count: int) -> None:
        for _ in range(count):
            desk.tell(Event_Name="CUSTOM", Conference_Name=ROOM.name, Action="lock")

    with linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        assert reader.hurry.is_set()
        reader.hurry.clear()
        locks(10)
        until(lambda: len(reader.events) == 10, "the events")
        assert not reader.hurry.is_set()
        locks(10 * BATCH)
        until(lambda: len(reader.events) == 10 + 10 * BATCH, "the flood")
        assert reader.hurry.is_set()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        pytest.param(CORE_UUID, "-ERR no such variable", id="no core"),
        pytest.param(LIST_LEGS, "not what FreeSWITCH writes", id="no snapshot"),
        pytest.param(CLOCK, "-ERR strmicroepoch Command not found!", id="no time"),
    ],
)
def test_an_answer_that_nobody_can_read_is_asked_for_again(desk: Desk, question: str, answer: str) -> None:
    good = desk.answers[question]
    desk.answers[question] = answer
    with linked(at(desk)) as reader:
        until(lambda: reader.has(Gone), "it gives the connection up")
        desk.answers[question] = good
        until(lambda: reader.has(Snapshot), "it comes back")


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"host": "no..such.host"}, id="a host name that cannot be encoded"),
        pytest.param({"password": "two\nlines"}, id="a password that must not be sent"),
        pytest.param({"port": 70_000}, id="a port that there is not"),
    ],
)
def test_an_impossible_address_is_survived_until_it_is_mended(desk: Desk, wrong: dict[str, object]) -> None:
    with linked(replace(at(desk), **wrong)) as reader:  # type: ignore[arg-type] # one field of its own type
        until(lambda: reader.has(Gone, 2), "it tries again")
        reader.link.address = at(desk)
        until(lambda: reader.has(Snapshot), "it connects")


def test_it_moves_when_the_node_has_another_address(desk: Desk) -> None:
    with Desk() as other, linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        reader.link.address = at(other)
        until(lambda: other.snapshots == 1, "it asks at the other address")
        assert reader.has(Gone)
        reader.link.send([Lock(ROOM)])
        until(lambda: other.heard, "it commands at the other address")
        assert not desk.heard


def test_without_a_fresh_lease_it_asks_but_does_not_command(desk: Desk) -> None:
    with linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        reader.allowed = False
        reader.link.send([Lock(ROOM)])
        reader.link.ask_snapshot()
        until(lambda: desk.snapshots == 2, "a second snapshot")
        assert desk.heard == []
        reader.allowed = True
        reader.link.send([Lock(ROOM)])
        until(lambda: desk.heard, "the command")
        assert desk.heard == [f"api conference {ROOM.name} lock"]


def test_what_is_sent_while_the_switch_is_away_is_not_sent_later(desk: Desk) -> None:
    with linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        desk.hang_up()
        until(lambda: reader.has(Gone), "the end of the connection")
        reader.link.send([Lock(ROOM)])
        until(lambda: desk.snapshots == 2, "it comes back")
        reader.link.ask_snapshot()
        until(lambda: desk.snapshots == 3, "it asks again")
        assert desk.heard == []


def test_events_are_dated_by_the_clock_of_this_machine(desk: Desk) -> None:
    desk.ahead = -3600.0
    with linked(at(desk)) as reader:
        until(lambda: reader.has(Snapshot), "a snapshot")
        before = time.time()
        desk.tell(Event_Name="CUSTOM", Action="conference-create", Conference_Name="c-1")
        until(lambda: reader.events, "the event")
        desk.ahead = 3600.0  # set meanwhile, and asked about only by the next snapshot
        desk.tell(Event_Name="CUSTOM", Action="conference-create", Conference_Name="c-2")
        until(lambda: len(reader.events) == 2, "the second event")
        reader.link.ask_snapshot()
        until(lambda: reader.has(Snapshot, 2), "a second snapshot")
        desk.tell(Event_Name="CUSTOM", Action="conference-create", Conference_Name="c-3")
        until(lambda: len(reader.events) == 3, "the third event")
        first, second, third = reader.events
        assert before - DOUBT <= first.at <= second.at <= third.at + DOUBT <= time.time() + DOUBT
        assert reader.link.clock.offset == pytest.approx(3600, abs=DOUBT)
