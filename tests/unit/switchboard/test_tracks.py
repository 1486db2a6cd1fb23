"""Tracks: stored before the switch is told, dated by what it says, ended with what they are of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.conferences.models import Attempt, Conference
from apps.conferences.reconcile.desired import attempt_leg
from apps.conferences.reconcile.tracks import track_id
from apps.conferences.rooms import main_room
from apps.conferences.switchboard import lease
from apps.recordings.models import Track
from apps.recordings.places import clear_file
from apps.switch.esl.rendering import LIST_LEGS, LIST_ROOMS
from tests.factories import make_node
from tests.unit.switchboard.desk import listed, until
from tests.unit.switchboard.driven import Driven, driving

pytestmark = pytest.mark.django_db(transaction=True)


def start(driven: Driven) -> tuple[Track, Track]:
    """The person is in, and the conference is recorded: their track, and the mix; the switch has said nothing."""
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.in_room("add-member")
    Conference.objects.update(recording="on", recording_since=timezone.now())
    driven.loop.notify(driven.conference.pk)
    until(lambda: len(recorded(driven)) == 2, "the switch is told to record")
    return Track.objects.get(kind="person"), Track.objects.get(kind="mix")


def recorded(driven: Driven) -> list[str]:
    return [command for command in driven.desk.heard if "uuid_record" in command or " record " in command]


def tell(driven: Driven, name: str, track: Track) -> None:
    path = str(clear_file(track.pk))
    if track.leg:
        driven.desk.tell(Event_Name=f"RECORD_{name.upper()}", Unique_ID=str(track.leg), Record_File_Path=path)
    else:
        room = main_room(driven.conference.pk)[0]
        driven.desk.tell(Event_Name="CUSTOM", Conference_Name=room, Path=path, Action=f"{name}-recording")


def test_a_track_is_committed_before_the_switch_is_told(driven: Driven) -> None:
    known: dict[str, set[str]] = {}

    def hears(command: str) -> None:
        if "record" in command:
            known[command] = {str(clear_file(key)) for key in Track.objects.values_list("pk", flat=True)}

    driven.desk.hears = hears
    person, mix = start(driven)
    assert len(known) == 2
    assert all(any(path in command for path in paths) for command, paths in known.items())
    leg = attempt_leg(driven.person.pk, 1, 1)
    assert (person.leg, person.participant, person.node, person.state) == (leg, driven.person, driven.node, "live")
    assert (mix.leg, mix.participant, mix.conference) == (None, None, driven.conference)
    assert recorded(driven) == [
        f"api uuid_record {leg} start {clear_file(person.pk)} 0 {{RECORD_READ_ONLY=true,record_sample_rate=16000,"
        "enable_file_write_buffering=false,RECORD_PRE_BUFFER_FRAMES=1}",
        f"api conference {main_room(driven.conference.pk)[0]} record {clear_file(mix.pk)}",
    ]


def test_what_the_switch_says_of_tracks_is_written(driven: Driven) -> None:
    tracks = start(driven)
    for track in tracks:
        tell(driven, "start", track)
    lately = timezone.now() - timedelta(minutes=1)
    until(lambda: Track.objects.filter(started_at__gt=lately).count() == 2, "begun")
    for track in tracks:
        tell(driven, "stop", track)
    until(lambda: Track.objects.filter(ended_at__gt=lately, part=1).count() == 2, "ended")


def test_what_nobody_told_the_end_of_ends_with_the_conference(driven: Driven) -> None:
    start(driven)
    Conference.objects.update(phase="ended", ended_at=timezone.now())
    driven.loop.notify(driven.conference.pk)
    leg = attempt_leg(driven.person.pk, 1, 1)
    driven.desk.tell(Event_Name="CHANNEL_HANGUP_COMPLETE", Unique_ID=str(leg), Hangup_Cause="NORMAL_CLEARING")
    room = main_room(driven.conference.pk)[0]
    driven.desk.tell(Event_Name="CUSTOM", Conference_Name=room, Action="conference-destroy")
    until(lambda: Conference.objects.get().settled_at, "all is over")
    assert not Track.objects.filter(ended_at=None).exists()


def test_the_mix_on_another_node_is_another_part(driven: Driven) -> None:
    before = Track.objects.create(
        pk=track_id(driven.conference.pk, "mix", 1),
        conference=driven.conference,
        node=make_node(),
        kind="mix",
        part=1,
        requested_at=timezone.now() - timedelta(minutes=1),
    )
    driven.loop.book.drop(driven.conference.pk)
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.in_room("add-member")
    Conference.objects.update(recording="on", recording_since=timezone.now())
    driven.loop.notify(driven.conference.pk)
    until(lambda: Track.objects.filter(kind="mix").count() == 2, "a second mix")
    assert Track.objects.filter(kind="mix", node=driven.node, part=2).exists()
    before.refresh_from_db()
    assert before.ended_at is None, "its own node will say when it ended"


def test_another_switchboard_goes_on_where_one_was_killed_before_it_told_the_switch(driven: Driven) -> None:
    driven.call()
    until(lambda: driven.originates, "the call")
    driven.in_room("add-member")
    until(lambda: Attempt.objects.filter(phase="in_room").exists(), "in")
    driven.loop.stop()
    driven.greenlet.join(5)
    lease.release(driven.connection, driven.loop.lease)
    driven.desk.heard.clear()
    Conference.objects.update(recording="on", recording_since=timezone.now() - timedelta(seconds=20))
    leg = attempt_leg(driven.person.pk, 1, 1)
    key = track_id(leg, "person", 1)
    Track.objects.create(
        pk=key,
        conference=driven.conference,
        participant=driven.person,
        node=driven.node,
        leg=leg,
        kind="person",
        part=1,
        requested_at=timezone.now() - timedelta(seconds=10),
    )
    driven.desk.answers[LIST_ROOMS] = listed(main_room(driven.conference.pk)[0], leg)
    driven.desk.answers[LIST_LEGS] = f'{{"row_count":1,"rows":[{{"uuid":"{leg}","callstate":"ACTIVE"}}]}}'
    with driving(driven.node, driven.desk) as (loop, _, _):
        until(lambda: loop.observed.ready and driven.conference.pk in loop.book.entries, "it knows all")
        until(lambda: [c for c in recorded(driven) if str(clear_file(key)) in c], "asked for again by the same name")
    assert Track.objects.filter(kind="person").count() == 1
