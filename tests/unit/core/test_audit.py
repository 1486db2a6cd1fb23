"""The audit log: one entry for every act, written with it, and never changed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.sign_in import MOST_FAILURES
from apps.conferences.models import Conference, Participant, Whisper
from apps.conferences.services.actions import ACTIONS, perform
from apps.core.models import AuditEntry
from tests.factories import Scene, make_extension, make_node, make_plan, make_scene, make_user

pytestmark = pytest.mark.django_db
Body = dict[str, Any]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET action = 'nothing'",
        "DELETE FROM core_auditentry",
        "UPDATE core_auditentry SET at = at",
    ],
)
def test_the_log_only_grows(statement: str) -> None:
    """TRUNCATE, which tests need themselves, is refused in tests/system."""
    client = APIClient()
    make_user("alice")
    client.post("/api/v1/session/", {"username": "alice", "password": "secret"})
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.get().action == "sign_in"


def _bodies(scene: Scene) -> Callable[[str], tuple[str, Body]]:
    """Who does an action, and with what body it changes something; everything is set the other way round first."""
    member, low = scene.own["member"], scene.others["participant"]
    Participant.objects.filter(pk=low.pk).update(state="left")
    whisper = Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"])
    several: Body = {"participants": [str(low.pk)]}
    bodies: dict[str, Body] = {
        "extend": {"minutes": 5},
        "floor": {"mode": "moderated"},
        "lobby": {"mode": "guests"},
        "call": {"participant": str(low.pk)},
        "invite": {"people": [{"name": "New", "numbers": [{"number": "8001"}]}]},
        "volume": {**several, "level": 1},
        "role": {**several, "role": "member"},
        "rename": {"participant": str(low.pk), "name": "New"},
        "announce": {"text": "hello", "language": "en"},
        "record": {"state": "on"},
        "whisper_open": several,
        "whisper_add": {**several, "whisper": str(whisper.pk)},
        "whisper_remove": {"participants": [str(scene.others["member"].pk)], "whisper": str(whisper.pk)},
        "whisper_soft": {"whisper": str(whisper.pk), "soft_main": False},
        "whisper_close": {"whisper": str(whisper.pk)},
        **{name: {} for name in ("start", "end", "lock", "unlock", "guest_link", "guest_link_off")},
    }
    own = {"participants": [str(member.pk)]}
    Participant.objects.filter(pk=scene.others["member"].pk).update(whisper=whisper)

    def body(action: str) -> tuple[str, Body]:
        undo: dict[str, Body] = {
            "unmute": {"muted": True},
            "allow": {"forbidden": True},
            "undeafen": {"deaf": True},
            "unhold": {"held": True},
            "revoke": {"granted": True},
            "lower_hand": {"hand_raised_at": "2026-01-01T00:00:00Z"},
            "decline_chair": {"chair_asked_at": "2026-01-01T00:00:00Z"},
            "admit": {"admitted": False},
            "refuse": {"admitted": False},
        }
        Participant.objects.filter(pk=low.pk).update(**undo.get(action, {}))
        state: dict[str, Body] = {
            "start": {"phase": "gathering"},
            "unlock": {"locked": True},
            "call": {"floor_mode": "roll_call"},
            "grant": {"floor_mode": "moderated"},
            "refuse": {"lobby": "everybody"},
            "guest_link": {"guests_may_join": True},
            "guest_link_off": {"guest_link_at": "2026-01-01T00:00:00Z"},
        }
        Conference.objects.update(**state.get(action, {}))
        if action in ("raise_hand", "ask_chair"):
            return "member", own
        return "owner", bodies.get(action, several)

    return body


# What is said again is a listening (tests/unit/recordings/test_say_again.py).
@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "say_again"])
def test_every_control_is_an_entry(action: str, settings: LazySettings, tmp_path: Path) -> None:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    make_extension("8001")
    scene = make_scene()
    who, body = _bodies(scene)(action)

    perform(user=scene.users[who], conference_id=scene.conference.pk, action=action, body=body, address="10.0.0.7")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.address) == (action, scene.users[who].pk, "10.0.0.7")
    assert (entry.object_type, entry.conference_id) == ("conference", scene.conference.pk)
    if "participants" in body:
        assert len(entry.detail["participants"]) == 1


def test_what_is_refused_is_no_entry() -> None:
    scene = make_scene()
    client = APIClient()
    client.force_login(scene.users["member"])
    assert client.post(f"/api/v1/conferences/{scene.conference.pk}/lock/").status_code == 403
    assert not AuditEntry.objects.exists()


def test_every_act_on_a_plan_is_an_entry() -> None:
    make_node()
    alice, bob = make_user("alice"), make_user("bob")
    client = APIClient()
    client.force_login(alice)
    made = client.post("/api/v1/plans/", {"title": "T"}).json()["id"]
    client.patch(f"/api/v1/plans/{made}/", {"revision": 1, "managers": [str(bob.pk)]})
    copy = client.post(f"/api/v1/plans/{made}/copy/").json()["id"]
    client.delete(f"/api/v1/plans/{copy}/")
    client.post(f"/api/v1/plans/{made}/transfer/", {"user": str(bob.pk)})
    run = client.post("/api/v1/conferences/", {"plan": str(make_plan(alice, people=1).pk)}).json()["id"]
    found = [(each.action, each.object_id, each.actor_id) for each in AuditEntry.objects.order_by("id")]
    assert found == [
        (action, key, alice.pk)
        for action, key in (
            ("create_plan", made),
            ("edit_plan", made),
            ("copy_plan", copy),
            ("delete_plan", copy),
            ("transfer_plan", made),
            ("launch", run),
        )
    ]
    assert AuditEntry.objects.get(action="edit_plan").detail == {"fields": ["managers"], "revision": 2}


def _api(username: str, password: str) -> int:
    answer = APIClient().post("/api/v1/session/", {"username": username, "password": password})
    return answer.status_code


def _administration(username: str, password: str) -> int:
    answer = Client().post("/admin/login/", {"username": username, "password": password, "next": "/admin/"})
    return {302: 200, 200: 401}[answer.status_code]


@pytest.mark.parametrize("sign_in", [_api, _administration])
def test_sign_ins_and_failures(sign_in: Callable[[str, str], int]) -> None:
    cache.clear()
    root = make_user("root", is_staff=True, is_superuser=True)
    assert sign_in("root", "wrong") == 401
    assert sign_in("hunter2", "root") == 401  # a password in the wrong field
    assert sign_in("root", "secret") == 200
    failed, unknown, good = AuditEntry.objects.order_by("id")
    assert (failed.action, failed.actor_id, failed.object_id) == ("sign_in_failed", None, str(root.pk))
    assert failed.address == "127.0.0.1"
    assert (unknown.action, unknown.object_id, unknown.object_name) == ("sign_in_failed", "", "")
    assert (good.action, good.actor_id) == ("sign_in", root.pk)


def test_the_administration_brakes_guessing_and_lets_only_staff_in() -> None:
    cache.clear()
    make_user("alice")
    assert _administration("alice", "secret") == 401
    assert not AuditEntry.objects.filter(action="sign_in").exists()
    make_user("root", is_staff=True, is_superuser=True)
    for _ in range(MOST_FAILURES["pair"]):
        assert _administration("root", "wrong") == 401
    assert _administration("root", "secret") == 401
    assert _api("root", "secret") == 429


def test_signing_out() -> None:
    client = APIClient()
    alice = make_user("alice")
    client.force_login(alice)
    assert client.delete("/api/v1/session/").status_code == 204
    assert client.delete("/api/v1/session/").status_code == 204
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id) == ("sign_out", alice.pk)
    assert User.objects.get() == alice
