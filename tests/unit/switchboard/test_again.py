"""What is said again: the row says that it is over before the switch is told, and nobody is told twice."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from apps.conferences.reconcile.desired import attempt_leg
from apps.conferences.rooms import main_room
from apps.recordings.models import SayAgain, Track, Utterance
from apps.recordings.places import again_file
from tests.factories import add_participant
from tests.unit.switchboard.desk import until
from tests.unit.switchboard.driven import Driven

pytestmark = pytest.mark.django_db(transaction=True)


def asked(driven: Driven, state: str = "ready") -> SayAgain:
    """The person is in, and asks."""
    if not driven.originates:
        driven.call()
        until(lambda: driven.originates, "the call")
        driven.in_room("add-member")
    speaker = add_participant(driven.conference, present=False, state="planned")
    track = Track.objects.create(
        pk=UUID(int=len(driven.desk.heard)),
        conference=driven.conference,
        participant=speaker,
        leg=speaker.pk,
        node=driven.node,
        kind="person",
        part=1,
        requested_at=timezone.now(),
        ended_at=timezone.now(),
        state="sealed",
    )
    utterance = Utterance.objects.create(track=track, start=0, end=500)
    row, _ = SayAgain.objects.update_or_create(
        participant=driven.person,
        defaults={
            "key": speaker.pk,
            "utterance": utterance,
            "node": driven.node,
            "asked_at": timezone.now(),
            "state": state,
        },
    )
    driven.loop.notify(driven.conference.pk)
    return row


def plays(driven: Driven) -> list[str]:
    return [command for command in driven.desk.heard if " play " in command or " stop " in command]


def said(driven: Driven, path: str) -> list[str]:
    room, leg = main_room(driven.conference.pk)[0], attempt_leg(driven.person.pk, 1, 1)
    return [f"api conference {room} stop all uuid={leg}", f"api conference {room} play {path} uuid={leg}"]


def test_it_is_over_before_it_is_played_and_played_once(driven: Driven) -> None:
    states: list[str] = []

    def hears(command: str) -> None:
        if " play " in command:
            states.append(SayAgain.objects.get().state)

    driven.desk.hears = hears
    row = asked(driven)
    expected = said(driven, str(again_file(row.key)))
    assert expected[1].split()[4].startswith(str(settings.SPARKLE_SPOOL_DIR))
    until(lambda: plays(driven), "it is played")
    driven.loop.notify(None)
    swept = driven.loop._swept
    until(lambda: driven.loop._swept > swept, "a sweep")
    assert plays(driven) == expected
    assert states == ["over"]
    row = asked(driven)
    until(lambda: len(plays(driven)) == 4, "and what is asked for next")
    assert plays(driven)[2:] == said(driven, str(again_file(row.key)))


def test_what_another_switchboard_has_decided_is_not_sent(driven: Driven) -> None:
    asked(driven, "asked")
    entry = driven.loop.book.entries[driven.conference.pk]
    until(lambda: entry.desired.again, "it is known")
    SayAgain.objects.update(state="over")
    entry.loaded.desired = replace(entry.desired, again=(replace(entry.desired.again[0], failed=True),))
    until(lambda: not entry.desired.again, "the next sweep decides")
    swept = driven.loop._swept
    until(lambda: driven.loop._swept > swept, "and another one")
    assert not plays(driven)


def test_what_failed_is_told(driven: Driven) -> None:
    asked(driven, "failed")
    until(lambda: plays(driven), "they are told")
    assert plays(driven) == said(driven, f"{driven.conference.prompt_language}/say-again-failed.wav")
    assert SayAgain.objects.get().state == "over"
