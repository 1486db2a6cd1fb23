"""What there is to hear, who spoke when, what is noted of listening, and what is taken along."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import soundfile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.conferences.models import Conference, Participant
from apps.core.models import AuditEntry
from apps.recordings import replay
from apps.recordings.models import Track
from tests.factories import add_participant, make_conference, make_user
from tests.unit.recordings.sealing import speech
from tests.unit.recordings.tracks import BEGAN, heard, link_to, make_track, say, seal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("recordings")]
AsUser = Callable[[User], APIClient]
SAID = speech(64_000)
"""Two seconds."""


@pytest.fixture
def alice() -> User:
    return make_user("alice", display_name="李 雷")


@pytest.fixture
def conference(alice: User) -> Conference:
    return make_conference(alice, title="产品 “评审”/1")


@pytest.fixture
def erin(conference: Conference) -> Participant:
    return add_participant(conference, name="韩 梅梅")


def address_of(conference: Conference, rest: str = "") -> str:
    return f"/api/v1/conferences/{conference.pk}/recording/{rest}"


def test_what_there_is(client: APIClient, conference: Conference, erin: Participant) -> None:
    later = make_track(conference, SAID, started_at=BEGAN + timedelta(seconds=5), participant=erin)
    mix = make_track(conference, SAID[:33], channels=2)
    make_track(make_conference(conference.owner), SAID)
    answer = client.get(address_of(conference))
    first, second = answer.json()["tracks"]
    assert first.pop("audio").startswith("/api/v1/recordings/audio/")
    assert second.pop("audio") != first.get("audio")
    assert first == {
        "id": str(mix.pk),
        "kind": "mix",
        "participant": None,
        "name": "",
        "whisper": None,
        "part": 1,
        "started_at": "2026-11-26T08:00:00.000000Z",
        "ended_at": "2026-11-26T08:00:00.000000Z",
        "state": "sealed",
        "duration_ms": 1,
    }
    assert second == {
        "id": str(later.pk),
        "kind": "person",
        "participant": str(erin.pk),
        "name": "韩 梅梅",
        "whisper": None,
        "started_at": "2026-11-26T08:00:05.000000Z",
        "ended_at": "2026-11-26T08:00:00.000000Z",
        "part": 1,
        "state": "sealed",
        "duration_ms": 2000,
    }


def test_parts_of_one_story(client: APIClient, conference: Conference, erin: Participant) -> None:
    """They are counted for each person, while the switchboard counts them for each leg."""
    dan = add_participant(conference, name="Dan")
    for person, second in ((erin, 1), (dan, 2), (erin, 3), (None, 0), (erin, 9), (None, 7)):
        make_track(conference, SAID, started_at=BEGAN + timedelta(seconds=second), participant=person)
    found = client.get(address_of(conference)).json()["tracks"]
    assert [(track["name"], track["part"]) for track in found] == [
        ("", 1),
        ("韩 梅梅", 1),
        ("Dan", 1),
        ("韩 梅梅", 2),
        ("", 2),
        ("韩 梅梅", 3),
    ]


def test_many_tracks_ask_the_same_few_questions(client: APIClient, conference: Conference) -> None:
    def questions() -> list[int]:
        counts = []
        for address in (address_of(conference), address_of(conference, "utterances/")):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counts.append(len(queries))
        return counts

    say(make_track(conference, b"", participant=add_participant(conference)), 0, 20)
    before = questions()
    for _ in range(10):
        say(make_track(conference, SAID, live=True, participant=add_participant(conference)), 0, 20)
    assert questions() == before
    assert max(before) < 10


class TestUtterances:
    @pytest.fixture
    def tracks(self, conference: Conference, erin: Participant) -> list[Track]:
        """Erin, and Dan, who came half a second later; they speak by turns, and begin together once."""
        dan = add_participant(conference, name="Dan")
        found = [
            make_track(conference, SAID, participant=erin),
            make_track(conference, SAID, participant=dan, started_at=BEGAN + timedelta(milliseconds=500), live=True),
        ]
        for start, end in ((0, 400), (900, 1100), (1500, 1700)):
            say(found[0], start, end)
        for start, end in ((0, 100), (400, 900), (1200, 1300)):
            say(found[1], start, end)
        return found

    def all(self, client: APIClient, address: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while address:
            page = client.get(address).json()
            found += page["results"]
            address = page["next"]
        return found

    def test_by_the_conferences_clock(self, client: APIClient, conference: Conference, tracks: list[Track]) -> None:
        found = self.all(client, address_of(conference, "utterances/?page_size=2"))
        begins = [(each["name"], each["starts_at"][17:23], each["ends_at"][17:23]) for each in found]
        erin, dan = "韩 梅梅", "Dan"
        assert sorted(begins) == sorted(
            [
                (erin, "00.000", "00.400"),
                (dan, "00.500", "00.600"),
                (erin, "00.900", "01.100"),
                (dan, "00.900", "01.400"),
                (erin, "01.500", "01.700"),
                (dan, "01.700", "01.800"),
            ]
        )
        assert [each[1] for each in begins] == sorted(each[1] for each in begins)
        assert {each["track"] for each in found} == {str(track.pk) for track in tracks}

    def test_their_sound(self, client: APIClient, conference: Conference, tracks: list[Track]) -> None:
        found = self.all(client, address_of(conference, "utterances/"))
        assert heard(client, found[0]["audio"])[44:] == SAID[: 400 * 32]
        assert heard(client, found[1]["audio"])[44:] == SAID[: 100 * 32]
        Track.objects.filter(pk=tracks[0].pk).update(state="erased")
        without = {each["track"] for each in self.all(client, address_of(conference, "utterances/")) if each["audio"]}
        assert without == {str(tracks[1].pk)}

    def test_filters(self, client: APIClient, conference: Conference, tracks: list[Track]) -> None:
        dan = tracks[1].participant_id
        found = self.all(client, address_of(conference, f"utterances/?participant={dan}"))
        assert {each["participant"] for each in found} == {str(dan)}
        assert len(found) == 3
        moment = quote((BEGAN + timedelta(milliseconds=1100)).isoformat())
        after = self.all(client, address_of(conference, f"utterances/?after={moment}"))
        assert [each["ends_at"][17:23] for each in after] == ["01.400", "01.700", "01.800"]
        both = self.all(client, address_of(conference, f"utterances/?after={moment}&participant={dan}"))
        assert len(both) == 2

    @pytest.mark.parametrize(
        ("query", "field"), [("participant=x", "participant"), ("after=x", "after"), ("cursor=x", "cursor")]
    )
    def test_what_is_no_filter(self, client: APIClient, conference: Conference, query: str, field: str) -> None:
        answer = client.get(address_of(conference, f"utterances/?{query}"))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
    def test_moments_at_the_ends_of_time(self, client: APIClient, conference: Conference, moment: str) -> None:
        assert client.get(address_of(conference, f"utterances/?after={moment}")).status_code in (200, 400)


class TestTheLog:
    def test_a_listening_is_noted_once(
        self, client: APIClient, conference: Conference, erin: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        track = make_track(conference, SAID, participant=erin)
        address = link_to(client, track)
        client.head(address)
        assert not AuditEntry.objects.exists()
        for _ in range(2):
            for start in range(0, 30_000, 10_000):
                heard(client, address, range=f"bytes={start}-{start + 9_999}")
        heard(client, f"{link_to(client, track)}?format=opus")
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor_name, entry.object_id) == ("listen", "李 雷", str(track.pk))
        assert entry.detail == {"name": "韩 梅梅", "from": 0, "to": 2000}
        assert entry.conference_id == conference.pk

        say(track, 0, 1000)
        part = client.get(address_of(conference, "utterances/")).json()["results"][0]["audio"]
        heard(client, part)
        assert AuditEntry.objects.count() == 2
        monkeypatch.setattr(replay, "ONE_LISTENING", timedelta(0))
        heard(client, address)
        assert AuditEntry.objects.count() == 3

    def test_following_what_is_being_recorded_is_one_listening(
        self, client: APIClient, conference: Conference, erin: Participant
    ) -> None:
        track = make_track(conference, SAID[:6400], participant=erin, live=True)
        heard(client, link_to(client, track))
        seal(track, SAID[6144:32_000], live=True)
        heard(client, link_to(client, track))
        assert AuditEntry.objects.get().detail == {"name": "韩 梅梅", "from": 0, "to": None}

    def test_of_each_listener(self, as_user: AsUser, client: APIClient, conference: Conference) -> None:
        bob = make_user("bob")
        conference.managers.add(bob)
        track = make_track(conference, SAID)
        for each in (client, as_user(bob)):
            heard(each, link_to(each, track))
        assert {entry.actor_name for entry in AuditEntry.objects.all()} == {"李 雷", "Bob"}


class TestExport:
    def test_a_wav_file_says_whom_it_was_given_to(
        self, client: APIClient, conference: Conference, erin: Participant
    ) -> None:
        track = make_track(conference, SAID, participant=erin)
        answer: Any = client.get(address_of(conference, f"export/?track={track.pk}"))
        body = b"".join(answer.streaming_content)
        assert answer["Content-Length"] == str(len(body))
        assert (answer["Content-Type"], answer["Cache-Control"]) == ("audio/wav", "no-store, private")
        name = quote("产品 _评审_1 – 韩 梅梅 1.wav")
        assert answer["Content-Disposition"] == f"attachment; filename*=utf-8''{name}"
        samples, _rate = soundfile.read(io.BytesIO(body), dtype="int16")
        assert samples.tobytes() == SAID
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            assert (file.title, file.artist, file.date) == (conference.title, "韩 梅梅", "2026-11-26")
            assert file.comment.startswith("Exported for 李 雷 on 20")
        assert int.from_bytes(body[4:8], "little") == len(body) - 8

    def test_ogg_too(self, client: APIClient, conference: Conference) -> None:
        track = make_track(conference, SAID)
        body = heard(client, address_of(conference, f"export/?track={track.pk}&format=opus"))
        with soundfile.SoundFile(io.BytesIO(body)) as file:
            assert (file.title, file.artist, file.date) == (conference.title, "all of the main room", "2026-11-26")
            assert file.comment.startswith("Exported for 李 雷 on 20")
            assert file.frames == len(SAID) // 2

    def test_a_plain_name(self, client: APIClient, conference: Conference) -> None:
        Conference.objects.update(title='a"b\\c\r\n../d;e')
        track = make_track(conference, SAID, participant=add_participant(conference, name="Erin"))
        answer = client.get(address_of(conference, f"export/?track={track.pk}"))
        assert answer["Content-Disposition"] == "attachment; filename*=utf-8''a_b_c_.._d_e%20%E2%80%93%20Erin%201.wav"

    def test_each_is_noted(self, client: APIClient, conference: Conference, erin: Participant) -> None:
        track = make_track(conference, SAID, participant=erin)
        for kind in ("wav", "opus", "wav"):
            heard(client, address_of(conference, f"export/?track={track.pk}&format={kind}"))
        client.head(address_of(conference, f"export/?track={track.pk}"))
        entries = [(each.action, each.detail) for each in AuditEntry.objects.order_by("id")]
        assert entries == [("export", {"name": "韩 梅梅", "format": kind}) for kind in ("wav", "opus", "wav")]

    def test_only_of_this_conference(self, client: APIClient, conference: Conference) -> None:
        track = make_track(make_conference(conference.owner), SAID)
        answer = client.get(address_of(conference, f"export/?track={track.pk}"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        answer = client.get(address_of(conference, "export/?track=x"))
        assert answer.json()["errors"][0]["field"] == "track"
