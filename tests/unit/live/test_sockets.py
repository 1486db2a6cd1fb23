"""The live feed end to end: sockets, hub, Valkey and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import LazySettings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.live import consumer
from apps.conferences.live import hub as hub_module
from apps.conferences.live import viewer as viewer_module
from apps.conferences.live.changes import NOTIFY_CHANNEL, channel, talking_channel
from apps.conferences.live.hub import hub
from apps.conferences.live.views import View
from apps.conferences.models import Conference, Delta, Participant, Whisper
from apps.conferences.services.actions import perform
from apps.conferences.switchboard import database
from apps.core import realtime
from apps.core.errors import NotAllowed
from tests.factories import CAST, Scene, make_extension, make_scene
from tests.unit.api.matrix import SWITCHES, mismatches

from .client import LiveClient, in_thread, run, session_cookie, watching
from .test_invariant import fresh

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Scene:
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    return make_scene()


def act(scene: Scene, who: str, action: str, **body: Any) -> int:
    seq: int = perform(user=scene.users[who], conference_id=scene.conference.pk, action=action, body=body)["seq"]
    return seq


def silent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """From here on nothing reaches Valkey by itself; what would have."""
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(realtime, "publish_now", lambda *message: kept.append(message))
    return kept


def test_a_click_reaches_everybody_as_their_role_may_see_it(scene: Scene) -> None:
    target = scene.others["participant"]

    async def scenario() -> None:
        conference = scene.conference.pk
        async with (
            watching(scene.users["chair"], conference) as chair,
            watching(scene.users["member"], conference) as member,
        ):
            assert chair.snapshot["you"] == {
                "user": str(scene.users["chair"].pk),
                "participant": str(scene.own["chair"].pk),
                "role": "chair",
            }
            assert "mute" in chair.snapshot["abilities"]["by_role"]["member"]
            assert "mute" not in chair.snapshot["abilities"]["by_role"]["manager"]
            assert member.snapshot["abilities"]["by_role"]["participant"] == []
            status, body = await chair.act("redial", {"participants": [str(target.pk)]})
            assert (status, body["code"]) == (409, "already_present")
            status, body = await chair.act("mute", {"participants": [str(target.pk)]})
            assert (status, body["results"]) == (200, [{"participant": str(target.pk), "ok": True}])
            for client in (chair, member):
                await client.until_seq(body["seq"])
                assert client.state["participants"][str(target.pk)]["muted"] is True
            await in_thread(Participant.objects.filter(pk=target.pk).update, state="failed")
            status, body = await chair.act("redial", {"participants": [str(target.pk)]})
            for client in (chair, member):
                await client.until_seq(body["seq"])
            assert chair.state["participants"][str(target.pk)]["round"] == 2
            assert "round" not in member.state["participants"][str(target.pk)]
            assert "numbers" in chair.state["participants"][str(target.pk)]
            assert "numbers" not in member.state["participants"][str(target.pk)]

    run(scenario())


@pytest.mark.parametrize("switched_on", [True, False])
def test_what_is_said_of_whispers_is_what_may_be_done(scene: Scene, switched_on: bool) -> None:
    """Each role, on a whisper that it opened, one that it is in, and one that is none of its own."""
    Conference.objects.update(member_may_whisper=switched_on)
    stranger = scene.others["owner"]
    target = scene.others["participant"]

    def accepted(role: str, case: str, action: str) -> bool:
        own = scene.own[role]
        with transaction.atomic():
            opener = scene.users[role if case == "opened" else "outsider"]
            whisper = Whisper.objects.create(conference=scene.conference, opened_by=opener)
            inside = [stranger.pk, *([own.pk] if case == "joined" else [])]
            inside += [target.pk] if action == "whisper_remove" else []
            Participant.objects.filter(pk__in=inside).update(whisper=whisper)
            named = {"participants": [str(target.pk)]} if action in ("whisper_add", "whisper_remove") else {}
            try:
                act(scene, role, action, whisper=str(whisper.pk), soft_main=False, **named)
            except NotAllowed:
                return False
            finally:
                transaction.set_rollback(True)
        return True

    async def scenario() -> None:
        for role in scene.own:
            async with watching(scene.users[role], scene.conference.pk) as client:
                said = client.snapshot["abilities"]["whisper"]
            for case, where in (("opened", "inside"), ("joined", "inside"), ("strange", "outside")):
                for action in ("whisper_add", "whisper_remove", "whisper_soft", "whisper_close"):
                    done = await in_thread(accepted, role, case, action)
                    assert done is (action in said[where]), (role, case, action)
            assert "whisper_add" not in said["outside"]

    run(scenario())


def test_snapshots_carry_the_servers_clock(scene: Scene) -> None:
    async def scenario() -> None:
        before = timezone.now()
        async with watching(scene.users["participant"], scene.conference.pk) as client:
            assert before <= datetime.fromisoformat(client.snapshot["now"]) <= timezone.now()

    run(scenario())


def test_muting_the_muted_says_ok_and_tells_nobody(scene: Scene) -> None:
    person = str(scene.others["member"].pk)
    first = act(scene, "owner", "mute", participants=[person])
    assert act(scene, "owner", "mute", participants=[person]) == first
    assert Delta.objects.count() == 1


def test_what_changes_wakes_the_switchboard_and_nothing_else_does(scene: Scene) -> None:
    person = str(scene.others["member"].pk)
    with database.connect(application_name="test", autocommit=True) as listener:
        listener.execute(f"LISTEN {NOTIFY_CHANNEL}")
        for action in ("mute", "mute", "unmute"):
            act(scene, "owner", action, participants=[person])
        listener.execute(f"NOTIFY {NOTIFY_CHANNEL}, 'end'")
        told = list(
            takewhile(lambda payload: payload != "end", (each.payload for each in listener.notifies(timeout=10)))
        )
    assert told == [str(scene.conference.pk)] * 2


def test_nothing_stands_between_the_hub_and_the_server(scene: Scene) -> None:
    """What a middleware does in `send`, it does a thousand times for each frame."""

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            [viewer] = hub()._senders
            socket: Any = viewer.send.__self__  # type: ignore[attr-defined]
            assert socket.base_send == client.socket.output_queue.put

    run(scenario())


def test_random_actions_reach_both_classes_whatever_valkey_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    """Messages are lost, repeated and reordered; what arrives is still the fresh snapshot."""
    monkeypatch.setattr(hub_module, "SWEEP", 0.1)
    chance = random.Random(5)
    kept = silent(monkeypatch)
    valkey = redis.Redis.from_url(settings.REDIS_URL)

    def some_actions() -> int:
        seq = 0
        for _ in range(12):
            people = [str(key) for key in Participant.objects.values_list("pk", flat=True)]
            action = chance.choice(
                ["mute", "unmute", "forbid", "allow", "deafen", "raise_hand", "lower_hand", "redial"]
            )
            try:
                seq = act(scene, "owner", action, participants=chance.sample(people, 2))
            except Exception:
                continue
        told = [message for message in kept for _ in range(chance.randrange(3))]
        kept.clear()
        chance.shuffle(told)
        for message in told:
            valkey.publish(*message)
        return seq

    async def scenario() -> None:
        conference = scene.conference.pk
        async with (
            watching(scene.users["owner"], conference) as full,
            watching(scene.users["member"], conference) as limited,
        ):
            for _ in range(4):
                await in_thread(some_actions)
                seq, _state = await in_thread(fresh, scene.conference, full_view)
                for client, view in ((full, full_view), (limited, limited_view)):
                    await client.until_seq(seq)
                    assert (client.seq, client.state) == await in_thread(fresh, scene.conference, view)
            assert full.snapshots == limited.snapshots == 1

    full_view, limited_view = View.FULL, View.LIMITED
    run(scenario())


def test_bursts_go_together(scene: Scene) -> None:
    person = str(scene.others["member"].pk)

    def burst() -> int:
        for _ in range(20):
            act(scene, "owner", "mute", participants=[person])
            seq = act(scene, "owner", "unmute", participants=[person])
        return seq

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            await client.until_seq(await in_thread(burst))
            assert client.seq == 40
            assert client.deltas < 40

    run(scenario())


def test_a_push_that_was_lost_is_found_in_the_rows(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 0.1)

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            silent(monkeypatch)
            await client.until_seq(await in_thread(act, scene, "owner", "lock"))
            assert client.state["conference"]["locked"] is True

    run(scenario())


def test_a_gap_is_filled_without_waiting_for_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 3600)
    valkey = redis.Redis.from_url(settings.REDIS_URL)

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            kept = silent(monkeypatch)
            for action in ("lock", "unlock"):
                await in_thread(act, scene, "owner", action)
            while not valkey.publish(*kept[1]):
                await asyncio.sleep(0.02)
            await client.until_seq(2)

    run(scenario())


def test_valkey_connections_that_break_are_made_again(scene: Scene, settings: LazySettings) -> None:
    valkey = redis.Redis.from_url(settings.REDIS_URL)

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            valkey.client_kill_filter(_type="pubsub")
            await client.until_seq(await in_thread(act, scene, "owner", "lock"))
            while not valkey.pubsub_numsub(channel(scene.conference.pk))[0][1]:
                await asyncio.sleep(0.02)
            await client.until_seq(await in_thread(act, scene, "owner", "unlock"))
            assert (client.seq, client.snapshots) == (2, 1)

    run(scenario())


def test_a_changed_role_is_a_new_view(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 3600)  # what tells is the change itself

    async def scenario() -> None:
        async with watching(scene.users["member"], scene.conference.pk) as client:
            assert client.snapshot["you"]["role"] == "member"
            await in_thread(act, scene, "owner", "role", participants=[str(scene.own["member"].pk)], role="chair")
            await client.until(lambda message: message["type"] == "snapshot")
            assert client.snapshot["you"]["role"] == "chair"
            assert all("numbers" in person for person in client.state["participants"].values())
            assert "mute" in client.snapshot["abilities"]["by_role"]["member"]
            assert (await client.act("lock", {}))[0] == 200

    run(scenario())


def test_changed_switches_are_a_new_snapshot(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 0.1)
    unit = scene.users["owner"].unit

    async def scenario() -> None:
        async with watching(scene.users["member"], scene.conference.pk) as client:
            assert "unmute" in client.snapshot["abilities"]["self"]
            await in_thread(OrganisationPolicy.objects.create, unit=unit, member_may_unmute_self=False)
            await client.until(lambda message: message["type"] == "snapshot")
            assert "unmute" not in client.snapshot["abilities"]["self"]

    run(scenario())


@pytest.mark.parametrize(
    ("loss", "code"),
    [("sign_out", 4401), ("deactivate", 4401), ("password", 4401), ("no_manager", 4404), ("delete", 4404)],
)
def test_who_loses_access_is_closed(scene: Scene, monkeypatch: pytest.MonkeyPatch, loss: str, code: int) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 0.1)
    manager = scene.users["manager"]
    scene.own["manager"].delete()

    def lose(cookie: str) -> None:
        from django.contrib.sessions.models import Session

        match loss:
            case "sign_out":
                Session.objects.filter(session_key=cookie).delete()
            case "deactivate":
                User.objects.filter(pk=manager.pk).update(is_active=False)
            case "password":
                User.objects.filter(pk=manager.pk).update(password="another")
            case "no_manager":
                scene.conference.managers.clear()
            case "delete":
                Conference.objects.all().delete()

    async def scenario() -> None:
        cookie = await in_thread(session_cookie, manager)
        client = LiveClient(scene.conference.pk, cookie)
        await client.connect()
        await client.next()
        await in_thread(lose, cookie)
        assert await client.closed() == code
        await client.disconnect()

    run(scenario())


def test_who_may_not_watch(scene: Scene) -> None:
    async def scenario() -> None:
        cookie = await in_thread(session_cookie, scene.users["owner"])
        foreign = await in_thread(session_cookie, scene.users["outsider"])
        for session, headers, code in [
            (None, [], 4401),
            ("nonsense", [], 4401),
            (foreign, [], 4404),
            (cookie, [(b"origin", b"https://evil.example")], 4403),
            (cookie, [(b"origin", b"null")], 4403),
        ]:
            client = LiveClient(scene.conference.pk, session, *headers)
            await client.connect()
            assert await client.closed() == code
            await client.disconnect()
        nowhere = LiveClient(scene.own["chair"].pk, cookie)
        await nowhere.connect()
        assert await nowhere.closed() == 4404
        await nowhere.disconnect()
        at_home = LiveClient(scene.conference.pk, cookie, (b"origin", b"http://localhost"))
        await at_home.connect()
        assert (await at_home.next())["type"] == "snapshot"
        await at_home.disconnect()

    run(scenario())


def test_what_cannot_be_read(scene: Scene) -> None:
    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            for text in ("{", "[]", "7", '{"type": "dance"}', '{"type": "action", "action": "mute"}', "[" * 100_000):
                await client.send_text(text)
                problem = await client.next()
                assert problem["type"] == "problem", text
                assert problem["code"] in ("malformed", "invalid")
            await client.socket.send_input({"type": "websocket.receive", "bytes": b"\x00"})
            assert (await client.next())["type"] == "problem"
            actions: list[Any] = ["dance", None, {}, ["mute"]]
            for action in actions:
                await client.send({"type": "action", "id": "x", "action": action, "body": {}})
                assert (await client.next())["status"] == 404
            bodies: list[Any] = [None, [], 7, "all"]
            for body in bodies:
                await client.send({"type": "action", "id": "x", "action": "mute", "body": body})
                assert (await client.next())["status"] == 400
            await client.send({"type": "ping"})
            assert await client.next() == {"type": "pong"}
            await client.send({"type": "resync"})
            assert (await client.next())["type"] == "snapshot"

    run(scenario())


def test_too_many_actions(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted together with requests by REST, for each person."""
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"anon": None, "user": "3/min"})
    cache.clear()
    rest = APIClient()
    rest.force_authenticate(scene.users["owner"])

    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk) as client:
            assert await in_thread(lambda: rest.get("/api/v1/session/").status_code) == 200
            assert (await client.act("lock", {}))[0] == 200
            assert (await client.act("dance", {}))[0] == 404
            status, problem = await client.act("unlock", {})
            assert (status, problem["status"], problem["code"]) == (429, 429, "rate_limited")
            assert 0 < problem["retry_after"] <= 60
            assert await in_thread(lambda: rest.get("/api/v1/session/").status_code) == 429
        async with watching(scene.users["manager"], scene.conference.pk) as client:
            assert client.snapshot["conference"]["locked"]
            assert (await client.act("unlock", {}))[0] == 200

    run(scenario())


