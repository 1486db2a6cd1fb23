"""Who hears what was recorded: by role and switch, by a link of their own; and whispers only who was in them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core import signing
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from apps.accounts.models import OrganisationPolicy, User
from apps.conferences.guests import COOKIE, cookie_of, find_guest
from apps.conferences.models import Conference, Participant, Whisper
from apps.core.models import AuditEntry
from apps.recordings import links
from tests.factories import CAST, Scene, add_participant, make_conference, make_scene
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import heard, link_to, make_track, recording, say

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
ROLES = [role for role in CAST if role != "outsider"]
SAID = speech(5000)


@pytest.fixture
def scene() -> Scene:
    scene = make_scene(member_may_replay=True, participant_may_replay=True)
    unit = scene.users["owner"].unit
    assert unit is not None
    OrganisationPolicy.objects.create(unit=unit, may_export=True)
    return scene


def parts(scene: Scene, track: Any) -> list[str]:
    address = f"/api/v1/conferences/{scene.conference.pk}/recording/"
    person = scene.own["member"].pk
    return [
        address,
        *(f"{address}{each}" for each in ("utterances/", f"speech/?participant={person}", f"export/?track={track.pk}")),
    ]


def refusals(client: APIClient, addresses: list[str]) -> set[tuple[int, str]]:
    answers = [client.get(address) for address in addresses]
    return {(each.status_code, each.json()["code"] if each.status_code >= 400 else "") for each in answers}


def test_an_outsider_and_an_administrator_find_nothing(as_user: AsUser, scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    outsider = scene.users["outsider"]
    assert refusals(as_user(outsider), parts(scene, track)) == {(404, "not_found")}
    User.objects.filter(pk=outsider.pk).update(is_staff=True, is_superuser=True)
    assert refusals(as_user(outsider), parts(scene, track)) == {(404, "not_found")}
    assert refusals(APIClient(), [*parts(scene, track), link_to(as_user(scene.users["owner"]), track)]) == {
        (401, "not_signed_in")
    }


def test_who_waits_in_the_lobby_gets_nothing(as_user: AsUser, scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    address = link_to(as_user(scene.users["member"]), track)
    Conference.objects.update(lobby="everybody")
    Participant.objects.filter(pk=scene.own["member"].pk).update(admitted=False)

    client = as_user(scene.users["member"])
    assert refusals(client, [*parts(scene, track), address]) == {(403, "not_admitted")}


def test_a_link_is_good_for_ten_minutes(as_user: AsUser, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    track = make_track(scene.conference, SAID)
    client = as_user(scene.users["chair"])
    address = link_to(client, track)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 599)
    assert heard(client, address)
    monkeypatch.setattr(time, "time", lambda: now + 601)
    assert refusals(client, [address]) == {(403, "link_expired")}


def test_a_copied_link_is_of_no_use(as_user: AsUser, scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    address = link_to(as_user(scene.users["chair"]), track)
    others = [as_user(scene.users[role]) for role in CAST if role != "chair"]
    for client in others:
        assert refusals(client, [address]) == {(403, "link_of_another")}
    assert not AuditEntry.objects.filter(action="listen").exists()


def test_a_link_is_as_it_was_made(as_user: AsUser, scene: Scene) -> None:
    client = as_user(scene.users["owner"])
    address = link_to(client, make_track(scene.conference, SAID))
    for place in (len("/api/v1/recordings/audio/"), len(address) - 1):
        changed = address[:place] + ("A" if address[place] != "A" else "B") + address[place + 1 :]
        assert refusals(client, [changed]) == {(404, "not_found")}
    elsewhere = signing.dumps(["user", uuid4().hex, 0, 1], salt="elsewhere")
    assert refusals(client, [f"/api/v1/recordings/audio/{elsewhere}"]) == {(404, "not_found")}


def test_a_right_that_is_taken_away_takes_the_link_with_it(as_user: AsUser, scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    member, manager = as_user(scene.users["member"]), as_user(scene.users["manager"])
    addresses = {client: link_to(client, track) for client in (member, manager)}
    for client, address in addresses.items():
        assert heard(client, address)

    Conference.objects.update(member_may_replay=False)
    assert refusals(member, [addresses[member]]) == {(403, "switched_off")}
    scene.conference.managers.clear()
    Participant.objects.filter(pk=scene.own["manager"].pk).update(user=None)
    assert refusals(manager, [addresses[manager]]) == {(404, "not_found")}


def test_a_token_of_the_api_is_a_login(scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=scene.users['owner']).key}")
    assert heard(client, link_to(client, track)).endswith(SAID)


class TestGuests:
    @pytest.fixture
    def guest(self, scene: Scene) -> Participant:
        return add_participant(scene.conference, name="王", role="participant", guest=True)

    def client(self, guest: Participant) -> APIClient:
        client = APIClient(headers={"accept-language": "en"})
        client.cookies[COOKIE] = cookie_of(guest)
        return client

    def test_hear_where_participants_do(self, scene: Scene, guest: Participant) -> None:
        track = make_track(scene.conference, SAID)
        address = link_to(self.client(guest), track)
        assert heard(self.client(guest), address).endswith(SAID)
        assert AuditEntry.objects.get(action="listen").actor_name == "王"
        assert refusals(self.client(guest), parts(scene, track)[-1:]) == {(401, "not_signed_in")}

        another = add_participant(scene.conference, name="李", role="participant", guest=True)
        assert refusals(self.client(another), [address]) == {(403, "link_of_another")}
        Conference.objects.update(participant_may_replay=False)
        assert refusals(self.client(guest), [address, *parts(scene, track)[:3]]) == {(403, "switched_off")}

    def test_hear_nothing_of_another_conference(self, scene: Scene, guest: Participant) -> None:
        elsewhere = make_conference(scene.users["owner"], participant_may_replay=True)
        track = make_track(elsewhere, SAID)
        assert refusals(self.client(guest), [f"/api/v1/conferences/{elsewhere.pk}/recording/"]) == {(404, "not_found")}
        caller = find_guest(guest.pk)
        assert caller is not None
        token = links.token_of(links.Part(track.pk, 0, 100), caller)
        assert refusals(self.client(guest), [f"/api/v1/recordings/audio/{token}"]) == {(404, "not_found")}

    def test_removed_for_good_hear_nothing(self, scene: Scene, guest: Participant) -> None:
        address = link_to(self.client(guest), make_track(scene.conference, SAID))
        Participant.objects.filter(pk=guest.pk).update(refused=True)
        assert refusals(self.client(guest), [address]) == {(404, "not_found")}


class TestWhispers:
    """Dave and Erin whisper. Alice, who owns the conference, has even opened it, and is not in it."""

    @pytest.fixture
    def whisper(self, scene: Scene) -> Whisper:
        return Whisper.objects.create(conference=scene.conference, opened_by=scene.users["owner"])

    def test_are_for_those_in_them(self, as_user: AsUser, scene: Scene, whisper: Whisper) -> None:
        tracks = [
            make_track(scene.conference, SAID, participant=scene.own[role], whisper=whisper)
            for role in ("member", "participant")
        ]
        for track in tracks:
            say(track, 0, 100)
        make_track(scene.conference, SAID, participant=scene.own["owner"])
        address = f"/api/v1/conferences/{scene.conference.pk}/recording/"

        for role in ROLES:
            client, inside = as_user(scene.users[role]), role in ("member", "participant")
            told = client.get(address).json()["tracks"]
            assert [each["kind"] for each in told].count("whisper") == (2 if inside else 0), role
            said = client.get(f"{address}utterances/").json()["results"]
            assert len(said) == (2 if inside else 0), role
            for track in tracks:
                token = links.token_of(links.Part(track.pk, 0, 100), scene.users[role])
                link = f"/api/v1/recordings/audio/{token}"
                if inside:
                    assert heard(client, link)
                else:
                    assert refusals(client, [link]) == {(404, "not_found")}, role
        for role in ("owner", "manager"):
            assert refusals(as_user(scene.users[role]), [parts(scene, tracks[0])[-1]]) == {(404, "not_found")}

    def test_are_also_for_who_is_in_it_without_having_been_recorded(
        self, as_user: AsUser, scene: Scene, whisper: Whisper
    ) -> None:
        track = make_track(scene.conference, SAID, participant=scene.own["member"], whisper=whisper)
        other = Whisper.objects.create(conference=scene.conference)
        Participant.objects.filter(pk=scene.own["chair"].pk).update(whisper=whisper)
        Participant.objects.filter(pk=scene.own["manager"].pk).update(whisper=other)
        assert recording(as_user(scene.users["chair"]), track)["whisper"] == str(whisper.pk)
        address = f"/api/v1/conferences/{scene.conference.pk}/recording/"
        assert as_user(scene.users["manager"]).get(address).json()["tracks"] == []

    def test_are_for_no_owner_who_does_not_attend(self, as_user: AsUser, scene: Scene, whisper: Whisper) -> None:
        make_track(scene.conference, SAID, participant=scene.own["member"], whisper=whisper)
        make_track(scene.conference, SAID)
        Participant.objects.filter(pk=scene.own["owner"].pk).update(user=None)
        address = f"/api/v1/conferences/{scene.conference.pk}/recording/"
        told = as_user(scene.users["owner"]).get(address).json()["tracks"]
        assert [each["kind"] for each in told] == ["mix"]

    def test_who_listens_to_one_is_not_in_the_conferences_log(
        self, as_user: AsUser, scene: Scene, whisper: Whisper
    ) -> None:
        OrganisationPolicy.objects.update(may_export=True)
        track = make_track(scene.conference, SAID, participant=scene.own["manager"], whisper=whisper)
        manager = as_user(scene.users["manager"])
        assert heard(manager, link_to(manager, track))
        assert heard(manager, parts(scene, track)[-1])
        assert {each.action for each in AuditEntry.objects.all()} == {"listen", "export"}
        log = as_user(scene.users["owner"]).get(f"/api/v1/conferences/{scene.conference.pk}/log/")
        assert log.json()["results"] == []


def test_after_the_conference_as_well(as_user: AsUser, scene: Scene) -> None:
    track = make_track(scene.conference, SAID)
    Conference.objects.update(phase="ended", ended_at=scene.conference.started_at)
    client = as_user(scene.users["participant"])
    assert heard(client, link_to(client, track)).endswith(SAID)


def test_abilities(as_user: AsUser, scene: Scene) -> None:
    address = f"/api/v1/conferences/{scene.conference.pk}/recording/"
    able = {role: as_user(scene.users[role]).get(address).json()["abilities"] for role in ROLES}
    assert able == {
        role: ["erase", "export", "replay"] if role in ("owner", "manager") else ["replay"] for role in ROLES
    }


def test_links_are_not_kept_by_anybody(as_user: AsUser, scene: Scene) -> None:
    say(make_track(scene.conference, SAID, participant=scene.own["member"]), 0, 50)
    client = as_user(scene.users["owner"])
    for address in parts(scene, make_track(scene.conference, SAID)):
        assert client.get(address)["Cache-Control"] == "no-store, private"
