"""A guest's socket: the limited view of one conference, until their part in it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from apps.conferences.guests import COOKIE, cookie_of
from apps.conferences.live import hub as hub_module
from apps.conferences.models import Conference, Participant
from apps.conferences.services.actions import perform
from tests.factories import Scene, add_participant, make_conference, make_scene

from .client import LiveClient, in_thread, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def guest(scene: Scene) -> Participant:
    return add_participant(scene.conference, name="王 工", guest=True)


async def client_of(guest: Participant, conference: UUID) -> LiveClient:
    cookie = await in_thread(cookie_of, guest)
    client = LiveClient(conference, None, (b"cookie", f"{COOKIE}={cookie}".encode()))
    await client.connect()
    return client


@asynccontextmanager
async def watching(guest: Participant) -> AsyncIterator[LiveClient]:
    client = await client_of(guest, guest.conference_id)
    await client.until(lambda message: message["type"] == "snapshot")
    try:
        yield client
    finally:
        await client.disconnect()


def act(scene: Scene, action: str, **body: object) -> int:
    owner = scene.users["owner"]
    seq: int = perform(user=owner, conference_id=scene.conference.pk, action=action, body=body)["seq"]
    return seq


def test_a_guest_sees_what_plain_participants_see(scene: Scene, guest: Participant) -> None:
    async def scenario() -> None:
        async with watching(guest) as client:
            assert client.snapshot["you"] == {"user": None, "participant": str(guest.pk), "role": "participant"}
            assert client.snapshot["abilities"]["by_role"]["participant"] == []
            assert "raise_hand" in client.snapshot["abilities"]["self"]
            assert client.state["participants"][str(guest.pk)]["guest"] is True
            assert not any("numbers" in person for person in client.state["participants"].values())
            status, body = await client.act("raise_hand", {"participants": [str(guest.pk)]})
            assert status == 200
            await client.until_seq(body["seq"])
            assert client.state["participants"][str(guest.pk)]["hand_raised_at"]
            status, body = await client.act("mute", {"participants": [str(scene.own["member"].pk)]})
            assert (status, body["code"]) == (403, "not_allowed")

    run(scenario())


def test_another_conference_is_none_of_theirs(scene: Scene, guest: Participant) -> None:
    other = make_conference(scene.users["owner"])

    async def scenario() -> None:
        client = await client_of(guest, other.pk)
        assert await client.closed() == 4404
        await client.disconnect()

    run(scenario())


def test_a_phone_that_was_called_is_no_guest(scene: Scene) -> None:
    async def scenario() -> None:
        client = await client_of(scene.others["participant"], scene.conference.pk)
        assert await client.closed() == 4401
        await client.disconnect()

    run(scenario())


def test_a_promoted_guest_sees_more(scene: Scene, guest: Participant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 3600)  # what tells is the change itself

    async def scenario() -> None:
        async with watching(guest) as client:
            await in_thread(act, scene, "role", participants=[str(guest.pk)], role="chair")
            await client.until(lambda message: message["type"] == "snapshot")
            assert client.snapshot["you"]["role"] == "chair"
            assert all("numbers" in person for person in client.state["participants"].values())

    run(scenario())


@pytest.mark.parametrize("refuse", [True, False])
def test_who_was_removed_for_good_is_closed(
    scene: Scene, guest: Participant, monkeypatch: pytest.MonkeyPatch, refuse: bool
) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 0.1)

    async def scenario() -> None:
        client = await client_of(guest, scene.conference.pk)
        await client.next()
        await in_thread(act, scene, "remove", participants=[str(guest.pk)], refuse=refuse)
        await client.until_seq(1)
        assert client.state["participants"][str(guest.pk)]["present"] is False
        if refuse:
            assert await client.closed() == 4404
        else:
            assert (await client.act("raise_hand", {"participants": [str(guest.pk)]}))[0] == 200
        await client.disconnect()

    run(scenario())


def test_who_waits_sees_nobody_until_they_are_let_in(
    scene: Scene, guest: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "SWEEP", 3600)  # what tells is the change itself
    act(scene, "lobby", mode="guests")
    Participant.objects.filter(pk=guest.pk).update(admitted=False)
    Conference.objects.update(agenda="收购")

    async def scenario() -> None:
        async with watching(guest) as client:
            assert client.state["participants"].keys() == {str(guest.pk)}
            assert "agenda" not in client.state["conference"]
            assert client.snapshot["abilities"]["self"] == ["cancel", "mute", "redial", "remove", "unmute"]
            # Of others they are told nothing, of themself and the conference everything.
            await in_thread(act, scene, "mute", participants=[str(scene.own["member"].pk)])
            await in_thread(act, scene, "rename", participant=str(guest.pk), name="王工")
            await client.until(lambda message: message["type"] == "snapshot")
            assert (client.snapshots, client.deltas) == (2, 0)
            assert client.state["participants"][str(guest.pk)]["name"] == "王工"
            await in_thread(act, scene, "lock")
            await client.until(lambda message: message["type"] == "snapshot")
            assert client.state["conference"]["locked"]
            await in_thread(act, scene, "admit", participants=[str(guest.pk)])
            await client.until(lambda message: message["type"] == "snapshot")
            assert len(client.state["participants"]) == 11
            assert client.state["conference"]["agenda"] == "收购"
            seq = await in_thread(act, scene, "mute", participants=[str(scene.others["member"].pk)])
            await client.until_seq(seq)
            assert client.deltas == 1

    run(scenario())