def test_who_is_talking(scene: Scene, settings: LazySettings) -> None:
    speaker = str(scene.own["chair"].pk)
    valkey = redis.Redis.from_url(settings.REDIS_URL)

    async def scenario() -> None:
        async with watching(scene.users["member"], scene.conference.pk) as client:
            while not valkey.publish(talking_channel(scene.conference.pk), json.dumps([speaker])):
                await asyncio.sleep(0.02)
            assert await client.next() == {"type": "talking", "participants": [speaker]}
            async with watching(scene.users["owner"], scene.conference.pk) as late:
                assert late.snapshot["talking"] == [speaker]

    run(scenario())


def test_a_slow_socket_gets_a_snapshot_and_no_endless_queue(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MERGE", 0.0)
    monkeypatch.setattr(viewer_module, "MOST_WAITING", 3)
    person = str(scene.others["member"].pk)

    def many() -> int:
        for _ in range(10):
            act(scene, "owner", "mute", participants=[person])
            seq = act(scene, "owner", "unmute", participants=[person])
        return seq

    async def scenario() -> None:
        may_send = asyncio.Event()
        async with (
            watching(scene.users["owner"], scene.conference.pk) as client,
            watching(scene.users["member"], scene.conference.pk) as quick,
        ):
            slow = next(each for each in hub()._senders if each.credentials.user == scene.users["owner"].pk)
            send = slow.send

            async def blocked(text: str) -> None:
                await may_send.wait()
                await send(text)

            monkeypatch.setattr(slow, "send", blocked)
            seq = await in_thread(many)
            await quick.until_seq(seq)
            assert len(slow._queue) <= 3
            may_send.set()
            await client.until_seq(seq)
            assert client.snapshots == 2

    run(scenario())


def test_the_last_socket_leaves_nothing_behind(scene: Scene) -> None:
    async def scenario() -> None:
        async with watching(scene.users["owner"], scene.conference.pk):
            assert hub()._rooms
        assert not hub()._rooms
        assert not hub()._senders
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario())


@pytest.mark.parametrize("switched_on", [True, False])
def test_every_cell_of_the_matrix(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switched_on: bool
) -> None:
    """The same cells as through REST; the sockets are opened one after the other, each with a role."""
    settings.SPARKLE_SOUNDS_DIR = tmp_path
    make_extension("8001")
    scene = make_scene(**dict.fromkeys(SWITCHES, switched_on))

    def perform_and_forget(**given: Any) -> dict[str, Any]:
        """The real thing, undone afterwards, so that each cell meets the same conference."""
        with transaction.atomic():
            answer = perform(**given)
            transaction.set_rollback(True)
        return answer

    monkeypatch.setattr(consumer, "perform", perform_and_forget)

    async def scenario(role: str) -> list[str]:
        async with watching(scene.users[role], scene.conference.pk) as client:
            loop = asyncio.get_running_loop()

            def answer(action: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
                return asyncio.run_coroutine_threadsafe(client.act(action, body), loop).result(20)

            wrong: list[str] = await in_thread(mismatches, scene, role, switched_on, answer)
            return wrong

    for role in CAST:
        if role != "outsider":  # they get no socket: test_who_may_not_watch
            assert asyncio.run(scenario(role)) == []
