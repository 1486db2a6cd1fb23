"""Old snapshot + deltas == fresh snapshot, for random actions and random facts, in both classes of view."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import F

from apps.conferences.live import snapshot
from apps.conferences.live.changes import delta
from apps.conferences.live.views import View, restrict
from apps.conferences.models import Conference, Delta, Participant, Whisper
from apps.conferences.services.actions import ACTIONS, perform
from apps.core.errors import Problem
from tests.factories import Scene, make_extension, make_scene

from .client import Document, apply, state_of

STEPS = 80
_START = datetime(2026, 1, 1, tzinfo=UTC)


def fresh(conference: Conference, view: View) -> tuple[int, Document]:
    taken = snapshot.take(conference.pk, view)
    assert taken is not None
    return taken.seq, state_of(json.loads(f"{{{taken.body}}}"))


def random_body(chance: random.Random, scene: Scene, action: str) -> Document:
    people = [str(key) for key in Participant.objects.values_list("pk", flat=True)]
    whispers = [str(key) for key in Whisper.objects.values_list("pk", flat=True)] or people[:1]
    several: Any = chance.choice([chance.sample(people, 3), "all", "all_but_chair", "absent", "waiting"])
    number = str(chance.randrange(8000, 8012))
    return {
        "participants": several if action != "role" else [chance.choice(people)],
        "participant": chance.choice([*people, None]) if action in ("announce", "call") else chance.choice(people),
        "whisper": chance.choice(whispers),
        "minutes": chance.randrange(1, 9),
        "mode": chance.choice(
            ["off", "guests", "everybody"] if action == "lobby" else ["free", "moderated", "roll_call"]
        ),
        "level": chance.randrange(-4, 5),
        "role": chance.choice(["manager", "chair", "member", "participant"]),
        "name": chance.choice(["王芳", 'O"Brien', "李雷"]),
        "text": chance.choice(["hello", "good bye"]),
        "language": "en",
        "title": chance.choice(["", "侧谈"]),
        "soft_main": chance.random() < 0.5,
        "refuse": chance.random() < 0.3,
        "state": chance.choice(["off", "on", "paused"]),
        "people": [{"name": "新人", "numbers": [{"number": number}]}],
    }


def project(chance: random.Random, scene: Scene) -> None:
    """What the switchboard does: facts, a number and a delta, in plain SQL."""
    person = chance.choice(list(Participant.objects.all()))
    whisper = Whisper.objects.order_by("?").first()
    rooms = [
        "",
        f"c-{scene.conference.pk.hex}",
        f"l-{scene.conference.pk.hex}",
        *([f"w-{whisper.pk.hex}"] if whisper else []),
    ]
    moment = _START + timedelta(microseconds=chance.randrange(10**13))
    facts: Document = {
        "state": chance.choice(Participant.State.values),
        "observed_room": chance.choice(rooms),
        "observed_muted": chance.random() < 0.5,
        "joined_at": chance.choice([None, moment]),
        "next_try_at": chance.choice([None, moment]),
        "cause": chance.choice(["", "USER_BUSY"]),
        "sip_code": chance.choice([0, 486]),
        "leg": None,
    }
    columns = {"expected_at": moment, "observed_locked": chance.random() < 0.5}
    Participant.objects.filter(pk=person.pk).update(**facts)
    Conference.objects.filter(pk=scene.conference.pk).update(seq=F("seq") + 1, **columns)
    seq = Conference.objects.get(pk=scene.conference.pk).seq
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO conferences_delta (conference_id, seq, at, changes) VALUES (%s, %s, clock_timestamp(), %s)",
            [scene.conference.pk, seq, json.dumps(delta(conference=columns, participants={person.pk: facts}))],
        )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_old_snapshot_and_deltas_are_the_fresh_snapshot(seed: int, settings: LazySettings, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    chance = random.Random(seed)
    for number in range(8000, 8012):
        make_extension(str(number))
    scene = make_scene(guests_may_join=True)
    states = {view: fresh(scene.conference, view) for view in (View.FULL, View.LIMITED)}
    went_through = set()
    for _ in range(STEPS):
        if chance.random() < 0.25:
            project(chance, scene)
        else:
            action = chance.choice([name for name in ACTIONS if name != "end"])
            user = scene.users[chance.choice(["owner", "owner", "manager", "chair", "member"])]
            before = Conference.objects.get(pk=scene.conference.pk).seq
            try:
                answer = perform(
                    user=user,
                    conference_id=scene.conference.pk,
                    action=action,
                    body=random_body(chance, scene, action),
                )
            except Problem:
                assert Conference.objects.get(pk=scene.conference.pk).seq == before
            else:
                went_through.add(action)
                assert answer["seq"] in (before, before + 1)
        for view, (seq, state) in states.items():
            for row in Delta.objects.filter(seq__gt=seq).order_by("seq"):
                assert row.seq == seq + 1
                apply(state, restrict(row.changes, view))
                seq = row.seq
            assert (seq, state) == fresh(scene.conference, view)
            states[view] = (seq, state)
    perform(user=scene.users["owner"], conference_id=scene.conference.pk, action="end", body={})
    for view, (seq, state) in states.items():
        apply(state, restrict(Delta.objects.get(seq=seq + 1).changes, view))
        assert (seq + 1, state) == fresh(scene.conference, view)
    assert len(went_through) > 15, went_through


@pytest.mark.django_db
def test_limited_viewers_get_no_private_field() -> None:
    scene = make_scene()
    _, full = fresh(scene.conference, View.FULL)
    _, limited = fresh(scene.conference, View.LIMITED)
    private = {"numbers", "round", "cause", "sip_code", "next_try_at", "caller_number"}
    for key, person in limited["participants"].items():
        assert private.isdisjoint(person)
        assert person == {name: value for name, value in full["participants"][key].items() if name not in private}
