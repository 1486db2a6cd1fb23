"""What is said again is heard by who asked, once; or they are told that it does not come."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import pytest

from apps.conferences.reconcile.again import FORGOTTEN, PATIENCE, Again
from apps.conferences.reconcile.desired import DesiredAgain
from apps.switch import commands as c
from tests.unit.reconcile.build import LOBBY, MAIN, SPACE, conference, person, whisper
from tests.unit.reconcile.feed import Feed

KEY = UUID(int=7)
SIDE = whisper("side")
PATH = "/spool/again/words.wav"
SORRY = "zh-hans/say-again-failed.wav"


def asking(*, room: str = MAIN.name, **facts: Any) -> Feed:
    """Ann is in, and Bob, who asks."""
    asked = DesiredAgain(KEY, uuid5(SPACE, "bob"), asked_at=1000.0, **facts)
    feed = Feed(
        conference(
            person("ann", "chair"),
            person("bob", whisper=SIDE.id if room == SIDE.room.name else None),
            whispers=(SIDE,),
            lobby=LOBBY,
            language="zh-hans",
            again=(asked,),
        )
    )
    feed.act()
    feed.join("ann")
    feed.join("bob", room=room)
    return feed


def says(feed: Feed, path: str, room: c.Room = MAIN) -> list[Again]:
    leg = feed.leg("bob").leg
    return [Again(KEY, (c.StopPlay(room, leg), c.Play(room, path, leg)))]


@pytest.mark.parametrize("room", [MAIN, SIDE.room])
def test_it_is_played_where_they_are_in_place_of_what_is_being_said(room: c.Room) -> None:
    feed = asking(room=room.name, path=PATH)
    assert feed.decide().again == says(feed, PATH, room)
    feed.change(again=())
    assert not feed.decide().again


def test_until_it_is_there_they_wait_and_then_they_are_told() -> None:
    feed = asking()
    feed.wait(PATIENCE - 0.1)
    assert not feed.decide().again
    feed.wait(0.1)
    assert feed.decide().again == says(feed, SORRY)


def test_what_failed_is_told_at_once() -> None:
    feed = asking(failed=True)
    assert feed.decide().again == says(feed, SORRY)


@pytest.mark.parametrize("facts", [{}, {"failed": True}, {"path": PATH}])
def test_what_is_long_ago_is_not_answered(facts: dict[str, Any]) -> None:
    feed = asking(**facts)
    feed.wait(FORGOTTEN)
    assert feed.decide().again == [Again(KEY, ())]


def test_who_is_between_two_rooms_hears_it_in_the_next_one_if_that_is_soon() -> None:
    feed = asking(path=PATH, room=LOBBY.name)
    assert not feed.decide().again
    feed.join("bob")
    assert feed.decide().again == says(feed, PATH)
    feed = asking(path=PATH, room=LOBBY.name)
    feed.wait(FORGOTTEN)
    assert feed.decide().again == [Again(KEY, ())]
