"""Hearing again what was said last: which words for whom, and the file that the switch plays."""

from __future__ import annotations

import io
import os
import time
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.conferences.access import Switch
from apps.conferences.actors import Guest, Phone
from apps.conferences.errors import SwitchedOff
from apps.conferences.models import Conference, Delta, Participant, Whisper
from apps.conferences.rooms import lobby_room, whisper_room
from apps.conferences.services.actions import perform
from apps.core.errors import NotFound, Problem
from apps.core.models import AuditEntry
from apps.recordings.errors import NothingToSayAgain, NotInRoom
from apps.recordings.models import SayAgain, Track, Utterance
from apps.recordings.places import again_file
from apps.recordings.say_again import LONGEST
from apps.recordings.sealing.again import KEPT, PATIENCE, lay_out, may_be_asked
from tests.factories import Scene, add_participant, make_conference, make_node, make_scene
from tests.unit.recordings.recording import in_memory
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import flip, make_track, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
SAID = speech(64_000)
"""Two seconds."""


@pytest.fixture
def scene() -> Scene:
    return make_scene(participant_may_replay=True)


@pytest.fixture
def spool(settings: LazySettings) -> Iterator[Path]:
    with in_memory() as directory:
        settings.SPARKLE_SPOOL_DIR = directory
        yield directory


def track_of(scene: Scene, role: str, **fields: Any) -> Track:
    return make_track(scene.conference, SAID, participant=scene.own[role], **fields)


def asks(scene: Scene, role: str = "participant") -> Utterance:
    """What they will hear."""
    answer = perform(user=scene.users[role], conference_id=scene.conference.pk, action="say_again", body={})
    found = asked(scene, role)
    assert found.state == "asked"
    assert answer["participant"] == str(found.utterance.track.participant_id)
    return found.utterance


def refuses(scene: Scene, problem: type[Problem], role: str = "participant") -> bool:
    with pytest.raises(problem):
        perform(user=scene.users[role], conference_id=scene.conference.pk, action="say_again", body={})
    return not AuditEntry.objects.exists()


def asked(scene: Scene, role: str = "participant") -> SayAgain:
    return SayAgain.objects.get(participant=scene.own[role])


def later(seconds: float) -> None:
    for each in SayAgain.objects.all():
        SayAgain.objects.filter(pk=each.pk).update(asked_at=each.asked_at - timedelta(seconds=seconds))


def test_the_last_words_of_somebody_else(scene: Scene) -> None:
    assert refuses(scene, NothingToSayAgain)
    chair, own = track_of(scene, "chair", live=True), track_of(scene, "participant", live=True)
    say(own, 0, 1900)
    assert refuses(scene, NothingToSayAgain), "one's own are none"
    say(chair, 0, 400)
    last = say(chair, 800, 1200)
    say(track_of(scene, "member"), 100, 1000)
    assert asks(scene) == last
    assert asks(scene, "chair") != last


def test_it_is_a_listening_and_nothing_that_others_see(scene: Scene) -> None:
    track = track_of(scene, "chair")
    say(track, 800, 1200)
    seq = Conference.objects.get().seq
    asks(scene)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, entry.object_id) == ("listen", "Erin", str(track.pk))
    assert (entry.conference_id, entry.detail) == (scene.conference.pk, {"name": "Carol", "from": 800, "to": 1200})
    assert Conference.objects.get().seq == seq
    assert not Delta.objects.exists()


def test_who_asks_again_means_what_was_said_before(scene: Scene) -> None:
    first, second, third = (say(track_of(scene, "chair"), at, at + 400) for at in (0, 500, 1000))
    assert [asks(scene) for _ in range(4)] == [third, second, first, third]
    later(5.3)
    assert asks(scene) == second, "it has lasted 0.4 s"
    later(5.5)
    assert asks(scene) == third
    assert SayAgain.objects.count() == 1


def test_each_time_it_is_another_file(scene: Scene) -> None:
    say(track_of(scene, "chair"), 0, 400)
    keys = set()
    for _ in range(3):
        asks(scene)
        keys.add(asked(scene).key)
        SayAgain.objects.update(state="over")
    assert len(keys) == 3


def test_in_the_main_room_nothing_of_a_whisper_and_in_a_whisper_nothing_else(scene: Scene) -> None:
    main = say(track_of(scene, "chair"), 0, 400)
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"])
    for role in ("chair", "participant"):
        Participant.objects.filter(pk=scene.own[role].pk).update(whisper=whisper)
    whispered = say(track_of(scene, "chair", whisper=whisper), 800, 1200)
    assert asks(scene) == main, "still in the main room"
    room = whisper_room(whisper.pk)[0]
    Participant.objects.filter(pk=scene.own["participant"].pk).update(observed_room=room)
    assert asks(scene) == whispered
    assert AuditEntry.objects.filter(conference_id=scene.conference.pk).count() == 1, "others do not learn of it"
    # Somebody whose place it never was, whatever the room that they are seen in.
    Participant.objects.filter(pk=scene.own["member"].pk).update(observed_room=room)
    with pytest.raises(NothingToSayAgain):
        asks(scene, "member")


@pytest.mark.parametrize("state", ["damaged", "erased", "empty"])
def test_what_cannot_be_heard_is_passed_over(scene: Scene, state: str) -> None:
    good = say(track_of(scene, "chair"), 0, 400)
    say(track_of(scene, "member", state=state), 800, 1200)
    Track.objects.filter(participant=scene.own["member"]).update(state=state)
    assert asks(scene) == good


def test_who_is_not_in_the_room_has_no_leg_to_hear_it_in(scene: Scene) -> None:
    say(track_of(scene, "chair"), 0, 400)
    for where in ({"observed_room": ""}, {"observed_room": lobby_room(scene.conference.pk)[0]}, {"state": "left"}):
        Participant.objects.filter(pk=scene.own["participant"].pk).update(
            **{"state": "connected", "observed_room": scene.own["chair"].observed_room} | where
        )
        assert refuses(scene, NotInRoom)
    scene.own["manager"].delete()
    assert refuses(scene, NotInRoom, "manager"), "managers of whom nobody is on the roster"


def test_the_right_is_that_to_replay(scene: Scene) -> None:
    say(track_of(scene, "chair"), 0, 400)
    Conference.objects.update(**{Switch.PARTICIPANT_MAY_REPLAY: False})
    assert refuses(scene, SwitchedOff)
    assert refuses(scene, NotFound, "outsider")
    asks(scene, "member")


def test_a_guest_and_a_telephone_hear_it_as_their_participant(scene: Scene) -> None:
    utterance = say(track_of(scene, "chair"), 0, 400)
    guest = add_participant(scene.conference, name="Visitor", guest=True)
    here = scene.conference.pk
    for caller in (Guest(guest.pk, here, "Visitor"), Phone(scene.own["member"].pk, here, "Dave", "*5")):
        perform(user=caller, conference_id=here, action="say_again", body={})
        assert SayAgain.objects.get(participant=caller.pk).utterance == utterance
    assert set(AuditEntry.objects.values_list("actor_id", flat=True)) == {guest.pk, scene.own["member"].pk}


def laid_out(scene: Scene) -> bytes:
    """The samples in the file."""
    data = again_file(asked(scene).key).read_bytes()
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples: bytes = file.readframes(file.getnframes())
    return samples


def test_the_sealer_lays_it_out_and_wakes_the_switchboard(scene: Scene, spool: Path) -> None:
    say(track_of(scene, "chair", live=True), 500, 1500)
    asks(scene)
    node = scene.conference.node.name
    with CaptureQueriesContext(connection) as first:
        lay_out(node)
    assert asked(scene).state == "ready"
    assert laid_out(scene) == SAID[16_000:48_000]
    path = again_file(asked(scene).key)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    with CaptureQueriesContext(connection) as second:
        lay_out(node)
    woken = [sum("pg_notify" in query["sql"] for query in queries) for queries in (first, second)]
    assert woken == [1, 0]


def test_of_long_words_the_end(scene: Scene, spool: Path) -> None:
    said = speech(32 * (LONGEST + 2000))
    say(make_track(scene.conference, said, participant=scene.own["chair"]), 0, LONGEST + 1000)
    asks(scene)
    lay_out(scene.conference.node.name)
    assert laid_out(scene) == said[32_000:-32_000]
    assert AuditEntry.objects.get().detail["from"] == 1000


def test_files_go_after_seconds_whoever_left_them(scene: Scene, spool: Path) -> None:
    say(track_of(scene, "chair"), 500, 1500)
    asks(scene)
    lay_out(scene.conference.node.name)
    path = again_file(asked(scene).key)
    half = path.with_suffix(".1234")
    half.write_bytes(b"half of it, of a sealer that was killed")
    lay_out(scene.conference.node.name)
    assert path.exists()
    for each in (path, half):
        os.utime(each, (0, time.time() - KEPT - 1))
    lay_out(make_node().name)
    assert not list(path.parent.iterdir())


def test_what_is_damaged_fails_and_leaves_no_file(scene: Scene, spool: Path) -> None:
    track = track_of(scene, "chair")
    say(track, 500, 1500)
    flip(track, 30_000)
    asks(scene)
    lay_out(scene.conference.node.name)
    assert asked(scene).state == "failed"
    assert not list(spool.glob("again/*.wav"))


def test_another_node_and_what_is_late_are_left_alone(scene: Scene, spool: Path) -> None:
    say(track_of(scene, "chair"), 500, 1500)
    asks(scene)
    lay_out(make_node().name)
    assert asked(scene).state == "asked"
    later(PATIENCE.total_seconds())
    lay_out(scene.conference.node.name)
    assert asked(scene).state == "asked"


def test_the_sealer_stays_while_somebody_may_ask(scene: Scene, spool: Path) -> None:
    node = scene.conference.node.name
    assert not may_be_asked(node)
    track_of(scene, "chair")
    assert may_be_asked(node)
    make_conference(scene.users["owner"], node=make_node())
    Conference.objects.filter(pk=scene.conference.pk).update(phase="ended", ended_at=timezone.now())
    assert not may_be_asked(node)
